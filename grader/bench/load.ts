import type { Measurement, Running } from "./contender.ts";
import type { Options } from "./section.ts";
import type { Workbench } from "./workbench.ts";

/** The line of JSON that the load generators print (`programs/line-client.c`, `programs/byte-sink.c`). */
export type LoadReport = {
  /** Units of work in the counted time. */
  count: number;
  seconds: number;
  /** Processor time of the server in that time. */
  cpuSeconds: number;
  /** Processor time of the load generator, and of what a proxy relays from or to. */
  loadCpuSeconds: number;
  p50Us?: number;
  p99Us?: number;
};

/** What a load generator's report says in the terms of a comparison. */
function measurementOf(report: LoadReport): Measurement {
  const { count, seconds, cpuSeconds, loadCpuSeconds, p50Us, p99Us } = report;
  return {
    perSecond: count / seconds,
    cpuMicroseconds: (cpuSeconds / count) * 1e6,
    busy: cpuSeconds / seconds,
    loadBusy: loadCpuSeconds / seconds,
    latency: p50Us === undefined || p99Us === undefined ? undefined : { p50: p50Us, p99: p99Us },
  };
}

/**
 * Runs a load generator for the time of one round.
 * @param program its name in `programs/`
 * @param upstream what a proxy relays from or to: its work counts as the load's
 * @param more options of this program alone
 */
export async function loadForARound(
  bench: Workbench,
  program: "line-client" | "byte-sink" | "http-client",
  connections: number,
  server: Running,
  { seconds, warmUpSeconds }: Options,
  upstream?: Running,
  more: string[] = [],
): Promise<Measurement> {
  const args = [...more, "-c", connections, "-w", warmUpSeconds, "-t", seconds, "-p", server.pid];
  if (upstream !== undefined) args.push("-u", upstream.pid);
  const command = [bench.compile(program), ...args.map(String), String(server.port)];
  return measurementOf(JSON.parse(await bench.runToEnd(command, "load")) as LoadReport);
}

/** `1 connection`, `64 connections` */
export function countConnections(connections: number): string {
  return `${connections.toLocaleString("en")} connection${connections === 1 ? "" : "s"}`;
}
