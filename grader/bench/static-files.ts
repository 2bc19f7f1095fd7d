/**
 * What serving files costs: a small one and one of 100 KiB, on 64 connections that persist. Beside the finished server
 * stand nginx with an open-file cache, the best static file server on Node, and `node:http` with an answer that lies ready,
 * which is the least that anything on `node:http` can cost.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Contender, compare, comparisonTable, type Scenario } from "./contender.ts";
import { countConnections, loadForARound } from "./load.ts";
import { nginxContender, nginxHttpDefaults, nginxName } from "./nginx.ts";
import type { Options, Section } from "./section.ts";
import type { Workbench } from "./workbench.ts";

/** The latest stage whose reference is measured. */
const stage = 13;
const httpName = "node:http, canned";
const connections = 64;
const files = { "1k.bin": 1024, "100k.bin": 100 * 1024 };

/** The folder that all serve. */
function makeFolder(bench: Workbench): string {
  const folder = join(bench.folder, "public");
  mkdirSync(folder);
  for (const [name, size] of Object.entries(files)) {
    writeFileSync(join(folder, name), Buffer.from(Array.from({ length: size }, (_, i) => (i * 7919) >> 3)));
  }
  return folder;
}

function contenders(bench: Workbench, folder: string): Contender[] {
  const inNode = (name: string, program: string): Contender => ({
    name,
    async start() {
      const port = await bench.port();
      return bench.start([...bench.nodeProgram(program), String(port), folder], port);
    },
  });
  return [
    {
      name: `stage ${stage}`,
      async start() {
        const command = await bench.reference(stage);
        const port = await bench.port();
        const config = join(bench.folder, "static-files.json");
        const routes = [{ req_path: "/", type: "file_serve", dir_path: folder }];
        const servers = [{ listeners: [{ host: "127.0.0.1", port }], routes }];
        writeFileSync(config, JSON.stringify({ servers }));
        return bench.start([...command, config], port);
      },
    },
    nginxContender(bench, (port) => ({
      block: `http { ${nginxHttpDefaults()} sendfile on; tcp_nopush on;
  open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s; server { listen 127.0.0.1:${port} backlog=4096; root ${folder}; } }`,
    })),
    inNode("sirv", "sirv-server"),
    inNode(httpName, "canned-server"),
  ];
}

/** The part `static-files`. */
export async function measureStaticFiles(bench: Workbench, options: Options): Promise<Section> {
  bench.compile("http-client"); // without a compiler there is nothing to begin
  const scenarios = Object.keys(files).map(
    (name): Scenario => ({
      name: `GET of ${name}, ${countConnections(connections)}`,
      unit: "requests",
      measure: (server) =>
        loadForARound(bench, "http-client", connections, server, options, undefined, ["-r", `/${name}`]),
    }),
  );
  const { rounds, progress } = options;
  const compared = await compare(scenarios, contenders(bench, makeFolder(bench)), rounds, progress);
  return {
    part: "static-files",
    tables: compared.comparisons
      .map((each) => comparisonTable(each, [nginxName, httpName]))
      .filter(({ rows }) => rows.length > 0),
    notes: compared.skipped,
    failures: compared.failures,
    record: { comparisons: compared.comparisons },
  };
}
