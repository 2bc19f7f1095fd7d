import type { Check } from "../checks.ts";
import { bodies } from "./13-http-specification/bodies.ts";
import { connections } from "./13-http-specification/connections.ts";
import { everybody } from "./13-http-specification/everybody.ts";
import { parts } from "./13-http-specification/parts.ts";
import { proxying } from "./13-http-specification/proxying.ts";
import { smuggling } from "./13-http-specification/smuggling.ts";
import { builds, onlySystemCalls } from "./general/start.ts";

export const checks: Check[] = [
  builds("expserver"),
  ...connections,
  ...bodies,
  ...parts,
  ...smuggling,
  ...proxying,
  ...everybody,
  onlySystemCalls(),
];
