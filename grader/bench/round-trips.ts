/**
 * Round trips per second: short lines that the server reverses, each connection sending its next one when
 * it has the reply. So at any moment as many lines are under way as there are connections, and the figure is
 * what one thread makes of many small events: epoll_wait, recv, send, and what lies between them.
 *
 * The load generator is a C program that compares every reply. One in JavaScript would measure itself.
 */
import { type Comparisons, compare, comparisonTable, type Running, type Scenario } from "./contender.ts";
import { cName, lineContenders, nodeName } from "./line-servers.ts";
import { countConnections, loadForARound } from "./load.ts";
import type { Options, Section } from "./section.ts";
import type { Workbench } from "./workbench.ts";

const connectionCounts = [1, 64, 1000];

/**
 * Round trips on a number of connections, over a time.
 * @param upstream what a proxy relays to, whose work counts as the load's
 */
export function roundTrips(
  bench: Workbench,
  connections: number,
  options: Options,
  upstream?: Running,
): Scenario {
  const way = upstream === undefined ? "" : " through a proxy";
  return {
    name: `Round trips of 32 bytes${way}, ${countConnections(connections)}`,
    unit: "round trips",
    measure: (server) => loadForARound(bench, "line-client", connections, server, options, upstream),
  };
}

/** The tables of comparisons, against `node:net` and a second baseline. */
export function sectionOf(
  part: string,
  { comparisons, skipped, failures }: Comparisons,
  other: string,
): Section {
  return {
    part,
    tables: comparisons
      .map((each) => comparisonTable(each, [nodeName, other]))
      .filter(({ rows }) => rows.length > 0),
    notes: skipped,
    failures,
    record: { comparisons },
  };
}

/** The part `round-trips`. */
export async function measureRoundTrips(bench: Workbench, options: Options): Promise<Section> {
  bench.compile("line-client"); // without a compiler there is nothing to begin
  const scenarios = connectionCounts.map((connections) => roundTrips(bench, connections, options));
  const compared = await compare(scenarios, lineContenders(bench), options.rounds, options.progress);
  return sectionOf("round-trips", compared, cName);
}
