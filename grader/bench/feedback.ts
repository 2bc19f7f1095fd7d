/**
 * How long a learner waits: the help, and the grading of each reference, as whole processes. Each figure
 * stands beside the start of an empty Node program in the same run, as machines differ.
 */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../stages/package-root.ts";
import { allStages } from "../../stages/stage.ts";
import { solutionFiles, writeWorkspace } from "../../stages/tree.ts";
import { Stopped } from "./contender.ts";
import type { Options, Section } from "./section.ts";
import { median } from "./statistics.ts";
import { figure } from "./table.ts";
import type { Workbench } from "./workbench.ts";

const commandLine = join(packageRoot, "dist", "cli", "main.js");
const runs = 5;

/** The median of some runs of a Node program, in milliseconds. */
async function medianMs(bench: Workbench, args: string[]): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await bench.runToEnd([process.execPath, ...args]);
    times.push(performance.now() - start);
  }
  return median(times);
}

/** The part `feedback`. */
export async function measureFeedback(bench: Workbench, { progress }: Options): Promise<Section> {
  const results: { name: string; ms: number }[] = [];
  const failures: string[] = [];
  const measure = async (name: string, args: string[]) => {
    progress(name);
    try {
      results.push({ name, ms: await medianMs(bench, args) });
    } catch (error) {
      if (error instanceof Stopped) throw error;
      failures.push(`${name} failed: ${(error as Error).message}`);
    }
  };
  await measure("an empty Node program", ["-e", "0"]);
  await measure("expserver-course --help", [commandLine, "--help"]);
  const before = results.length;
  for (const stage of allStages()) {
    const folder = mkdtempSync(join(bench.folder, "feedback-"));
    writeWorkspace(solutionFiles(stage), folder);
    await measure(`grade stage-${stage.number}`, [
      commandLine,
      "grade",
      String(stage.number),
      "--target",
      folder,
    ]);
  }
  results.push({ name: "all stages", ms: results.slice(before).reduce((sum, { ms }) => sum + ms, 0) });
  const empty = results[0]!.ms;
  const table = {
    title: `What a learner waits for, medians of ${runs} runs`,
    columns: ["", "ms", "× an empty Node program"],
    rows: results.map(({ name, ms }) => [name, Math.round(ms).toString(), figure(ms / empty)]),
  };
  return { part: "feedback", tables: [table], notes: [], failures, record: { results } };
}
