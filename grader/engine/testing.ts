/** What the engine's own tests share: folders, plans and programs of which nothing may be left. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, vi } from "vitest";
import { packageRoot } from "../../stages/package-root.ts";
import { type CheckOptions, check } from "../checks.ts";
import type { StagePlan } from "../plan.ts";
import { type CheckReport, runCheck } from "../run-check.ts";
import type { CheckContext } from "./context.ts";
import { listProcesses, type ProcessStat } from "./proc.ts";
import { adoptOrphans } from "./program-tree.ts";
import { newSeed } from "./random.ts";

/** This package's compiled code: it is what a grader runs, and what runs in other processes. */
export function compiled(path: string): string {
  const file = join(packageRoot, "dist", path);
  if (!existsSync(file)) throw new Error(`${file} is missing. Build first: npm run build`);
  return file;
}

// Programs and whole gradings take their time where others compute too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folders: string[] = [];

// At the end of the file's tests, as several of them may run at once.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder with a space in its name, which goes when the tests are over. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "expserver engine-")));
  folders.push(folder);
  return folder;
}

/** Files below a folder. */
export function writeFiles(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** A plan for a program in a language other than TypeScript. */
export function planFor(command: string, more: Partial<StagePlan> = {}): StagePlan {
  return {
    slug: "01-tcp-server",
    target: temporaryFolder(),
    programName: "tcp-server",
    program: { ok: true, language: "other", command: [command], ports: "argument", forbiddenImports: [] },
    ownPorts: [8080],
    seed: "seed",
    factor: 1,
    mark: newSeed(),
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    checks: [],
    bail: false,
    thorough: false,
    scratch: temporaryFolder(),
    transcripts: temporaryFolder(),
    ...more,
  };
}

/** The plan's program is this script; `arguments.length` and the rest as in a CommonJS module. */
export function nodePlan(script: string, more: Partial<StagePlan> = {}): StagePlan {
  const plan = planFor(`'${process.execPath}' program.cjs {args}`, more);
  writeFiles(plan.target, { "program.cjs": script });
  return plan;
}

/** The plan's program is this shell script. */
export function shellPlan(script: string, more: Partial<StagePlan> = {}): StagePlan {
  const plan = planFor("sh program.sh {args}", more);
  writeFiles(plan.target, { "program.sh": script });
  return plan;
}

/** Processes, zombies included, that a text in their environment gives away as started with a mark. */
export function processesWithMark(mark: string): ProcessStat[] {
  return listProcesses().filter(({ pid }) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`EXPSERVER_GRADING=${mark}`);
    } catch {
      return false; // gone meanwhile
    }
  });
}

function ownChildren(): ProcessStat[] {
  return listProcesses().filter(({ parent }) => parent === process.pid);
}

/**
 * Runs a probe as a stage's check is run, and makes sure that it leaves no process: none with its mark,
 * and no child that this process did not have before, orphans that it adopted and zombies included.
 */
export async function probe(
  plan: StagePlan,
  run: (context: CheckContext) => Promise<void>,
  options: Partial<CheckOptions> & { signal?: AbortSignal } = {},
): Promise<CheckReport> {
  adoptOrphans();
  const { signal = new AbortController().signal, ...rest } = options;
  const before = new Set(ownChildren().map(({ pid }) => pid));
  const made = check("probe", { title: "a probe", points: 1, why: "", ...rest }, run);
  const report = await runCheck(made, plan, [], false, signal);
  expect(processesWithMark(plan.mark)).toEqual([]);
  const left = ownChildren().filter(({ pid }) => !before.has(pid));
  expect(left.map(({ pid, name, state }) => `${name} (process ${pid}, ${state})`)).toEqual([]);
  return report;
}

/** A probe that has to pass, and is reported with what went wrong when it does not. */
export async function passedProbe(...args: Parameters<typeof probe>): Promise<CheckReport> {
  const report = await probe(...args);
  const { outcome, reason, evidence } = report;
  if (outcome !== "pass") throw new Error(`${outcome}: ${reason ?? JSON.stringify(evidence, undefined, 2)}`);
  return report;
}

/**
 * The probe's failure.
 * @throws Error when it had another outcome
 */
export async function failedProbe(
  ...args: Parameters<typeof probe>
): Promise<NonNullable<CheckReport["evidence"]>> {
  const { outcome, reason, evidence } = await probe(...args);
  if (outcome !== "fail") throw new Error(`the outcome is ${outcome}: ${reason}`);
  return evidence!;
}

/** Names of what is in a folder, or in the folders below. */
export function everythingIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
}
