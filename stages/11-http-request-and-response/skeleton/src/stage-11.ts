// stage-11 [port] [--root directory]: serves the files of the directory by HTTP/1.1, one request per connection.

import { formatAddress, INADDR_ANY, SystemCallError } from "expserver-course/linux";
import { fail, readCommandLine } from "./command-line.ts";
import { Core } from "./core/core.ts";
import { FileRoot } from "./disk/file.ts";
import { StaticFiles } from "./modules/static-files.ts";
import { TcpServer } from "./network/tcp.ts";
import { SingleRequest } from "./single-request.ts";

const usage = "stage-11 [port] [--root directory]";
const { ports, options } = readCommandLine(usage, [8001], { root: "public" });
const core = new Core();

try {
  const root = core.own(new FileRoot(options.root!));
  const files = core.own(new StaticFiles(root, () => core.loop.now));
  const address = { host: INADDR_ANY, port: ports[0]! };
  core.own(
    TcpServer.listen(core.loop, address, (connection) => void new SingleRequest(connection, files.handle)),
  );
  process.stdout.write(`listening on ${formatAddress(address)}\n`);
} catch (error) {
  if (!(error instanceof SystemCallError)) throw error;
  fail(1, `stage-11: ${error.message}`);
}
await core.run();
