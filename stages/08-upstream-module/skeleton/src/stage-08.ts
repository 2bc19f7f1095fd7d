// stage-08 [ports…] [--upstream host:port]: relays what comes on the first port to the upstream and back; on the other ports
// answers each line with the line reversed.

import { formatAddress, INADDR_ANY, SystemCallError } from "expserver-course/linux";
import { fail, readCommandLine } from "./command-line.ts";
import { Core } from "./core/core.ts";
import { type TcpConnection, TcpServer } from "./network/tcp.ts";
import { upstreamFrom } from "./upstream-address.ts";

const usage = "stage-08 [ports…] [--upstream host:port]";
const { ports, options } = readCommandLine(usage, [8001, 8002, 8003, 8004], { upstream: "127.0.0.1:3000" });
const upstream = upstreamFrom(options.upstream!, usage);
const core = new Core();

/** What serves the connections of the port with this index. */
function serviceOf(index: number): (connection: TcpConnection) => void {
  // TODO 1: the first port's connections go to relayToUpstream, with this loop and this upstream; each connection of the
  // other ports gets a LineConnection, as in stage 7.
  return todo(`1: serve port ${ports[index]}; the upstream is ${formatAddress(upstream)}`);
}

try {
  for (const [index, port] of ports.entries()) {
    core.own(TcpServer.listen(core.loop, { host: INADDR_ANY, port }, serviceOf(index)));
  }
} catch (error) {
  if (!(error instanceof SystemCallError)) throw error;
  fail(1, `stage-08: ${error.message}`);
}
for (const port of ports) process.stdout.write(`listening on ${formatAddress({ host: INADDR_ANY, port })}\n`);
await core.run();
process.exit(0); // a name that is still being resolved would keep the process for seconds

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
