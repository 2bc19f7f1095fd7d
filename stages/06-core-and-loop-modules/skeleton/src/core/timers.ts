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
    // TODO 1a: note the new time. A timer that is not in the heap is put at its end and moved up to its place.
    // TODO 1d: one that is in the heap already stays where it is when it is due later now; else it is moved up too.
    todo(`1a: set a timer for ${delayMs} ms`);
  }

  /** Forgets a timer. One that is not set may be cancelled too. */
  cancel(timer: Timer): void {
    // TODO 1c: out of the heap, if it is in there.
    todo(`1c: cancel the timer at place ${timer.place}`);
  }

  /** Milliseconds until the next timer, 0 when it is due, -1 when none is set. */
  untilNext(): number {
    // TODO 1b: by #next and the clock.
    return todo("1b: the time until the next timer");
  }

  /** Calls all that are due. What these set meanwhile waits for the next call. */
  expire(): void {
    // TODO 1b: as long as the next timer is due: out of the heap with it, then call it; what it throws goes to its
    // onError. A timer that was set by one of these calls has to wait: its sequence tells.
    todo("1b: call the timers that are due");
  }

  /** The timer that is due first. Those at the root that were re-armed to later are given their new places. */
  #next(): Timer | undefined {
    // TODO 1b: the root.
    // TODO 1d: a root that was re-armed to later is sorted by its new time and moved down; then look again.
    return todo("1b: the next timer");
  }

  #remove(timer: Timer): void {
    // TODO 1b: the last timer of the heap takes the place that becomes free, and moves to where it belongs, up or down.
    todo(`1b: take out the timer at place ${timer.place}`);
  }

  #put(timer: Timer, place: number): void {
    this.#heap[place] = timer;
    timer.place = place;
  }

  #moveUp(timer: Timer): void {
    // TODO 1a: while it is before its parent, the two change places.
    todo(`1a: move up from place ${timer.place}`);
  }

  #moveDown(timer: Timer): void {
    // TODO 1b: while one of its children is before it, it changes places with the first of them.
    todo(`1b: move down from place ${timer.place}`);
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
