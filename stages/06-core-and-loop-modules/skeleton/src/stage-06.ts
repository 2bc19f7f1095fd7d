// stage-06 [ports…]: what stage-05 does, on the loop: listens on 8001 to 8004, or on the ports named, and answers each
// line with the line reversed, until SIGINT or SIGTERM.

import { formatAddress, INADDR_ANY, SystemCallError } from "expserver-course/linux";
import { fail, readCommandLine } from "./command-line.ts";
import { Core } from "./core/core.ts";
import type { Client } from "./network/client.ts";
import { Server } from "./network/server.ts";

const { ports } = readCommandLine("stage-06 [ports…]", [8001, 8002, 8003, 8004]);
const core = new Core();

try {
  // TODO 4: the core owns the servers.
  const servers = ports.map((port) => new Server(core.loop, { host: INADDR_ANY, port }, reverseLines));
  for (const { address } of servers) process.stdout.write(`listening on ${formatAddress(address)}\n`);
} catch (error) {
  if (!(error instanceof SystemCallError)) throw error;
  fail(1, `stage-06: ${error.message}`);
}
// TODO 4: here the core runs.

/** Serves one client: its lines go back reversed, and its end is answered by ours. */
function reverseLines(client: Client): void {
  // TODO 4: as in stage-05.
  todo(`4: serve descriptor ${client.fd}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
