import { writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { BroadcastChannel } from "node:worker_threads";
import type { Reporter, TestCase, Vitest } from "vitest/node";
import type { Check } from "./checks.ts";
import { interruptionChannel, planVariable, type StagePlan } from "./plan.ts";
import { interrupted } from "./record.ts";
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
  /** What went wrong outside of any check, and in the checks that left no report. */
  const troubles: string[] = [];
  const ownTroubles = new Map<string, string>();
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
      if (error !== undefined) ownTroubles.set(testCase.name, error.stack ?? error.message);
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
  const envBefore = { ...process.env };
  const vitest = await createEngine(reporter, planFile, folder);
  const interruption = new Interruption(plan, vitest, signal);
  try {
    if (!signal.aborted) await vitest.start();
  } catch (error) {
    troubles.push((error as Error).stack ?? String(error));
  } finally {
    interruption.end();
    await vitest.close();
    // It sets NODE_ENV, VITEST and others for its own process, from which the next grading takes the programs'.
    for (const name of Object.keys(process.env)) if (!(name in envBefore)) delete process.env[name];
    Object.assign(process.env, envBefore);
  }
  for (const { id } of checks) {
    if (reports.has(id)) continue;
    const reason = signal.aborted
      ? interrupted
      : (ownTroubles.get(id) ?? troubles[0] ?? "the check left no result");
    reports.set(id, { id, outcome: "error", durationMs: 0, reason });
  }
  tell();
}

const interruptedWithinMs = 5000;

/**
 * Passes an interruption on to the checks' thread, in which each check under way then ends what it
 * started. Vitest's own cancelling would wait for all checks that have begun.
 */
class Interruption {
  readonly #vitest: Vitest;
  readonly #signal: AbortSignal;
  readonly #channel: BroadcastChannel;
  #giveUp: NodeJS.Timeout | undefined;

  constructor(plan: StagePlan, vitest: Vitest, signal: AbortSignal) {
    this.#vitest = vitest;
    this.#signal = signal;
    this.#channel = new BroadcastChannel(interruptionChannel(plan));
    // The thread tells that it is there; a word from before that would be lost.
    this.#channel.onmessage = () => signal.aborted && this.#channel.postMessage("interrupted");
    signal.addEventListener("abort", this.#interrupt);
  }

  readonly #interrupt = (): void => {
    this.#channel.postMessage("interrupted");
    this.#giveUp = setTimeout(() => {
      // A thread that never comes back to its event loop. The second call does not wait for it any more.
      for (let call = 0; call < 2; call++) this.#vitest.cancelCurrentRun("keyboard-input").catch(() => {});
    }, interruptedWithinMs);
  };

  /** The run is over. */
  end(): void {
    this.#signal.removeEventListener("abort", this.#interrupt);
    clearTimeout(this.#giveUp);
    this.#channel.close();
  }
}

/** A stream that forgets what is written to it. */
function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

/** Loads the engine's code, which takes a quarter of a second; the second time it is there. */
export async function loadEngine(): Promise<typeof import("vitest/node")> {
  return import("vitest/node");
}

/** Vitest without anything of the workspace's: no configuration file, no plugins, no cache beside the code. */
async function createEngine(reporter: Reporter, planFile: string, folder: string): Promise<Vitest> {
  const { createVitest } = await loadEngine();
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
