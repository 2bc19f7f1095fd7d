import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findTool } from "../engine/tool.ts";
import { type Contender, Unavailable } from "./contender.ts";
import type { Workbench } from "./workbench.ts";

export const nginxName = "nginx";

/** The parts of a configuration that differ. */
export type NginxConfiguration = {
  /** Lines before all others, such as `load_module`. */
  before?: string;
  /** The block that serves: `http { … }` or `stream { … }`. */
  block: string;
};

/**
 * nginx as a contender: one process, as the others are.
 * @param configure makes the configuration for a port; gets the path of nginx too
 */
export function nginxContender(
  bench: Workbench,
  configure: (port: number, nginx: string) => NginxConfiguration,
): Contender {
  return {
    name: nginxName,
    async start() {
      const nginx = findTool("nginx", `${process.env.PATH}:/usr/sbin:/usr/local/sbin`);
      if (nginx === undefined) throw new Unavailable("it is not installed.");
      const port = await bench.port();
      const { before = "", block } = configure(port, nginx);
      const folder = join(bench.folder, `nginx-${port}`);
      mkdirSync(folder);
      const file = join(folder, "nginx.conf");
      const text = `${before}
daemon off; master_process off; worker_rlimit_nofile 8192;
pid ${folder}/pid; error_log stderr error;
events { worker_connections 4096; }
${block}
`;
      writeFileSync(file, text);
      return bench.start([nginx, "-p", folder, "-e", "stderr", "-c", file], port);
    },
  };
}

/** Lines for an `http` block: no log, connections that persist, and the folders that nginx makes at its start. */
export function nginxHttpDefaults(): string {
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${name};`,
  );
  return `access_log off; keepalive_requests 1000000000; tcp_nodelay on; ${folders.join(" ")}`;
}
