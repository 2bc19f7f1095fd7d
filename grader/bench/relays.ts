import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Contender, Unavailable } from "./contender.ts";
import { nodeName } from "./line-servers.ts";
import { nginxContender } from "./nginx.ts";
import type { Workbench } from "./workbench.ts";

/** The stage whose reference relays in its final form. */
const stage = 8;

/** Where nginx keeps the modules that it loads at its start, of those that Linux distributions use. */
const moduleFolders = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/etc/nginx/modules"];

/** The line of nginx's configuration that brings the module `stream`. @throws Unavailable without it */
function streamModule(nginx: string): string {
  const { stderr } = spawnSync(nginx, ["-V"], { encoding: "utf8" });
  if (/--with-stream(\s|$)/.test(stderr)) return "";
  const folder = /--modules-path=(\S+)/.exec(stderr)?.[1];
  const file = [...(folder === undefined ? [] : [folder]), ...moduleFolders]
    .map((each) => join(each, "ngx_stream_module.so"))
    .find(existsSync);
  if (file !== undefined) return `load_module ${file};`;
  throw new Unavailable("nginx has no module `stream`; on Debian it is in the package libnginx-mod-stream.");
}

/** nginx as a relay, with the receive buffer of the reference (64 KiB instead of 16), so that it needs no more calls. */
function nginxRelay(port: number, upstreamPort: number): string {
  return `stream {
  server { listen 127.0.0.1:${port} backlog=4096; proxy_pass 127.0.0.1:${upstreamPort}; proxy_buffer_size 64k; }
}`;
}

/** Programs that relay TCP connections to a port: the reference, `node:net` with `pipe`, nginx. */
export function relays(bench: Workbench, upstreamPort: number): Contender[] {
  return [
    {
      name: `stage ${stage}`,
      async start() {
        const port = await bench.port();
        const upstream = ["--upstream", `127.0.0.1:${upstreamPort}`];
        return bench.start([...(await bench.reference(stage)), String(port), ...upstream], port);
      },
    },
    {
      name: nodeName,
      async start() {
        const port = await bench.port();
        return bench.start([...bench.nodeProgram("relay"), String(port), String(upstreamPort)], port);
      },
    },
    nginxContender(bench, (port, nginx) => ({
      before: streamModule(nginx),
      block: nginxRelay(port, upstreamPort),
    })),
  ];
}
