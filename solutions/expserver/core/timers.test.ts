import { describe, expect, test } from "vitest";
import { Random } from "../../../grader/engine/random.ts";
import { type Timer, Timers } from "./timers.ts";

/** Timers on a clock that the test moves, and who was called. */
function onClock() {
  const clock = { now: 100 };
  const called: string[] = [];
  const timers = new Timers(() => clock.now);
  const set = (delayMs: number, name: string) => timers.set(delayMs, () => void called.push(name));
  /** Moves the clock and returns who is called then. */
  const later = (ms: number) => {
    clock.now += ms;
    timers.expire();
    return called.splice(0);
  };
  return { clock, called, timers, set, later };
}

describe("expire", () => {
  test("calls those that are due, in the order of their times", () => {
    const { set, later } = onClock();
    for (const delay of [30, 10, 20]) set(delay, String(delay));
    expect(later(20)).toEqual(["10", "20"]);
    expect(later(10)).toEqual(["30"]);
  });

  test("calls those of the same time in the order of setting", () => {
    const { set, later } = onClock();
    const names = Array.from({ length: 100 }, (_, number) => String(number));
    for (const name of names) set(5, name);
    expect(later(5)).toEqual(names);
  });

  test("calls nobody a moment too early", () => {
    const { set, later } = onClock();
    set(10, "a");
    expect(later(9.999)).toEqual([]);
    expect(later(0.001)).toEqual(["a"]);
  });

  test("leaves what is set meanwhile for the next call", () => {
    const { timers, called, later } = onClock();
    let calls = 0;
    timers.set(0, function more() {
      called.push(`call ${++calls}`);
      timers.set(0, more);
    });
    expect(later(0)).toEqual(["call 1"]);
    expect(later(0)).toEqual(["call 2"]);
  });

  test("gives what a timer throws to its onError, and goes on", () => {
    const { timers, set, later } = onClock();
    const errors: unknown[] = [];
    const fail = () => {
      throw new Error("trouble");
    };
    set(1, "before");
    timers.set(1, fail, (error) => errors.push(error));
    set(1, "behind");
    expect(later(1)).toEqual(["before", "behind"]);
    expect(errors).toEqual([new Error("trouble")]);
  });

  test("throws what a timer without onError throws", () => {
    const { timers, later } = onClock();
    timers.set(0, () => {
      throw new Error("trouble");
    });
    expect(() => later(0)).toThrow("trouble");
    expect(timers.size).toBe(0);
  });
});

describe("untilNext", () => {
  test("is -1 without timers, and never less than 0 with one", () => {
    const { timers, set, clock } = onClock();
    expect(timers.untilNext()).toBe(-1);
    set(10, "a");
    expect(timers.untilNext()).toBe(10);
    clock.now += 25;
    expect(timers.untilNext()).toBe(0);
  });

  test("follows a timer that is re-armed to later, to earlier, or cancelled", () => {
    const { timers, set } = onClock();
    const [a] = [set(10, "a"), set(30, "b")];
    timers.rearm(a, 20);
    expect(timers.untilNext()).toBe(20);
    timers.rearm(a, 5);
    expect(timers.untilNext()).toBe(5);
    timers.cancel(a);
    expect(timers.untilNext()).toBe(30);
  });
});

describe("cancel", () => {
  test("of a timer that is not set does nothing", () => {
    const { timers, set, later } = onClock();
    const a = set(1, "a");
    set(5, "b");
    expect(later(1)).toEqual(["a"]);
    timers.cancel(a);
    timers.cancel(a);
    expect(later(5)).toEqual(["b"]);
  });

  test("keeps one from being called that is due at this moment", () => {
    const { timers, later, set } = onClock();
    const others: Timer[] = [];
    timers.set(5, () => others.forEach((each) => void timers.cancel(each)));
    others.push(set(5, "a"), set(5, "b"));
    expect(later(5)).toEqual([]);
  });
});

describe("rearm", () => {
  test("sets one again that has expired, and one that was cancelled", () => {
    const { timers, set, later } = onClock();
    const [a, b] = [set(1, "a"), set(2, "b")];
    timers.cancel(b);
    expect(later(3)).toEqual(["a"]);
    timers.rearm(a, 4);
    timers.rearm(b, 3);
    expect(later(4)).toEqual(["b", "a"]);
  });

  test("to later leaves the timer one timer", () => {
    const { timers, set, later } = onClock();
    const a = set(10, "a");
    for (let turn = 0; turn < 1000; turn++) {
      timers.rearm(a, 10);
      expect(later(5)).toEqual([]);
      expect(timers.size).toBe(1);
    }
    expect(later(5)).toEqual(["a"]);
    expect(timers.size).toBe(0);
  });
});

/** The same promises, kept by a list that is sorted for each question. */
class SortedList {
  now = 100;
  #sequence = 0;
  readonly #set = new Map<number, { due: number; sequence: number }>();

  rearm(id: number, delayMs: number): void {
    this.#set.set(id, { due: this.now + delayMs, sequence: this.#sequence++ });
  }

  cancel(id: number): void {
    this.#set.delete(id);
  }

  next(): number {
    const [first] = [...this.#set.values()].map(({ due }) => due).sort((a, b) => a - b);
    return first === undefined ? -1 : Math.max(0, first - this.now);
  }

  /** Those that are due, by time. */
  expire(): { id: number; due: number }[] {
    const due = [...this.#set].filter(([, each]) => each.due <= this.now);
    for (const [id] of due) this.#set.delete(id);
    return due.map(([id, each]) => ({ id, due: each.due })).sort((a, b) => a.due - b.due);
  }
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  "timers do what a sorted list does (seed %i)",
  (seed) => {
    const random = new Random(String(seed), "timers");
    const clock = new SortedList();
    const timers = new Timers(() => clock.now);
    const all: Timer[] = [];
    let called: number[] = [];
    for (let step = 0; step < 1500; step++) {
      const id = random.integer(0, Math.max(0, all.length - 1));
      // Few different times, so that many are equal; now and then a far one.
      const delay = random.integer(0, 9) === 0 ? random.integer(0, 5000) : random.integer(0, 40);
      const deed = random.integer(0, 9);
      if (deed < 4 || all.length === 0) {
        const fresh = all.length;
        all.push(timers.set(delay, () => void called.push(fresh)));
        clock.rearm(fresh, delay);
      } else if (deed < 7) {
        timers.rearm(all[id]!, delay);
        clock.rearm(id, delay);
      } else if (deed < 8) {
        timers.cancel(all[id]!);
        clock.cancel(id);
      } else {
        clock.now += random.integer(0, 15);
        called = [];
        const expected = clock.expire();
        timers.expire();
        // Of the same time, a timer that was re-armed may come before or behind another.
        const dueOf = new Map(expected.map((each) => [each.id, each.due]));
        expect(called.map((each) => dueOf.get(each))).toEqual(expected.map(({ due }) => due));
        expect([...called].sort((a, b) => a - b)).toEqual(
          expected.map((each) => each.id).sort((a, b) => a - b),
        );
      }
      expect(timers.untilNext()).toBe(clock.next());
    }
  },
);
