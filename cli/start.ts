import { constants } from "node:os";
import { UserError } from "../grader/user-error.ts";
import { type Machine, platformProblem, thisMachine } from "./platform.ts";

/**
 * Runs one command line and gives its exit status: the only place where errors end.
 * @param args the words after the program's name
 */
export async function start(args: string[], machine: Machine = thisMachine): Promise<number> {
  endQuietlyWhenOutputCloses();
  const problem = platformProblem(machine);
  if (problem !== undefined && !asksOnlyForText(args)) {
    process.stderr.write(`${problem}\n`);
    return 2;
  }
  try {
    // Loaded only now: on the wrong system even the import could fail.
    const { runProgram } = await import("./program.ts");
    return await runProgram(args);
  } catch (error) {
    process.stderr.write(`${explainError(error)}\n`);
    return error instanceof UserError ? error.exitStatus : 2;
  }
}

const textRequests = new Set(["--help", "-h", "help", "--version", "-V"]);

/** Help and version need no Linux. */
function asksOnlyForText(args: string[]): boolean {
  return args.length === 0 || textRequests.has(args[0]!) || args.includes("--help") || args.includes("-h");
}

/** `expserver-course list | head` closes our output early: that is no fault and no reason for words. */
function endQuietlyWhenOutputCloses(): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.listenerCount("error") > 0) continue;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(128 + constants.signals.SIGPIPE); // what a shell reports of other programs, too
    });
  }
}

/** What the person at the keyboard reads about an error; a stack trace only when the fault is ours. */
export function explainError(error: unknown): string {
  if (error instanceof UserError) return error.message;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const reason = systemReasons[code ?? ""];
  if (reason !== undefined && path !== undefined) {
    return `${path}: ${reason} (${code}, while calling ${syscall}).\nMend that and repeat the command; \`npx expserver-course doctor\` looks at the machine.`;
  }
  return `${ownFault}\n\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

/** Errors of the file system that have nothing to do with this program. */
const systemReasons: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the disk",
  EDQUOT: "the disk quota is used up",
  EMFILE: "too many open files",
  ENOTDIR: "a part of this path is a file, not a folder",
};

const ownFault = `This is a fault of expserver-course itself, not of your program.
Please report it to the people who maintain the course, with the command you typed, the output of
\`npx expserver-course doctor\`, and these lines:`;
