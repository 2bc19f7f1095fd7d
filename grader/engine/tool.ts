import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Deadline } from "./machine.ts";
import type { ProgramTree } from "./program-tree.ts";

/** What a program other than the learner's left behind. */
export type ToolResult = {
  /** `null` when a signal ended it, ours at the deadline for example. */
  code: number | null;
  stdout: Buffer;
  stderr: string;
};

/** The file that a command's name stands for, or `undefined` where it is not installed. */
export function findTool(command: string, path = process.env.PATH ?? ""): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Runs a program to its end.
 * @param options.input what it reads from its standard input
 * @param options.tree whose processes it is counted to, so that it cannot outlive the check
 * @param options.deadline after which it is killed
 * @throws Error when it cannot be started
 */
export async function runTool(
  command: string,
  args: string[],
  options: { input?: Uint8Array; env: NodeJS.ProcessEnv; tree: ProgramTree; deadline: Deadline },
): Promise<ToolResult> {
  const child = spawn(command, args, { env: options.env, stdio: ["pipe", "pipe", "pipe"] });
  if (child.pid !== undefined) options.tree.noteSpawned(child.pid);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes));
  child.stdin.on("error", () => {}); // EPIPE: it need not read its input
  child.stdin.end(options.input);
  let over: { code: number | null } | undefined;
  let problem: Error | undefined;
  let wake = () => {};
  child.once("exit", () => options.tree.noteEnded(child.pid!));
  child.once("close", (code) => {
    over = { code };
    wake();
  });
  child.once("error", (error) => {
    problem = error;
    wake();
  });
  await options.deadline.until(() => over !== undefined || problem !== undefined, {
    wakeUp: (callback) => {
      wake = callback;
      return () => {};
    },
  });
  if (over === undefined) child.kill("SIGKILL");
  if (problem !== undefined) throw problem;
  return {
    code: over?.code ?? null,
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString(),
  };
}
