import { writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Reporter, TestCase, Vitest } from "vitest/node";
import type { Check } from "./checks.ts";
import { planVariable, type StagePlan } from "./plan.ts";
import type { CheckReport } from "./run-check.ts";

/**
 * Runs a stage's checks in Vitest and tells their reports in the plan's order. A check without a
 * report (the engine's process died, a check file did not load) gets the outcome `error`: what was
 * expected decides, never the engine's own summary.
 * @param plan what to run
 * @param checks the plan's checks
 * @param folder a temporary folder for the plan and the engine's cache
 * @param signal ends the run early
 */
export async function runStage(
  plan: StagePlan,
  checks: Check[],
  folder: string,
  onReport: (report: CheckReport) => void,
  signal: AbortSignal,
): Promise<void> {
  const reports = new Map<string, CheckReport>();
  const troubles: string[] = [];
  // Checks end in any order, as several run at once; they are told in the plan's.
  let told = 0;
  const tell = () => {
    for (const { id } of checks.slice(told)) {
      const report = reports.get(id);
      if (report === undefined) break;
      told++;
      onReport(report);
    }
  };
  const reporter: Reporter = {
    onTestCaseResult(testCase: TestCase) {
      const report = testCase.meta().report;
      const [error] = testCase.result().errors ?? [];
      if (error !== undefined) troubles.push(error.stack ?? error.message);
      if (report === undefined) return;
      reports.set(report.id, report);
      tell();
    },
    onTestRunEnd(modules, unhandled) {
      for (const error of [...modules.flatMap((module) => module.errors()), ...unhandled]) {
        troubles.push(error.stack ?? error.message);
      }
    },
  };
  const planFile = join(folder, `${plan.slug}.plan.json`);
  writeFileSync(planFile, JSON.stringify(plan));
  const vitest = await createEngine(reporter, planFile, folder);
  const cancel = () => void vitest.cancelCurrentRun("keyboard-input");
  signal.addEventListener("abort", cancel, { once: true });
  try {
    if (!signal.aborted) await vitest.start();
  } catch (error) {
    troubles.push((error as Error).stack ?? String(error));
  } finally {
    signal.removeEventListener("abort", cancel);
    await vitest.close();
  }
  for (const { id } of checks) {
    if (reports.has(id)) continue;
    const reason = signal.aborted
      ? "the grading was interrupted"
      : (troubles[0] ?? "the check left no result");
    reports.set(id, { id, outcome: "error", durationMs: 0, reason });
  }
  tell();
}

/** A stream that forgets what is written to it. */
function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

/** Vitest without anything of the workspace's: no configuration file, no plugins, no cache beside the code. */
async function createEngine(reporter: Reporter, planFile: string, folder: string): Promise<Vitest> {
  const { createVitest } = await import("vitest/node");
  const here = fileURLToPath(new URL(".", import.meta.url));
  const listenersBefore = new Map(
    (["SIGINT", "SIGTERM"] as const).map((name) => [name, new Set(process.listeners(name))]),
  );
  const vitest = await createVitest(
    "test",
    {
      config: false,
      root: here,
      include: [`stage.vitest${extname(import.meta.url)}`],
      exclude: [],
      watch: false,
      pool: "threads",
      maxConcurrency: 1000, // our own lanes decide
      reporters: [reporter],
      env: { [planVariable]: planFile },
      server: { deps: { external: [/./] } },
    },
    { cacheDir: join(folder, "vitest") },
    // Its own words, and the sequences that move a terminal's cursor, are for nobody.
    { stdout: nowhere(), stderr: nowhere() },
  );
  // Vitest ends the process 1 ms after a signal; ours must have time to clear up.
  for (const [name, before] of listenersBefore) {
    for (const added of process.listeners(name)) if (!before.has(added)) process.off(name, added);
  }
  return vitest;
}
