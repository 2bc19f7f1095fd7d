import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { environmentValue, listPids, readProcess } from "./proc.ts";
import { newSeed } from "./random.ts";

/** The environment variable that marks every process of one grading. */
export const markName = "EXPSERVER_GRADING";

/** A grading's mark, and the temporary folder that goes with it. */
export type Run = { mark: string; folder: string };

/** Where pids mean what they mean here: another container that shares the temporary folder has its own. */
const pidNamespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))![0];

/**
 * A run's folder is named after the grader's pid, where and when that began, and the mark. So the one step
 * that makes it also tells every later grader whose it is, and there is no moment in between.
 */
const folderName = new RegExp(`^expserver-course-${pidNamespace}-(\\d+)-(\\d+)-([0-9a-f]+)$`);

/** Makes the temporary folder of a grading of this process. */
export function beginRun(): Run {
  const mark = newSeed();
  const { startTicks } = readProcess(process.pid)!;
  const folder = join(tmpdir(), `expserver-course-${pidNamespace}-${process.pid}-${startTicks}-${mark}`);
  mkdirSync(folder, { mode: 0o700 });
  return { mark, folder };
}

/** The mark of a program: the grading's, and behind it the check's or what else started it. */
export function markOf(grading: string, check: string): string {
  return `${grading}/${check}`;
}

const giveUpAfterMs = 5000;

/** A name that no process has by chance, and behind it whatever part of the grading is meant. */
const markPattern = /^[\w-]{8,}(\/|$)/;

/**
 * Ends every process that was started with a mark, a grading's or that of a part of it, and is seen now.
 * @returns how many there were
 */
function endSeen(mark: string): number {
  // The newest first, and each at once: of a chain of short-lived processes the last one is alive.
  const marked = listPids()
    .reverse()
    .filter((pid) => {
      const value = environmentValue(pid, markName); // a zombie has none
      if (value === undefined || !(value === mark || value.startsWith(`${mark}/`))) return false;
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself meanwhile.
      }
      return true;
    });
  return marked.length;
}

/**
 * Ends every process with a mark, at once. Looks again until none is left, as a program may start
 * another while it is being ended; one that cannot be ended (uninterruptible sleep) is given up after 5 s.
 * @param calmLooks how often in a row none must be seen
 * @returns whether none is left
 * @throws TypeError when the mark is none: without one, every process of the machine would be meant
 */
export function endMarked(mark: string, calmLooks = 1): boolean {
  if (typeof mark !== "string" || !markPattern.test(mark))
    throw new TypeError(`${mark} is not the mark of a grading.`);
  const giveUp = performance.now() + giveUpAfterMs;
  for (let calm = 0; calm < calmLooks; ) {
    calm = endSeen(mark) === 0 ? calm + 1 : 0;
    if (calm === 0 && performance.now() > giveUp) return false;
  }
  return true;
}

/**
 * Ends a grading: every process with its mark, and then its folder. Where a process cannot be ended,
 * the folder stays, so that the next grader tries again.
 * @param calmLooks how often in a row no process must be seen
 * @returns whether nothing is left
 */
export function endRun({ mark, folder }: Run, calmLooks = 1): boolean {
  if (!endMarked(mark, calmLooks)) return false;
  rmSync(folder, { recursive: true, force: true });
  return true;
}

/** The run that a folder is of, when its grader is no longer there. */
function abandonedRun(folder: string): Run | undefined {
  const [, pid, startTicks, mark] = folderName.exec(basename(folder)) ?? [];
  if (mark === undefined) return undefined;
  const grader = readProcess(Number(pid));
  const working = grader !== undefined && grader.state !== "Z" && grader.startTicks === Number(startTicks);
  return working ? undefined : { mark, folder };
}

/**
 * Ends the run of a grader that has died.
 * @returns whether nothing is left; `false` also while the grader is still there
 */
export function removeLeftover(folder: string): boolean {
  const run = abandonedRun(folder);
  // Nobody knows this run's processes but by their marks, and a chain of short-lived ones is easily missed.
  return run !== undefined && endRun(run, 10);
}

/** Ends the runs of this user's graders that died without doing so themselves. */
export function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir()).filter((each) => folderName.test(each))) {
    const folder = join(tmpdir(), name);
    try {
      if (lstatSync(folder).uid === process.getuid!()) removeLeftover(folder);
    } catch {
      // Another grader was faster.
    }
  }
}
