// stage-09 [ports…] [--upstream host:port] [--root directory]: relays the first port to the upstream, serves the files of the
// directory by HTTP/0.9 on the second, and reverses lines on the others.

import { formatAddress, INADDR_ANY, SystemCallError } from "expserver-course/linux";
import { fail, readCommandLine } from "./command-line.ts";
import { Core } from "./core/core.ts";
import { FileRoot } from "./disk/file.ts";
import { type TcpConnection, TcpServer } from "./network/tcp.ts";
import { upstreamFrom } from "./upstream-address.ts";

const usage = "stage-09 [ports…] [--upstream host:port] [--root directory]";
const defaults = { upstream: "127.0.0.1:3000", root: "public" };
const { ports, options } = readCommandLine(usage, [8001, 8002, 8003, 8004], defaults);
const upstream = upstreamFrom(options.upstream!, usage);
const core = new Core();

try {
  const root = core.own(new FileRoot(options.root!));
  for (const [index, port] of ports.entries()) {
    core.own(TcpServer.listen(core.loop, { host: INADDR_ANY, port }, serviceOf(index, root)));
  }
} catch (error) {
  if (!(error instanceof SystemCallError)) throw error;
  fail(1, `stage-09: ${error.message}`);
}
for (const port of ports) process.stdout.write(`listening on ${formatAddress({ host: INADDR_ANY, port })}\n`);
await core.run();
process.exit(0); // a name that is still being resolved would keep the process for seconds

/** What serves the connections of the port with this index. */
function serviceOf(index: number, root: FileRoot): (connection: TcpConnection) => void {
  // TODO 4: port 0 relays, port 1 serves files from the root, the others reverse lines.
  return todo(`4: what serves port ${index}, with ${upstream.host} and ${root}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
