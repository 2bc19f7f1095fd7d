import type { Module } from "./config/module.ts";
import { persistence } from "./http/persistence.ts";
import { pooledConnections } from "./http/upstream-pool.ts";
import { bodySize } from "./modules/body-size.ts";
import { conditionals } from "./modules/conditionals.ts";
import { expectations } from "./modules/expect.ts";
import { fileServe } from "./modules/file-serve.ts";
import { forwarding } from "./modules/forwarding.ts";
import { methods } from "./modules/methods.ts";
import { ranges } from "./modules/ranges.ts";
import { redirect } from "./modules/redirect.ts";
import { reverseProxy } from "./modules/reverse-proxy.ts";
import { upgrade } from "./modules/upgrade.ts";

/**
 * The features of the server, in the order in which they look at a request and its response: whether the connection goes
 * on is decided before anybody can answer, and conditions before ranges (RFC 9110 §13.2.2).
 */
export const modules: readonly Module[] = [
  persistence(),
  bodySize(),
  expectations(),
  methods(),
  fileServe(),
  redirect(),
  reverseProxy({ connections: pooledConnections(), features: [forwarding(), upgrade()] }),
  conditionals(),
  ranges(),
];
