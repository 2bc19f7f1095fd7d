import { kill, PR_SET_CHILD_SUBREAPER, prctl, WNOHANG, waitpid } from "../../linux/index.ts";
import { planVariable } from "../plan.ts";
import { markName } from "./leftovers.ts";
import { descendantsOf, environmentValue, listProcesses, type ProcessStat, readProcess } from "./proc.ts";

const SIGKILL = 9;

/** `node (process 4242)` */
export function describeProcess({ name, pid }: ProcessStat): string {
  // Since version 24 Node names its main thread, and with it the process.
  return `${/^(node-)?MainThread$/.test(name) ? "node" : name} (process ${pid})`;
}

/** Makes this process the parent of whatever its descendants leave behind, double-forked ones too (`man 2 PR_SET_CHILD_SUBREAPER`). */
export function adoptOrphans(): void {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

function nameOf({ pid, startTicks }: ProcessStat): string {
  return `${pid}@${startTicks}`;
}

/** This process's own children, zombies included. */
function ownChildren(processes: ProcessStat[]): ProcessStat[] {
  return processes.filter(({ parent }) => parent === process.pid);
}

/** Children that were there before any check began: the compiler's helper, for example. */
const notOurs = new Set(ownChildren(listProcesses()).map(nameOf));

/** Children of all checks that Node itself waits for; any other child is an orphan that this process adopted. */
const spawned = new Set<number>();

/** Children that no check has Node wait for: mostly orphans that this process adopted, of whatever check. */
function foreignChildren(processes: ProcessStat[]): ProcessStat[] {
  return ownChildren(processes).filter((child) => !spawned.has(child.pid) && !notOurs.has(nameOf(child)));
}

/**
 * The processes that one check started, and all below them. As this process adopts orphans, one that
 * leaves its session, its group and its parent is found all the same: by its environment, and where it
 * threw that away too, by being nobody else's.
 */
export class ProgramTree {
  readonly #own = new Set<number>();
  readonly #mark: string;

  /** @param mark the value of the mark in the environment of everything that the check starts */
  constructor(mark: string) {
    this.#mark = mark;
  }

  /** Tells that Node started this process and will collect it. */
  noteSpawned(pid: number): void {
    this.#own.add(pid);
    spawned.add(pid);
  }

  /** Tells that Node has collected this process: the kernel may give its number to another one now. */
  noteEnded(pid: number): void {
    this.#own.delete(pid);
    spawned.delete(pid);
  }

  #adopted(processes: ProcessStat[]): ProcessStat[] {
    const here = processes.find(({ pid }) => pid === process.pid)?.session;
    return foreignChildren(processes).filter((child) => {
      const mark = environmentValue(child.pid, markName);
      if (mark !== undefined) return mark === this.#mark;
      // Without a mark it may be a helper of the grader; a program is in a session of its own, and gets none
      // of the engine's variables.
      return child.session !== here && environmentValue(child.pid, planVariable) === undefined;
    });
  }

  /** Everything alive that the check started. */
  alive(): ProcessStat[] {
    const processes = listProcesses();
    return descendantsOf([...this.#own, ...this.#adopted(processes).map(({ pid }) => pid)], processes);
  }

  /**
   * Takes the exit status of adopted children that have ended, so that no zombie stays.
   * @returns whether there is none left; a zombie whose other threads are still ending gives no status yet,
   *   and what it had open is still open
   */
  #collectAdopted(): boolean {
    // A zombie has no environment any more that would tell whose it was.
    const ended = foreignChildren(listProcesses()).filter(({ state }) => state === "Z");
    return ended.map(({ pid }) => waitpid(pid, WNOHANG)).every(({ pid }) => pid !== 0);
  }

  /** Ends what the check has running at this moment; see `killAll` for everything. */
  kill(alive = this.alive()): void {
    // A whole group at a time, so that a chain of short-lived processes is not always one step ahead.
    // Each program began a session of its own, so there is nobody else in its groups.
    const here = readProcess(process.pid)?.session;
    const groups = alive.filter(({ session }) => session !== here).map(({ processGroup }) => processGroup);
    for (const group of new Set(groups)) kill(-group, SIGKILL);
    for (const { pid } of alive) kill(pid, SIGKILL);
  }

  /**
   * Ends everything that the check started, at once. Repeats until nothing is left, because a program
   * may start another while it is being ended.
   * @throws Error naming what is left after 10 s: a process in uninterruptible sleep
   */
  async killAll(): Promise<void> {
    const giveUp = performance.now() + 10_000;
    for (;;) {
      const alive = this.alive();
      if (this.#collectAdopted() && alive.length === 0) return;
      this.kill(alive);
      if (performance.now() > giveUp)
        throw new Error(`Could not end ${alive.map(describeProcess).join(", ")}.`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
