import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { buildProgram, programCommand, runBuildCommand } from "../../grader/build.ts";
import { stopBuilder } from "../../grader/bundle.ts";
import { loadCourse } from "../../grader/course.ts";
import { newSeed } from "../../grader/engine/random.ts";
import { UserError } from "../../grader/user-error.ts";
import type { Stage } from "../../stages/stage.ts";
import type { Session } from "../session.ts";
import { parseProgram } from "../stage-names.ts";
import { openWorkspace } from "../workspace.ts";

/** `run <program> [args…]`: builds a program and runs it in the foreground; the status is the program's. */
export async function run(session: Session, name: string, args: string[]): Promise<number> {
  const workspace = openWorkspace(session);
  const stage = parseProgram(name);
  const folder = bundleFolder(workspace);
  try {
    const command = await build(session, workspace, stage, args, folder);
    return await inForeground(session, stage, command, workspace);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A folder for this run's bundle: below the workspace, so that its packages resolve, if it can be written. */
function bundleFolder(workspace: string): string {
  const runs = join(workspace, ".expserver", "runs");
  try {
    mkdirSync(runs, { recursive: true });
    return mkdtempSync(join(runs, "by-hand-"));
  } catch {
    return mkdtempSync(join(tmpdir(), "expserver-run-"));
  }
}

async function build(
  session: Session,
  workspace: string,
  stage: Stage,
  args: string[],
  folder: string,
): Promise<string[]> {
  const course = loadCourse(workspace);
  const log = course.build === undefined ? undefined : await buildAll(session, workspace, course.build);
  if (log !== undefined) throw new UserError(`The build command of course.json failed:\n${log}`, 1);
  const program = await buildProgram(workspace, stage, course, folder);
  await stopBuilder();
  if (!program.ok) throw new UserError(`${stage.program.name} could not be built:\n${program.log}`, 1);
  return programCommand(program, args);
}

/** Runs the build command; Ctrl-C ends it with all that it has started. */
async function buildAll(session: Session, workspace: string, command: string): Promise<string | undefined> {
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.on("SIGINT", onInterrupt);
  try {
    return await runBuildCommand(workspace, command, session.env, `by-hand-${newSeed()}`, interrupt.signal);
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/**
 * Whether Ctrl-C reaches our children by itself: the terminal sends it to its whole foreground group
 * (fields 5 and 8 of `/proc/self/stat`).
 */
function isInForegroundOfTerminal(): boolean {
  const fields = readFileSync("/proc/self/stat", "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
  return fields[2] === fields[5];
}

function inForeground(session: Session, stage: Stage, command: string[], workspace: string): Promise<number> {
  const child = spawn(command[0]!, command.slice(1), { cwd: workspace, stdio: "inherit", env: session.env });
  const forward = (signal: NodeJS.Signals) => void child.kill(signal);
  const fromKeyboard = (signal: NodeJS.Signals) => {
    if (!isInForegroundOfTerminal()) child.kill(signal);
  };
  const handlers = new Map<NodeJS.Signals, (signal: NodeJS.Signals) => void>([
    ["SIGTERM", forward],
    ["SIGHUP", forward],
    ["SIGUSR1", forward],
    ["SIGUSR2", forward],
    ["SIGINT", fromKeyboard],
    ["SIGQUIT", fromKeyboard],
  ]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      for (const [name, handler] of handlers) process.off(name, handler);
      if (signal === null) return resolve(code ?? 0);
      if (signal !== "SIGINT" && signal !== "SIGTERM")
        session.warn(`${stage.program.name} was ended by ${signal}.`);
      resolve(128 + constants.signals[signal]);
    });
  });
}
