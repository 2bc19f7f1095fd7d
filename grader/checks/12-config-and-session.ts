import type { Check } from "../checks.ts";
import { badConfigurations } from "./12-config-and-session/bad-configurations.ts";
import { proxy } from "./12-config-and-session/proxy.ts";
import { session } from "./12-config-and-session/session.ts";
import { sites } from "./12-config-and-session/sites.ts";
import { starting } from "./12-config-and-session/starting.ts";
import { builds, onlySystemCalls } from "./general/start.ts";

export const checks: Check[] = [
  builds("expserver"),
  ...starting,
  ...session,
  ...sites,
  ...proxy,
  ...badConfigurations,
  onlySystemCalls(),
];
