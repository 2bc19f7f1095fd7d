/** A function that is called once, at a time. Made by {@link Timers.set}. */
export type Timer = {
  /** When it is to be called, on the clock of its `Timers`. */
  due: number;
  /** The time by which it is sorted; earlier than `due` when it was re-armed to later. */
  sortedBy: number;
  /** Tells timers of the same time apart: the one that was set first comes first. */
  sequence: number;
  /** Its index in the heap, or -1 while it is not set. */
  place: number;
  onExpire: () => void;
  onError: (error: unknown) => void;
};

function rethrow(error: unknown): never {
  throw error;
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.sortedBy < other.sortedBy || (one.sortedBy === other.sortedBy && one.sequence < other.sequence);
}

/**
 * Timers, sorted by a binary heap: the next one is always at its root, setting and cancelling cost O(log n).
 * Time-outs are re-armed with every message and almost never expire, so re-arming to a later time only notes the new
 * time; the timer finds its new place when the old time comes. All times are milliseconds.
 */
export class Timers {
  readonly #clock: () => number;
  readonly #heap: Timer[] = [];
  #sequence = 0;

  /** @param clock tells the time; the loop gives the time of its turn, so that nobody asks the kernel for each timer */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** How many are set. */
  get size(): number {
    return this.#heap.length;
  }

  /**
   * Sets a timer. It is called in a later turn of the loop, also with a delay of 0.
   * @param onError gets what `onExpire` throws; without it the loop throws it further, and the program ends
   */
  set(delayMs: number, onExpire: () => void, onError: (error: unknown) => void = rethrow): Timer {
    const timer: Timer = { due: 0, sortedBy: 0, sequence: 0, place: -1, onExpire, onError };
    this.rearm(timer, delayMs);
    return timer;
  }

  /** Gives a timer a new time, counted from now. One that has expired or was cancelled is set again. */
  rearm(timer: Timer, delayMs: number): void {
    timer.due = this.#clock() + Math.max(0, delayMs);
    if (timer.place === -1) {
      timer.place = this.#heap.length;
      this.#heap.push(timer);
    } else if (timer.due >= timer.sortedBy) {
      return;
    }
    timer.sortedBy = timer.due;
    timer.sequence = this.#sequence++;
    this.#moveUp(timer);
  }

  /** Forgets a timer. One that is not set may be cancelled too. */
  cancel(timer: Timer): void {
    if (timer.place !== -1) this.#remove(timer);
  }

  /** Milliseconds until the next timer, 0 when it is due, -1 when none is set. */
  untilNext(): number {
    const next = this.#next();
    return next === undefined ? -1 : Math.max(0, next.due - this.#clock());
  }

  /** Calls all that are due. What these set meanwhile waits for the next call. */
  expire(): void {
    const firstOfNextCall = this.#sequence;
    const now = this.#clock();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.due > now || next.sequence >= firstOfNextCall) return;
      this.#remove(next);
      try {
        next.onExpire();
      } catch (error) {
        next.onError(error);
      }
    }
  }

  /** The timer that is due first. Those at the root that were re-armed to later are given their new places. */
  #next(): Timer | undefined {
    for (;;) {
      const root = this.#heap[0];
      if (root === undefined || root.due === root.sortedBy) return root;
      root.sortedBy = root.due;
      this.#moveDown(root);
    }
  }

  #remove(timer: Timer): void {
    const last = this.#heap.pop()!;
    if (last !== timer) {
      this.#put(last, timer.place);
      this.#moveUp(last);
      this.#moveDown(last);
    }
    timer.place = -1;
  }

  #put(timer: Timer, place: number): void {
    this.#heap[place] = timer;
    timer.place = place;
  }

  #moveUp(timer: Timer): void {
    while (timer.place > 0) {
      const place = timer.place;
      const parent = this.#heap[(place - 1) >> 1]!;
      if (!isBefore(timer, parent)) return;
      this.#put(timer, parent.place);
      this.#put(parent, place);
    }
  }

  #moveDown(timer: Timer): void {
    for (;;) {
      const place = timer.place;
      const left = this.#heap[2 * place + 1];
      const right = this.#heap[2 * place + 2];
      if (left === undefined) return;
      const first = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(first, timer)) return;
      this.#put(timer, first.place);
      this.#put(first, place);
    }
  }
}
