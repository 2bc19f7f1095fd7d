import { readFileSync } from "node:fs";
import { runQueueWait } from "./proc.ts";

/**
 * Milliseconds that one run of the probe takes on the machine on which the deadlines were chosen
 * (one core of a 2-core virtual machine, otherwise idle).
 */
const referenceMs = 3.5;

/** A fixed piece of integer work that the compiler cannot leave out. */
function integerWork(): number {
  let x = 1;
  for (let round = 0; round < 2_000_000; round++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

/** The fastest of four runs: what the processor can do, not what it was busy with. The first also compiles. */
function probeMs(): number {
  const runs = [0, 1, 2, 3].map(() => {
    const start = performance.now();
    return integerWork() === 0 ? Number.POSITIVE_INFINITY : performance.now() - start;
  });
  return Math.min(...runs);
}

/** How many times slower than the reference this machine is: 1 to 20. Deadlines are multiplied by it. */
export function measureMachine(): number {
  return Math.min(20, Math.max(1, Math.round((probeMs() / referenceMs) * 10) / 10));
}

/** Milliseconds that the calling thread was ready to run and had no processor. */
function ownWaitMs(): number {
  try {
    return Number(readFileSync("/proc/thread-self/schedstat", "latin1").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

const sampleEveryMs = 100;

/**
 * How long this thread or some programs stood in the run queue. They stand there at the same time, so of
 * each stretch of time the one that waited longest counts: a sum could run faster than the clock, and a
 * deadline for two programs that spin would never be over. Looked up ten times a second at most: a check
 * may set a thousand deadlines, and an older sample only makes a limit longer.
 * @param pids the programs
 */
export function runQueueClock(pids: () => number[]): () => number {
  let withheld = 0;
  let takenAt = Number.NEGATIVE_INFINITY;
  let before = new Map<number | "this thread", number>();
  return () => {
    if (performance.now() - takenAt > sampleEveryMs) {
      const waits = new Map<number | "this thread", number>([["this thread", ownWaitMs()]]);
      for (const pid of pids()) waits.set(pid, runQueueWait(pid) / 1e6);
      withheld += Math.max(0, ...[...waits].map(([who, ms]) => ms - (before.get(who) ?? 0)));
      before = waits;
      takenAt = performance.now();
    }
    return withheld;
  };
}

/**
 * A time limit that a busy machine does not shorten: the limit is scaled by the machine's factor, and
 * the time that the watched programs or the grader itself stood in the run queue is added to it.
 */
export class Deadline {
  readonly limitMs: number;
  readonly #start = performance.now();
  readonly #waitedMs: () => number;
  readonly #waitAtStart: number;

  /**
   * @param limitMs milliseconds on the reference machine
   * @param factor of `measureMachine`
   * @param waitedMs how long the grader and its programs stood in the run queue so far
   */
  constructor(limitMs: number, factor: number, waitedMs: () => number) {
    this.limitMs = limitMs * factor;
    this.#waitedMs = waitedMs;
    this.#waitAtStart = waitedMs();
  }

  /** Milliseconds since the deadline was set. */
  elapsed(): number {
    return performance.now() - this.#start;
  }

  /** Milliseconds left, counting what the scheduler withheld so far; 0 when it is over. */
  remaining(): number {
    const left = this.limitMs - this.elapsed();
    if (left > 0) return left;
    const withheld = Math.max(0, this.#waitedMs() - this.#waitAtStart);
    return Math.max(0, this.limitMs + Math.min(withheld, this.limitMs * 10) - this.elapsed());
  }

  /**
   * Waits until `condition` gives a value other than `undefined` and `false`, or the deadline is over.
   * @param wakeUp registers a callback for whatever may change the condition; returns how to take it back
   * @param pollMs how often to look besides, for conditions that nothing announces
   */
  async until<T>(
    condition: () => T | undefined | false,
    options: { wakeUp?: (callback: () => void) => () => void; pollMs?: number } = {},
  ): Promise<T | undefined> {
    for (;;) {
      const value = condition();
      if (value !== undefined && value !== false) return value;
      const left = this.remaining();
      if (left <= 0) {
        // A thread that was held up sees its timers first, and only then what has arrived meanwhile.
        for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
        const last = condition();
        return last === false ? undefined : last;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, Math.min(Math.ceil(left), options.pollMs ?? 1000));
        const takeBack = options.wakeUp?.(done);
        function done() {
          clearTimeout(timer);
          takeBack?.();
          resolve();
        }
      });
    }
  }
}
