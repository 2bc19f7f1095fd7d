// stage-07 [ports…]: what stage-06 does, on the TCP module: answers each line with the line reversed. A client that does
// not read its answers is not read either.

import { formatAddress, INADDR_ANY, SystemCallError } from "expserver-course/linux";
import { fail, readCommandLine } from "./command-line.ts";
import { Core } from "./core/core.ts";

const { ports } = readCommandLine("stage-07 [ports…]", [8001, 8002, 8003, 8004]);
const core = new Core();

try {
  for (const port of ports) {
    // TODO 1a: a TcpServer that listens on INADDR_ANY and this port, with a LineConnection for each
    // connection; core owns it.
    todo(`1a: listen on port ${port}`);
  }
} catch (error) {
  if (!(error instanceof SystemCallError)) throw error;
  fail(1, `stage-07: ${error.message}`);
}
for (const port of ports) process.stdout.write(`listening on ${formatAddress({ host: INADDR_ANY, port })}\n`);
await core.run();

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
