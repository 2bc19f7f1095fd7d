/**
 * How fast heads of requests are parsed: the finished server's parser beside the two llhttp that run in Node. Each round
 * gives every parser a process of its own, one after the other; what each has to deliver is said in
 * `programs/request-parsers.ts`.
 */
import { requestParsers } from "./programs/request-parsers.ts";
import type { Options, Section } from "./section.ts";
import { median, ratioByRound } from "./statistics.ts";
import { figure, type Table, writeRatio } from "./table.ts";
import type { Workbench } from "./workbench.ts";

const kinds = ["curl", "browser"];
const baselines = ["llhttp in node:http", "llhttp in WebAssembly"];

type Round = {
  perSecond: number;
  /** User and system time of all threads for one request, the collector's included. */
  cpuMicroseconds: number;
  /** Length of a head. */
  bytes: number;
};
type Comparison = { kind: string; results: { parser: string; rounds: Round[] }[] };

async function compareParsers(
  bench: Workbench,
  kind: string,
  { rounds, seconds, progress }: Options,
): Promise<Comparison> {
  const results = Object.keys(requestParsers).map((parser) => ({ parser, rounds: [] as Round[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const result of results) {
      progress(`heads as from ${kind}, round ${round} of ${rounds}, ${result.parser}`);
      const program = [...bench.nodeProgram("parse-requests"), result.parser, kind, String(seconds)];
      result.rounds.push(JSON.parse(await bench.runToEnd(program, "server")) as Round);
    }
  }
  return { kind, results };
}

/** The ratios are of processor time: one thread does nothing else, and a busy machine takes time away but no cycles. */
function parserTable({ kind, results }: Comparison): Table {
  const cpuTimes = (rounds: Round[]) => rounds.map(({ cpuMicroseconds }) => cpuMicroseconds);
  const bases = baselines.map((name) => results.find(({ parser }) => parser === name)!);
  return {
    title: `Request heads parsed, ${Math.round(results[0]!.rounds[0]!.bytes)} bytes each, as from ${kind}`,
    columns: ["", "requests/s", "CPU µs each", ...baselines.map((name) => `× ${name}`)],
    rows: results.map(({ parser, rounds }) => [
      parser,
      figure(median(rounds.map(({ perSecond }) => perSecond))),
      figure(median(cpuTimes(rounds))),
      ...bases.map((base) =>
        base.parser === parser ? "1" : writeRatio(ratioByRound(cpuTimes(rounds), cpuTimes(base.rounds))),
      ),
    ]),
  };
}

/** The part `parser`. */
export async function measureParser(bench: Workbench, options: Options): Promise<Section> {
  const comparisons: Comparison[] = [];
  for (const kind of kinds) comparisons.push(await compareParsers(bench, kind, options));
  const tables = comparisons.map(parserTable);
  return { part: "parser", tables, notes: [], failures: [], record: { comparisons } };
}
