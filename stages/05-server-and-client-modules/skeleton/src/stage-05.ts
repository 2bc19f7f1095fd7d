// stage-05 [ports…]: listens on 8001 to 8004, or on the ports named, and answers each line with the line reversed.

import { formatAddress, INADDR_ANY, SystemCallError } from "expserver-course/linux";
import { fail, readCommandLine } from "./command-line.ts";
import type { Client } from "./network/client.ts";
import { NaivePoller } from "./network/naive-poller.ts";
import { Server } from "./network/server.ts";

const { ports } = readCommandLine("stage-05 [ports…]", [8001, 8002, 8003, 8004]);
const poller = new NaivePoller();

try {
  const servers = ports.map((port) => new Server(poller, { host: INADDR_ANY, port }, reverseLines));
  for (const { address } of servers) process.stdout.write(`listening on ${formatAddress(address)}\n`);
} catch (error) {
  if (!(error instanceof SystemCallError)) throw error;
  fail(1, `stage-05: ${error.message}`);
}
poller.run();

/** Serves one client: its lines go back reversed, and its end is answered by ours. */
function reverseLines(client: Client): void {
  // TODO 5: a LineReverser for this client, which sends through it. Its bytes go in; its end ends the lines, and then us.
  todo(`5: serve descriptor ${client.fd}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
