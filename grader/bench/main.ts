/**
 * `npm run bench [-- [part …] [--rounds n] [--seconds n] [--long] [--json]]`: measures, and prints tables, or
 * with `--json` the record with every round's figures. Without parts it makes all but the profile.
 *
 * A machine's speed wanders, and its figures are its own: read the ratios, and the processor time rather
 * than the rate when something else was running.
 */
import { availableParallelism, cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { measureAllocations } from "./allocations.ts";
import { Unavailable } from "./contender.ts";
import { measureFeedback } from "./feedback.ts";
import { measureParser } from "./parser.ts";
import { measureHttpProxy } from "./proxy-http.ts";
import { measureRelay } from "./relay.ts";
import { measureRoundTrips } from "./round-trips.ts";
import type { Options, Section } from "./section.ts";
import { measureStaticFiles } from "./static-files.ts";
import { measureSystemCalls } from "./system-calls.ts";
import { renderTable } from "./table.ts";
import { profileReferences } from "./where-time-goes.ts";
import { Workbench } from "./workbench.ts";

type Part = {
  /** Whether it is made when no part is named. */
  usual: boolean;
  measure(bench: Workbench, options: Options): Promise<Section>;
};

const parts: Record<string, Part> = {
  "system-calls": { usual: true, measure: measureSystemCalls },
  "round-trips": { usual: true, measure: measureRoundTrips },
  relay: { usual: true, measure: measureRelay },
  "static-files": { usual: true, measure: measureStaticFiles },
  parser: { usual: true, measure: measureParser },
  "proxy-http": { usual: true, measure: measureHttpProxy },
  allocations: { usual: true, measure: measureAllocations },
  profile: { usual: false, measure: profileReferences },
  feedback: { usual: true, measure: measureFeedback },
};

const usage = `usage: npm run bench -- [${Object.keys(parts).join("|")} …] [--rounds n] [--seconds n] [--long] [--json]`;

/** What the command line asks for; ends the program where it says nonsense. */
function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: "string", default: "3" },
        seconds: { type: "string", default: "2" },
        long: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const unknown = positionals.find((name) => !Object.hasOwn(parts, name));
    if (unknown !== undefined) throw new Error(`There is no part "${unknown}".`);
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
    if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error("--rounds takes a whole number above 0.");
    if (!(seconds > 0)) throw new Error("--seconds takes a number above 0.");
    const usual = Object.keys(parts).filter((name) => parts[name]!.usual);
    return { ...values, rounds, seconds, names: positionals.length > 0 ? positionals : usual };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    process.exit(2);
  }
}

/** Tells on a terminal what is being measured, in one line that is written again and again. */
function showProgress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what.slice(0, process.stderr.columns - 1)}`);
}

function render({ tables, text, notes, failures }: Section): string {
  const blocks = [...tables.map(renderTable), ...(text === undefined ? [] : [text.trimEnd()])];
  const sentences = [...notes, ...failures.map((failure) => `FAILED: ${failure}`)];
  return [...blocks, ...(sentences.length > 0 ? [sentences.join("\n")] : [])].join("\n\n");
}

async function measureParts(bench: Workbench): Promise<void> {
  const options: Options = { rounds, seconds, warmUpSeconds: 0.3, long, progress: showProgress };
  const machine = {
    processor: cpus()[0]?.model.trim() ?? "unknown processor",
    processors: availableParallelism(),
    kernel: release(),
    node: process.version,
    placement: bench.cores.note,
  };
  if (!json) {
    const { processor, processors, kernel, node, placement } = machine;
    console.log(`${processors} × ${processor}, Linux ${kernel}, Node ${node}. ${placement}`);
    console.log(
      `Medians of ${rounds} rounds of ${seconds} s each, ratios taken round by round (±: the farthest round).`,
    );
  }
  const sections: Section[] = [];
  for (const name of names) {
    try {
      sections.push(await parts[name]!.measure(bench, options));
    } catch (error) {
      if (stopped) throw error;
      const sentences = [`The part ${name} is left out: ${(error as Error).message}`];
      const outcome = error instanceof Unavailable ? "notes" : "failures";
      sections.push({ part: name, tables: [], notes: [], failures: [], record: {}, [outcome]: sentences });
    }
    showProgress("");
    if (!json) console.log(`\n${render(sections.at(-1)!)}`);
  }
  if (sections.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
  if (!json) return;
  const results = sections.map(({ part, notes, failures, record }) => ({ part, notes, failures, ...record }));
  const record = {
    format: "expserver-course/bench",
    version: 1,
    startedAt,
    machine,
    rounds,
    seconds,
    results,
  };
  console.log(JSON.stringify(record, null, 2));
}

const startedAt = new Date().toISOString();
const { names, rounds, seconds, long, json } = readArguments();
const bench = new Workbench();
let stopped = false;
for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  process.on(signal, () => {
    stopped = true;
    process.exitCode = status;
    bench.interrupt();
  });
}
try {
  await measureParts(bench);
} catch (error) {
  if (!stopped) throw error; // else it only says that what was waited for has been ended
} finally {
  await bench.close();
}
