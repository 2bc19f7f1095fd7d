import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { type GradeRecord, gradeRecord } from "../grader/record.ts";
import { packageRoot } from "../stages/package-root.ts";

/** What a grader process is to do: some checks of a stage on a folder. */
export type Order = { stage: string; folder: string; only: string[] };

/** What it says: a record, or why there is none. */
export type Answer = { record: unknown } | { error: string };

/** An engine that kept something of each grading would slow down; and so no process sees hundreds. */
const gradingsEach = 20;

/** Grader processes that are used again. They grade as the command line does, but look for no type errors. */
class GraderPool {
  readonly #idle: { child: ChildProcess; gradings: number }[] = [];

  /**
   * Grades a folder, in a process that nobody else uses meanwhile.
   * @throws Error when it could not be graded, or the process died of it
   */
  async grade(order: Order): Promise<GradeRecord> {
    const grader = this.#idle.pop() ?? { child: this.#fork(), gradings: 0 };
    const { child } = grader;
    child.ref();
    child.channel!.ref();
    const answer = await ask(child, order);
    // An idle one keeps nobody from ending.
    child.unref();
    child.channel?.unref();
    if (++grader.gradings < gradingsEach && child.connected) this.#idle.push(grader);
    else if (child.connected) child.disconnect();
    if ("error" in answer) throw new Error(answer.error);
    return gradeRecord.parse(answer.record);
  }

  #fork(): ChildProcess {
    return fork(join(packageRoot, "dist", "tests", "grader-process.js"), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
  }
}

/** The answer of a grader, or how it died instead. */
function ask(child: ChildProcess, order: Order): Promise<Answer> {
  return new Promise((resolve) => {
    const onExit = (code: number | null, signal: string | null) =>
      resolve({ error: `the grader ended with ${signal ?? `status ${code}`}` });
    child.once("exit", onExit);
    child.once("message", (answer: Answer) => {
      child.off("exit", onExit);
      resolve(answer);
    });
    child.send(order);
  });
}

export const graderPool = new GraderPool();
