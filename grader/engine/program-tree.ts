import { kill, PR_SET_CHILD_SUBREAPER, prctl, WNOHANG, waitpid } from "../../linux/index.ts";
import { descendantsOf, listProcesses, type ProcessStat, readProcess } from "./proc.ts";

const SIGKILL = 9;

/** `node (process 4242)` */
export function describeProcess({ name, pid }: ProcessStat): string {
  return `${name} (process ${pid})`;
}

/** Makes this process the parent of whatever its descendants leave behind, double-forked ones too (`man 2 PR_SET_CHILD_SUBREAPER`). */
export function adoptOrphans(): void {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/** Pids of this process's own children, zombies included. */
function ownChildren(): ProcessStat[] {
  return listProcesses().filter(({ parent }) => parent === process.pid);
}

/**
 * The processes that learners' programs started since a moment: every child that this process did not
 * have then, and all below. As this process adopts orphans, a child that leaves its session, its group
 * and its environment behind is found all the same.
 */
export class ProgramTree {
  readonly #before = new Set(ownChildren().map(({ pid, startTicks }) => `${pid}@${startTicks}`));
  /** Children that Node itself waits for; the others are zombies until we do. */
  readonly #spawned = new Set<number>();

  /** Tells that Node started this process and will collect it. */
  noteSpawned(pid: number): void {
    this.#spawned.add(pid);
  }

  #roots(): ProcessStat[] {
    return ownChildren().filter(({ pid, startTicks }) => !this.#before.has(`${pid}@${startTicks}`));
  }

  /** Everything alive that was started since. */
  alive(): ProcessStat[] {
    return descendantsOf(this.#roots().map(({ pid }) => pid));
  }

  /** Takes over the exit status of adopted children that have ended, so that no zombie stays. */
  #collectAdopted(): void {
    for (const { pid, state } of this.#roots()) {
      if (state === "Z" && !this.#spawned.has(pid)) waitpid(pid, WNOHANG);
    }
  }

  /**
   * Ends everything that was started since, at once. Repeats until nothing is left, because a program
   * may start another while it is being ended.
   * @throws Error naming what is left after 10 s: a process in uninterruptible sleep
   */
  async killAll(): Promise<void> {
    const giveUp = performance.now() + 10_000;
    for (;;) {
      const alive = this.alive();
      this.#collectAdopted();
      if (alive.length === 0) return;
      for (const { pid } of alive) kill(pid, SIGKILL);
      if (performance.now() > giveUp) throw new Error(`Could not end ${alive.map(describeProcess).join(", ")}.`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

/** Ends the processes of a list that are still the ones that were listed: pid and start time agree. */
export function killListed(processes: { pid: number; startTicks: number }[]): void {
  for (const { pid, startTicks } of processes) {
    if (readProcess(pid)?.startTicks === startTicks) kill(pid, SIGKILL);
  }
}
