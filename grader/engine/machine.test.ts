import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Deadline, measureMachine, runQueueClock } from "./machine.ts";

describe("a deadline", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const nothingWithheld = () => 0;

  test("is scaled by the machine's factor", () => {
    const deadline = new Deadline(1000, 2.5, nothingWithheld);
    expect(deadline.limitMs).toBe(2500);
    vi.advanceTimersByTime(2400);
    expect(deadline.remaining()).toBe(100);
    vi.advanceTimersByTime(101);
    expect(deadline.remaining()).toBe(0);
  });

  test("is longer by what the scheduler withheld since it was set", () => {
    let withheld = 5000; // from before: does not count
    const deadline = new Deadline(1000, 1, () => withheld);
    withheld += 300;
    vi.advanceTimersByTime(1100);
    expect(deadline.remaining()).toBe(200);
    vi.advanceTimersByTime(200);
    expect(deadline.remaining()).toBe(0);
  });

  test("ends at eleven times its limit, whatever is withheld", () => {
    let withheld = 0;
    const deadline = new Deadline(1000, 1, () => withheld);
    withheld = 1e9;
    vi.advanceTimersByTime(10_999);
    expect(deadline.remaining()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(deadline.remaining()).toBe(0);
  });

  test("gives the condition's value as soon as it holds, without a timer where there is news", async () => {
    let value: string | undefined;
    let wake = () => {};
    const takeBack = vi.fn();
    const waiting = new Deadline(1000, 1, nothingWithheld).until(() => value, {
      wakeUp: (callback) => {
        wake = callback;
        return takeBack;
      },
    });
    value = "here";
    wake();
    expect(await waiting).toBe("here");
    expect(takeBack).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("looks again at the given interval where nothing announces the change", async () => {
    const looks: number[] = [];
    const waiting = new Deadline(1000, 1, nothingWithheld).until(
      () => {
        looks.push(Math.round(performance.now()));
        return looks.length === 4;
      },
      { pollMs: 50 },
    );
    const begun = looks[0]!;
    await vi.advanceTimersByTimeAsync(150);
    expect(await waiting).toBe(true);
    expect(looks.map((at) => at - begun)).toEqual([0, 50, 100, 150]);
  });

  test("looks once more at its end, and then gives up", async () => {
    let looks = 0;
    const waiting = new Deadline(100, 1, nothingWithheld).until(() => void looks++, { pollMs: 60 });
    await vi.advanceTimersByTimeAsync(100);
    expect(await waiting).toBeUndefined();
    expect(looks).toBe(4); // at 0, 60 and 100 ms, and at what arrived meanwhile
  });

  test("takes 0 and the empty text for values", async () => {
    const deadline = new Deadline(100, 1, nothingWithheld);
    expect(await deadline.until(() => 0)).toBe(0);
    expect(await deadline.until(() => "")).toBe("");
  });
});

test("the machine's factor is 1 or more, with one decimal", () => {
  const factor = measureMachine();
  expect(factor).toBeGreaterThanOrEqual(1);
  expect(factor).toBeLessThanOrEqual(20);
  expect(Math.round(factor * 10)).toBe(factor * 10);
});

test("the run queue's clock never goes back and is looked up ten times a second at most", () => {
  const asked = vi.fn(() => [process.pid]);
  const clock = runQueueClock(asked);
  const first = clock();
  for (let again = 0; again < 1000; again++) expect(clock()).toBeGreaterThanOrEqual(first);
  expect(asked.mock.calls.length).toBeLessThan(100);
});
