import { chunkedBody } from "./chunked-body.ts";
import { requestHead } from "./request-head.ts";
import type { FuzzTarget } from "./target.ts";

export const targets: FuzzTarget[] = [...requestHead, ...chunkedBody];
