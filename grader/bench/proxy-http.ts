/**
 * What proxying HTTP costs: answers of 1 KiB and of 100 KiB from an upstream whose connections are kept, for 64 clients
 * that keep theirs. Beside the finished server stand nginx and a proxy on `node:http`. All add the same fields about the client,
 * as far as they can.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Contender, compare, comparisonTable, type Running, type Scenario } from "./contender.ts";
import { countConnections, loadForARound } from "./load.ts";
import { nginxContender, nginxHttpDefaults, nginxName } from "./nginx.ts";
import type { Options, Section } from "./section.ts";
import type { Workbench } from "./workbench.ts";

/** The latest stage whose reference is measured. */
const stage = 13;
const nodeName = "node:http";
const connections = 64;
const sizes = { "1 KiB": 1024, "100 KiB": 100 * 1024 };

function contenders(bench: Workbench, upstream: Running): Contender[] {
  return [
    {
      name: `stage ${stage}`,
      async start() {
        const command = await bench.reference(stage);
        const port = await bench.port();
        const config = join(bench.folder, `proxy-http-${port}.json`);
        const routes = [{ req_path: "/", type: "reverse_proxy", upstreams: [`127.0.0.1:${upstream.port}`] }];
        const servers = [{ listeners: [{ host: "127.0.0.1", port }], routes }];
        writeFileSync(config, JSON.stringify({ servers }));
        return bench.start([...command, config], port);
      },
    },
    nginxContender(bench, (port) => ({
      block: `http { ${nginxHttpDefaults()}
  upstream origin { server 127.0.0.1:${upstream.port}; keepalive 128; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} backlog=4096; location / { proxy_pass http://origin; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host; } } }`,
    })),
    {
      name: nodeName,
      async start() {
        const port = await bench.port();
        const args = [port, upstream.port].map(String);
        return bench.start([...bench.nodeProgram("http-proxy"), ...args], port);
      },
    },
  ];
}

/** The part `proxy-http`. */
export async function measureHttpProxy(bench: Workbench, options: Options): Promise<Section> {
  const { rounds, progress } = options;
  const section: Section = { part: "proxy-http", tables: [], notes: [], failures: [], record: {} };
  const comparisons = [];
  for (const [size, bytes] of Object.entries(sizes)) {
    const upstreamPort = await bench.port();
    const origin = [bench.compile("http-origin"), upstreamPort, bytes].map(String);
    const upstream = await bench.start(origin, upstreamPort, { side: "load" });
    const scenario: Scenario = {
      name: `GET of ${size} through a proxy, ${countConnections(connections)}`,
      unit: "requests",
      measure: (proxy) => loadForARound(bench, "http-client", connections, proxy, options, upstream),
    };
    const compared = await compare([scenario], contenders(bench, upstream), rounds, progress);
    await upstream.stop();
    comparisons.push(...compared.comparisons);
    section.failures.push(...compared.failures);
    for (const note of compared.skipped) if (!section.notes.includes(note)) section.notes.push(note);
  }
  section.tables = comparisons
    .map((each) => comparisonTable(each, [nginxName, nodeName]))
    .filter(({ rows }) => rows.length > 0);
  section.record = { comparisons };
  return section;
}
