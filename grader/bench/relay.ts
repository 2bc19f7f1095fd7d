/**
 * What a proxy costs: bytes from a fast source to a fast sink, on one connection and on 16, and round trips
 * through it. Source and sink spare themselves what they can (`sendfile`, `MSG_TRUNC`), so that with two
 * processors the proxy is the limit; the columns "busy" say whether it was.
 *
 * With `--long`, 10 GiB go through each proxy, every byte is compared, and the sink stops reading now and
 * then: a proxy that reads ahead without a limit shows in its peak of memory.
 */
import { readFileSync } from "node:fs";
import { type Contender, compare, type Running, type Scenario } from "./contender.ts";
import { countConnections, type LoadReport, loadForARound } from "./load.ts";
import { nginxName } from "./nginx.ts";
import { relays } from "./relays.ts";
import { roundTrips, sectionOf } from "./round-trips.ts";
import type { Options, Section } from "./section.ts";
import { figure, type Table } from "./table.ts";
import type { Workbench } from "./workbench.ts";

const streamCounts = [1, 16];
const lineConnections = 64;
const longMiB = 10 * 1024;

function stream(bench: Workbench, connections: number, options: Options, source: Running): Scenario {
  return {
    name: `Bytes through a proxy, ${countConnections(connections)}`,
    unit: "MiB",
    measure: (proxy) => loadForARound(bench, "byte-sink", connections, proxy, options, source),
  };
}

/** A figure of memory in `/proc/<pid>/status`, in MiB: VmRSS now, VmHWM at its highest. */
function memoryMiB(pid: number, name: "VmRSS" | "VmHWM"): number {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)![1]) / 1024;
}

type LongResult = { contender: string; startMiB: number; peakMiB: number; seconds: number };

/** Sends 10 GiB through one proxy. */
async function relayLong(bench: Workbench, contender: string, proxy: Running): Promise<LongResult> {
  const startMiB = memoryMiB(proxy.pid, "VmRSS");
  const args = ["-n", longMiB, "-p", proxy.pid, proxy.port].map(String);
  const output = await bench.runToEnd([bench.compile("byte-sink"), ...args], "load");
  const { seconds } = JSON.parse(output) as LoadReport;
  return { contender, startMiB, peakMiB: memoryMiB(proxy.pid, "VmHWM"), seconds };
}

async function measureLong(bench: Workbench, proxies: Contender[], options: Options) {
  const results: LongResult[] = [];
  for (const { name, start } of proxies) {
    options.progress(`${longMiB / 1024} GiB through ${name}`);
    const proxy = await start();
    results.push(await relayLong(bench, name, proxy));
    await proxy.stop();
  }
  const table: Table = {
    title: `${longMiB / 1024} GiB through a proxy, 1 connection, every byte compared, the sink pausing`,
    columns: ["", "RSS at the start, MiB", "peak RSS, MiB", "seconds"],
    rows: results.map(({ contender, startMiB, peakMiB, seconds }) => [
      contender,
      ...[startMiB, peakMiB, seconds].map(figure),
    ]),
  };
  return { results, table };
}

/** Starts what the proxies relay to, on the load's side. */
async function startUpstream(bench: Workbench, program: string): Promise<Running> {
  const port = await bench.port();
  return bench.start([bench.compile(program), String(port)], port, { side: "load" });
}

/** The part `relay`. */
export async function measureRelay(bench: Workbench, options: Options): Promise<Section> {
  const source = await startUpstream(bench, "byte-source");
  const reverser = await startUpstream(bench, "line-server");
  const { rounds, progress } = options;
  const streams = streamCounts.map((count) => stream(bench, count, options, source));
  const bytes = await compare(streams, relays(bench, source.port), rounds, progress);
  const lines = roundTrips(bench, lineConnections, options, reverser);
  const small = await compare([lines], relays(bench, reverser.port), rounds, progress);
  const section = sectionOf(
    "relay",
    {
      comparisons: [...bytes.comparisons, ...small.comparisons],
      skipped: bytes.skipped, // the same ones for both
      failures: [...bytes.failures, ...small.failures],
    },
    nginxName,
  );
  if (!options.long) return section;
  const present = new Set(
    bytes.comparisons.flatMap(({ results }) => results.map(({ contender }) => contender)),
  );
  const proxies = relays(bench, source.port).filter(({ name }) => present.has(name));
  const { results, table } = await measureLong(bench, proxies, options);
  return { ...section, tables: [...section.tables, table], record: { ...section.record, long: results } };
}
