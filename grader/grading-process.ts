/** Gradings in processes of their own, for the tests of what a whole grader does and leaves. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect } from "vitest";
import { packageRoot } from "../stages/package-root.ts";
import type { Stage } from "../stages/stage.ts";
import { solutionFiles } from "../stages/tree.ts";
import { Lanes } from "./engine/lanes.ts";
import { Deadline } from "./engine/machine.ts";
import { listProcesses, type ProcessStat, readProcess } from "./engine/proc.ts";
import { compiled, temporaryFolder } from "./engine/testing.ts";
import type { GradeOptions } from "./grade.ts";
import type { CheckResult, GradeRecord } from "./record.ts";

/** Waits until something holds that nothing announces. */
export function until<T>(condition: () => T | undefined | false, ms = 20_000): Promise<T | undefined> {
  return new Deadline(ms, 1, () => 0).until(condition, { pollMs: 5 });
}

/** A workspace with these files; its path has a space and other characters that mean something elsewhere. */
export function workspace(files: Record<string, string | object>): string {
  const folder = join(temporaryFolder(), "my expserver #1 100% 'ü'");
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

/** The reference solution up to a stage, with other files beside or instead of its own. */
export function solution(stage: Stage, files: Record<string, string | object> = {}): string {
  const texts = solutionFiles(stage).map(({ path, source }) => [path, readFileSync(source, "utf8")]);
  const settings = ["package.json", "tsconfig.json"].map((name) => [
    name,
    readFileSync(join(packageRoot, "stages", "workspace", name), "utf8"),
  ]);
  return workspace({ ...Object.fromEntries([...settings, ...texts]), ...files });
}

/** A workspace whose tcp-server and hello are this script for Node. */
export function nodeWorkspace(script: string): string {
  const run = `'${process.execPath}' program.cjs {args}`;
  return workspace({ "program.cjs": script, "course.json": { run: { hello: run, "tcp-server": run } } });
}

/** A workspace whose tcp-server and hello are this script for the shell. */
export function shellWorkspace(script: string): string {
  const run = "sh program.sh {args}";
  return workspace({ "program.sh": script, "course.json": { run: { hello: run, "tcp-server": run } } });
}

/**
 * A copy of this package, with other files in its `dist/grader`: checks that the course does not have, and
 * engines that break.
 * @returns its folder
 */
export function packageWith(files: Record<string, string>): string {
  const root = join(temporaryFolder(), "expserver-course");
  cpSync(dirname(compiled("grader")), join(root, "dist"), { recursive: true });
  for (const name of ["package.json", "stages", "node_modules"]) {
    symlinkSync(join(packageRoot, name), join(root, name));
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, "dist", "grader", name), text);
  return root;
}

/** The file of stage 1's checks, for `packageWith`. */
export function checksFile(definitions: string): Record<string, string> {
  const head = `import { check } from "../checks.js";
    import { assert } from "../engine/evidence.js";
    const words = { title: "a claim", points: 1, why: "because" };`;
  return { "checks/01-tcp-server.js": `${head} export const checks = [${definitions}];` };
}

export type GradingOptions = Omit<Partial<GradeOptions>, "stages" | "target" | "signal"> & {
  /** Names of stages; stage 1 by default. */
  stages?: string[];
  /** A package other than this one. */
  root?: string;
  env?: NodeJS.ProcessEnv;
  /** Its temporary folder; a new one by default. */
  temporary?: string;
  /** What starts it, instead of this process itself. */
  prefix?: string[];
  /** How often it grades. */
  times?: number;
  /** Arguments for Node that run another grader than this file's. */
  command?: string[];
};

/** Stands before each line that a grading process tells this one. */
const news = "\x02";

const script = `
  import { getEventListeners } from "node:events";
  const root = process.argv[1];
  const { grade } = await import(root + "dist/grader/index.js");
  const { findStage } = await import(root + "dist/stages/stage.js");
  const { times, ...options } = JSON.parse(process.argv[2]);
  const abort = new AbortController();
  process.on("SIGINT", () => abort.abort());
  const tell = (what) => process.stdout.write(${JSON.stringify(news)} + JSON.stringify(what) + "\\n");
  const listeners = () => [
    ...process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
    ["abort", getEventListeners(abort.signal, "abort").length],
  ];
  for (let time = 0; time < times; time++) {
    tell({ listeners: listeners() });
    try {
      const record = await grade(
        { ...options, stages: options.stages.map(findStage), signal: abort.signal },
        { onCheck: (stage, check) => tell({ check }) },
      );
      tell({ record });
      tell({ listeners: listeners() });
      process.exitCode = record.exitStatus;
    } catch (error) {
      tell({ error: { name: error.name, message: error.message } });
      process.exitCode = 2;
    }
  }`;

const all: GradingProcess[] = [];

// Only tests that have failed leave something to end.
afterAll(() => {
  for (const grading of all) {
    grading.child.kill("SIGKILL");
    for (const { pid } of grading.processes()) process.kill(pid, "SIGKILL");
  }
});

/** A grader at work. */
export class GradingProcess {
  readonly target: string;
  /** Its temporary folder, of which nobody else knows: what it starts is found by this name. */
  readonly temporary: string;
  readonly checks: CheckResult[] = [];
  readonly records: GradeRecord[] = [];
  error: { name: string; message: string } | undefined;
  /** What it printed besides the news for this process. */
  output = "";
  stderr = "";
  /** How many listeners its process had for each event: before and after each grading. */
  readonly listeners: [event: string, count: number][][] = [];
  readonly child: ChildProcess;

  constructor(target: string, options: GradingOptions = {}) {
    const { root = packageRoot, stages = ["1"], times = 1, env = {}, prefix = [] } = options;
    const { temporary, command, only, seed, bail, thorough } = options;
    this.temporary = temporary ?? temporaryFolder();
    if (root === packageRoot) compiled("grader/index.js");
    this.target = target;
    const [file, ...args] = [
      ...prefix,
      process.execPath,
      ...(command ?? [
        "--input-type=module",
        "-e",
        script,
        `${pathToFileURL(root)}/`,
        JSON.stringify({ target, times, stages, only, seed, bail, thorough }),
      ]),
    ];
    this.child = spawn(file!, args, {
      env: { ...cleanEnvironment(), ...env, TMPDIR: this.temporary },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let unfinished = "";
    this.child.stdout!.on("data", (bytes: Buffer) => {
      const lines = (unfinished + bytes).split("\n");
      unfinished = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith(news)) this.#take(JSON.parse(line.slice(news.length)));
        else this.output += `${line}\n`;
      }
    });
    this.child.stderr!.on("data", (bytes: Buffer) => {
      this.stderr += bytes;
    });
    all.push(this);
  }

  #take(told: Record<string, never>): void {
    if (told.check) this.checks.push(told.check);
    if (told.record) this.records.push(told.record);
    if (told.error) this.error = told.error;
    if (told.listeners) this.listeners.push(told.listeners);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Waits for its end. */
  async ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
    if (!this.child.stdout!.closed) await once(this.child.stdout!, "close");
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }

  /**
   * Everything else alive that it started: what has its temporary folder in its environment or command
   * line, and what stands in the workspace, as a process that threw its environment away still does.
   */
  processes(): ProcessStat[] {
    return listProcesses().filter(({ pid, state }) => {
      if (pid === this.pid || state === "Z") return false;
      const texts = ["environ", "cmdline"].map((name) => readOrNothing(`/proc/${pid}/${name}`));
      return (
        texts.some((text) => text.includes(this.temporary) || text.includes(this.target)) ||
        linkOrNothing(`/proc/${pid}/cwd`).startsWith(this.target)
      );
    });
  }

  /** Those that are the learner's programs. */
  programs(): ProcessStat[] {
    return this.processes().filter(({ pid }) =>
      readOrNothing(`/proc/${pid}/environ`).includes("EXPSERVER_GRADING="),
    );
  }

  /** Waits until a program that it started runs. */
  async programRuns(): Promise<ProcessStat> {
    const program = await until(() => this.programs()[0]);
    if (program === undefined) throw new Error(`no program was started\n${this.stderr}`);
    return program;
  }

  /** What is left now: processes, and files in the temporary folder. */
  leftovers(): string[] {
    return [
      ...this.processes().map(({ pid, name }) => `${name} (process ${pid})`),
      ...readdirSync(this.temporary),
    ];
  }
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function linkOrNothing(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}

/** This process's environment without what Vitest and npm put there. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const vitests = ["NODE_ENV", "TEST", "DEV", "PROD", "MODE", "SSR", "BASE_URL", "FORCE_TTY", "NODE_OPTIONS"];
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(VITEST|npm_|EXPSERVER_)/.test(name) && !vitests.includes(name),
    ),
  );
}

/** More than two graders at once only wait for each other's processors. */
const lanes = new Lanes(2);

/** A grading from beginning to end, of which nothing may be left. */
export async function graded(target: string, options: GradingOptions = {}): Promise<GradeRecord> {
  return lanes.run("lane", () => gradeAlone(target, options));
}

async function gradeAlone(target: string, options: GradingOptions): Promise<GradeRecord> {
  const grading = new GradingProcess(target, options);
  const end = await grading.ended();
  expect(grading.leftovers()).toEqual([]);
  const record = grading.records.at(-1);
  if (record === undefined) throw new Error(grading.error?.message ?? grading.stderr);
  expect(end).toEqual({ code: record.exitStatus, signal: null });
  expect(grading.stderr).toBe("");
  return record;
}

/** The one result of a check in a record. */
export function resultOf({ stages }: GradeRecord, id: string): CheckResult {
  const results = stages.flatMap(({ checks }) => checks).filter((check) => check.id === id);
  expect(results).toHaveLength(1);
  return results[0]!;
}

/** Whether a process of this number is alive. */
export function isAlive(pid: number): boolean {
  const stat = readProcess(pid);
  return stat !== undefined && stat.state !== "Z";
}
