/**
 * How things are compared here. All contenders run at the same time, and take turns at being loaded: A B C,
 * A B C, …; the others wait for events meanwhile and cost nothing. So a machine that gets slower does so for
 * all, and a figure is divided by its neighbour's of the same round.
 */
import { median, ratioByRound } from "./statistics.ts";
import { figure, type Table, writeRatio } from "./table.ts";

/** Something that is measured beside others. */
export type Contender = {
  /** As the tables call it: `node:net`. */
  name: string;
  /** Starts it. @throws Unavailable where this machine does not have it. */
  start(): Promise<Running>;
};

/** A server that has been started. */
export type Running = {
  /** Where it listens, on 127.0.0.1. */
  port: number;
  /** Its process, which has all its threads. */
  pid: number;
  /** How it ended, with its last words, or `undefined` while it runs. */
  death(): string | undefined;
  stop(): Promise<void>;
};

/** A contender, or all of a part, cannot be measured on this machine. The message is a sentence with the reason. */
export class Unavailable extends Error {}

/** The benchmark was told to stop, and whoever waits for something gets this. */
export class Stopped extends Error {}

/** What one round shows of one contender. */
export type Measurement = {
  /** Units of work in a second: round trips, MiB. */
  perSecond: number;
  /** Processor time of the server for one unit, user and kernel, in microseconds. */
  cpuMicroseconds: number;
  /** The share of the time in which the server had work, 0 to 1: near 1, its rate is its own limit. */
  busy: number;
  /** The same of all that shares the load generator's processor: near 1, it was the limit. */
  loadBusy: number;
  /** From the send of a line to the whole reply, in microseconds. */
  latency?: { p50: number; p99: number };
};

/** One kind of load. */
export type Scenario = {
  name: string;
  /** What is counted: `round trips`, `MiB`. */
  unit: string;
  measure(server: Running): Promise<Measurement>;
};

/** What all rounds of a scenario showed, contender by contender. */
export type Comparison = {
  scenario: string;
  unit: string;
  results: { contender: string; rounds: Measurement[] }[];
};

export type Comparisons = {
  comparisons: Comparison[];
  /** What is not there, a sentence each. */
  skipped: string[];
  /** What went wrong while measuring, a sentence each. */
  failures: string[];
};

/** Starts what can be started. */
async function startAll(
  contenders: Contender[],
): Promise<{ started: Map<string, Running>; skipped: string[] }> {
  const started = new Map<string, Running>();
  const skipped: string[] = [];
  for (const { name, start } of contenders) {
    try {
      started.set(name, await start());
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      skipped.push(`${name} is left out: ${error.message}`);
    }
  }
  return { started, skipped };
}

/**
 * Measures contenders under each kind of load, in turns. Each has a round before that is not counted, for
 * its compiler and its memory. One that fails is left out from then on.
 * @param rounds how often each is measured under each load
 * @param progress is told what is measured next
 */
export async function compare(
  scenarios: Scenario[],
  contenders: Contender[],
  rounds: number,
  progress: (what: string) => void,
): Promise<Comparisons> {
  const { started, skipped } = await startAll(contenders);
  const failures: string[] = [];
  const comparisons: Comparison[] = [];
  try {
    for (const { name: scenario, unit, measure } of scenarios) {
      const results = new Map([...started.keys()].map((name) => [name, [] as Measurement[]]));
      for (let round = 0; round <= rounds; round++) {
        for (const [name, server] of [...started]) {
          progress(`${scenario}, ${round === 0 ? "warm-up" : `round ${round} of ${rounds}`}, ${name}`);
          try {
            const measurement = await measure(server);
            if (round > 0) results.get(name)!.push(measurement);
          } catch (error) {
            if (error instanceof Stopped) throw error;
            const why = [(error as Error).message, server.death()].filter(Boolean).join("; ");
            failures.push(`${name} failed under the load "${scenario}": ${why}.`);
            started.delete(name);
            await server.stop();
          }
        }
      }
      const measured = [...results].map(([contender, rounds]) => ({ contender, rounds }));
      comparisons.push({ scenario, unit, results: measured });
    }
  } finally {
    for (const server of started.values()) await server.stop();
  }
  return { comparisons, skipped, failures };
}

/**
 * A comparison as a table: medians, and beside rate and processor time how many times a baseline's they
 * are, and how far the rounds lie apart.
 * @param baselines names of contenders
 */
export function comparisonTable({ scenario, unit, results }: Comparison, baselines: string[]): Table {
  const present = results.filter(({ rounds }) => rounds.length > 0);
  const bases = present.filter(({ contender }) => baselines.includes(contender));
  const withLatency = present.some(({ rounds }) => rounds[0]!.latency !== undefined);
  const against = bases.map(({ contender }) => `× ${contender}`);
  const columns = [
    "",
    `${unit}/s`,
    ...against,
    "CPU µs each",
    ...against,
    ...(withLatency ? ["p50 µs", "p99 µs"] : []),
    "server busy",
    "load busy",
  ];
  const rows = present.map(({ contender, rounds }) => {
    const all = (pick: (each: Measurement) => number | undefined) =>
      figure(median(rounds.map((each) => pick(each) ?? Number.NaN)));
    const ratios = (pick: (each: Measurement) => number) =>
      bases.map((base) =>
        base.contender === contender
          ? "1"
          : writeRatio(ratioByRound(rounds.map(pick), base.rounds.map(pick))),
      );
    const share = (pick: (each: Measurement) => number) => `${Math.round(median(rounds.map(pick)) * 100)} %`;
    return [
      contender,
      all(({ perSecond }) => perSecond),
      ...ratios(({ perSecond }) => perSecond),
      all(({ cpuMicroseconds }) => cpuMicroseconds),
      ...ratios(({ cpuMicroseconds }) => cpuMicroseconds),
      ...(withLatency ? [all(({ latency }) => latency?.p50), all(({ latency }) => latency?.p99)] : []),
      share(({ busy }) => busy),
      share(({ loadBusy }) => loadBusy),
    ];
  });
  return { title: scenario, columns, rows };
}
