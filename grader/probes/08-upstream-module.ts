/** What the modules of stage 8 promise to each other, seen from inside. */
import type { Probes } from "../engine/probe-process.ts";
import { addresses, cancel, errors } from "./08-upstream-module/connecting.ts";
import { relayProbe } from "./08-upstream-module/relaying.ts";

export const probes: Probes = { cancel, errors, addresses, relay: relayProbe };
