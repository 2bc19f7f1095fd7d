import { kill, PR_SET_CHILD_SUBREAPER, prctl, WNOHANG, waitpid } from "../../linux/index.ts";
import { planVariable } from "../plan.ts";
import { markName } from "./leftovers.ts";
import { environmentValue, familyOf, listProcesses, type ProcessStat } from "./proc.ts";

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

/** What one look at the machine shows of a check. */
type Look = {
  alive: ProcessStat[];
  /** Ended and not collected: Node's own children, and adopted ones, of which a zombie does not tell whose it was. */
  ended: ProcessStat[];
  /** All that is the check's, alive or not: what it takes of the machine's numbers. */
  all: ProcessStat[];
};

/**
 * The processes that one check started, and all below them. As this process adopts orphans, one that
 * leaves its session, its group and its parent is found all the same: by its environment, and where it
 * threw that away too, by being nobody else's.
 */
export class ProgramTree {
  readonly #own = new Set<number>();
  /** Process groups that only this check's processes can be in, as each program began a session of its own. */
  readonly #groups = new Set<number>();
  readonly #mark: string;

  /** @param mark the value of the mark in the environment of everything that the check starts */
  constructor(mark: string) {
    this.#mark = mark;
  }

  /** Tells that Node started this process and will collect it. */
  noteSpawned(pid: number): void {
    this.#own.add(pid);
    this.#groups.add(pid);
    spawned.add(pid);
  }

  /** Tells that Node has collected this process: the kernel may give its number to another one now. */
  noteEnded(pid: number): void {
    this.#own.delete(pid);
    spawned.delete(pid);
  }

  #look(): Look {
    const processes = listProcesses();
    const here = processes.find(({ pid }) => pid === process.pid)?.session;
    const foreign = foreignChildren(processes);
    const adopted = foreign.filter((child) => {
      const mark = environmentValue(child.pid, markName);
      if (mark !== undefined) return mark === this.#mark;
      // Without a mark it may be a helper of the grader; a program is in a session of its own, and gets none
      // of the engine's variables.
      return child.session !== here && environmentValue(child.pid, planVariable) === undefined;
    });
    const family = familyOf([...this.#own, ...adopted.map(({ pid }) => pid)], processes);
    const alive = family.filter(({ state }) => state !== "Z");
    for (const { session, processGroup } of alive) if (session !== here) this.#groups.add(processGroup);
    const orphans = foreign.filter(({ state }) => state === "Z");
    const ended = [...orphans, ...processes.filter(({ pid, state }) => state === "Z" && this.#own.has(pid))];
    const others = new Set(orphans.filter(({ processGroup }) => !this.#groups.has(processGroup)));
    return { alive, ended, all: family.filter((each) => !others.has(each)) };
  }

  /** Everything alive that the check started. */
  alive(): ProcessStat[] {
    return this.#look().alive;
  }

  /**
   * Everything that the check started and that has a number still, so also what has ended and whose parent
   * does not ask how. Adopted ones of these are collected with this, as nobody else would.
   */
  all(): ProcessStat[] {
    const { all, ended } = this.#look();
    this.#collect(ended);
    return all;
  }

  /** Takes the exit status of adopted children. One whose other threads are still ending gives none yet. */
  #collect(ended: ProcessStat[]): void {
    for (const { pid } of ended) if (!spawned.has(pid)) waitpid(pid, WNOHANG);
  }

  /** Ends what the check has running at this moment; see `killAll` for everything. */
  kill({ alive, ended } = this.#look()): void {
    // A whole group in one step, so that what doubles every few milliseconds does not outrun the list. A zombie
    // keeps the number of its group from being given away, and may be all that is seen of a chain of short lives.
    const groups = new Set([...alive, ...ended].map(({ processGroup }) => processGroup));
    for (const group of groups) if (this.#groups.has(group)) kill(-group, SIGKILL);
    for (const { pid } of alive) kill(pid, SIGKILL);
  }

  /**
   * Ends everything that the check started, at once. Repeats until nothing is left, because a program
   * may start another while it is being ended.
   * @throws Error naming what is left after 10 s: a process in uninterruptible sleep, or a chain of processes
   *   each of which begins a session
   */
  async killAll(): Promise<void> {
    const giveUp = performance.now() + 10_000;
    for (;;) {
      const look = this.#look();
      // What ended while the list was read may have started another one behind the reader's back.
      if (look.alive.length === 0 && look.ended.length === 0) return;
      this.kill(look);
      this.#collect(look.ended);
      if (performance.now() > giveUp) {
        const left =
          look.alive.length > 0 ? look.alive.map(describeProcess).join(", ") : "short-lived processes";
        throw new Error(`Could not end ${left}.`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
