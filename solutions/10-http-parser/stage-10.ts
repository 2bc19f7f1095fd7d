// stage-10 [port]: answers each request head by a JSON text that says how it was understood.

import { formatAddress, INADDR_ANY, SystemCallError } from "expserver-course/linux";
import { fail, readCommandLine } from "./command-line.ts";
import { Core } from "./core/core.ts";
import { HeadConnection } from "./head-connection.ts";
import { TcpServer } from "./network/tcp.ts";

const { ports } = readCommandLine("stage-10 [port]", [8001]);
const core = new Core();

try {
  const address = { host: INADDR_ANY, port: ports[0]! };
  core.own(TcpServer.listen(core.loop, address, (connection) => void new HeadConnection(connection)));
  process.stdout.write(`listening on ${formatAddress(address)}\n`);
} catch (error) {
  if (!(error instanceof SystemCallError)) throw error;
  fail(1, `stage-10: ${error.message}`);
}
await core.run();
