/** What timers promise, with a clock that the probe moves, and on a running loop. */
import { Worker } from "node:worker_threads";
import { Loop } from "workspace:core/loop";
import { type Timer, Timers } from "workspace:core/timers";
import { assert, count } from "../../engine/evidence.ts";
import { Random } from "../../engine/random.ts";
import { Counter, counters, runAndClose, watch } from "./counter.ts";

/** Timers on a clock of the probe's. */
function manual() {
  const clock = { now: 1000 };
  const called: string[] = [];
  const timers = new Timers(() => clock.now);
  const set = (delayMs: number, name: string): Timer => timers.set(delayMs, () => void called.push(name));
  /** Moves the clock, calls what is due, and compares who was called. */
  const after = (ms: number, expected: string[], what: string) => {
    clock.now += ms;
    called.length = 0;
    timers.expire();
    assert(called.join(" ") === expected.join(" "), {
      summary: what,
      expected: expected.length === 0 ? "no call" : `calls in this order: ${expected.join(", ")}`,
      observed: called.length === 0 ? "no call" : called.join(", "),
    });
  };
  const nextIn = (ms: number, when: string) => {
    const observed = timers.untilNext();
    assert(observed === ms, {
      summary: `untilNext() is wrong ${when}`,
      expected: String(ms),
      observed: String(observed),
    });
  };
  return { clock, called, timers, set, after, nextIn };
}

/** In the order of their times, never early; of the same time, the one that was set first. */
export function expiresInOrder(): void {
  const { clock, timers, set, after, nextIn, called } = manual();
  nextIn(-1, "when no timer is set");
  for (const delay of [30, 10, 50, 20, 40, 0]) set(delay, `${delay} ms`);
  nextIn(0, "when a timer is due");
  after(0, ["0 ms"], "a timer of 0 ms is not called by the next expire()");
  nextIn(10, "when the next timer is due in 10 ms");
  after(9, [], "a timer is called too early");
  nextIn(1, "1 ms before the next timer");
  after(1, ["10 ms"], "a timer is not called when its time has come");
  after(25, ["20 ms", "30 ms"], "timers that are due together are not called in the order of their times");
  nextIn(5, "after timers have expired");
  clock.now += 7;
  nextIn(0, "when a timer is overdue (less than 0 means to epoll_wait to sleep without end)");
  after(100, ["40 ms", "50 ms"], "timers that are overdue are not all called");
  nextIn(-1, "after the last timer");
  for (const name of ["first", "second", "third", "fourth", "fifth"]) set(7, name);
  after(
    7,
    ["first", "second", "third", "fourth", "fifth"],
    "timers of the same time are not called in the order in which they were set",
  );
  after(1000, [], "a timer is called twice");

  timers.set(0, () => {
    called.push("first");
    set(0, "set in a timer");
  });
  after(0, ["first"], "a timer that is set in a timer does not wait for the next expire()");
  after(0, ["set in a timer"], "a timer that is set in a timer is lost");

  let again = 0;
  timers.set(0, function endless() {
    assert(++again < 1000, {
      summary: "a timer that sets itself again with 0 ms keeps expire() from returning",
      expected: "one call in each expire()",
      observed: "a thousand calls in one",
    });
    timers.set(0, endless);
  });
  timers.expire();
  timers.expire();
  assert(again === 2, {
    summary: "a timer that sets itself again with 0 ms is not called once in each expire()",
    expected: "2 calls in 2 of them",
    observed: count(again, "call"),
  });
}

/** What a timer throws goes to its own `onError`, and the others are called. */
export function keepsErrorsApart(): void {
  const { timers, set, after } = manual();
  const caught: unknown[] = [];
  const error = new Error("thrown on purpose by a timer");
  set(5, "before");
  timers.set(
    5,
    () => {
      throw error;
    },
    (thrown) => void caught.push(thrown),
  );
  set(5, "behind");
  try {
    after(5, ["before", "behind"], "a timer that throws keeps others from being called");
  } catch (thrown) {
    assert(thrown !== error, {
      summary: "what a timer throws does not go to its onError",
      expected: "one call of onError, and that expire() goes on with the other timers",
      observed: "expire() threw it",
    });
    throw thrown;
  }
  assert(caught.length === 1 && caught[0] === error, {
    summary: "what a timer throws does not go to its onError",
    expected: "one call of onError, with the error",
    observed: count(caught.length, "call"),
  });
  after(100, [], "a timer that has thrown is called again");
}

/** A timer that was cancelled is not called, wherever in the heap it stood. */
export function cancels(): void {
  const { timers, set, after, nextIn } = manual();
  const all = [10, 20, 30, 40, 50, 60, 70].map((delay) => set(delay, `${delay} ms`));
  timers.cancel(all[0]!);
  nextIn(20, "after the next timer was cancelled");
  timers.cancel(all[6]!);
  timers.cancel(all[3]!);
  timers.cancel(all[3]!);
  after(100, ["20 ms", "30 ms", "50 ms", "60 ms"], "cancelled timers are called, or others are lost");
  for (const each of all) timers.cancel(each);
  nextIn(-1, "after timers that had expired were cancelled");
  const victim = { timer: undefined as Timer | undefined };
  timers.set(5, () => timers.cancel(victim.timer!));
  victim.timer = set(5, "cancelled by the timer before");
  set(5, "innocent");
  after(5, ["innocent"], "a timer that another one cancels when both are due is called, or others are lost");
  timers.cancel(victim.timer);
  after(100, [], "a timer comes back");
}

/** Re-arming counts from now, to earlier and to later, also after the end. */
export function rearms(): void {
  const { timers, set, after, nextIn } = manual();
  const [a, b, c] = [set(10, "a"), set(20, "b"), set(30, "c")];
  timers.rearm(a, 25);
  nextIn(20, "after the next timer was re-armed to later");
  timers.rearm(c, 5);
  nextIn(5, "after the last timer was re-armed to earlier");
  after(5, ["c"], "a timer that was re-armed to earlier is not called first");
  after(10, [], "a timer that was re-armed to later is called at its old time");
  after(5, ["b"], "a timer beside one that was re-armed is not called in time");
  timers.rearm(a, 50);
  timers.rearm(a, 3);
  nextIn(3, "after a timer was re-armed to later and then to earlier");
  after(3, ["a"], "a timer that was re-armed to later and then to earlier is not called in time");
  timers.rearm(b, 10);
  nextIn(10, "after a timer that had expired was re-armed");
  after(10, ["b"], "a timer that had expired and was re-armed is not called");
  timers.rearm(c, 10);
  timers.cancel(c);
  timers.rearm(c, 20);
  after(19, [], "a timer that was cancelled and re-armed is called too early");
  after(1, ["c"], "a timer that was cancelled and re-armed is not called");
  const clients = Array.from({ length: 100 }, (_, number) => set(100, `client ${number}`));
  for (let turn = 0; turn < 50; turn++) {
    // Everybody has said something: nobody's time is up.
    after(90, [], "a timer that is re-armed with every message expires");
    for (const each of clients) timers.rearm(each, 100);
  }
  timers.cancel(clients[50]!);
  after(
    100,
    clients.map((_, number) => `client ${number}`).filter((_, number) => number !== 50),
    "timers that were re-armed many times are not all called at the end",
  );
  after(1000, [], "a timer that was re-armed many times is called more than once");
}

const manyTimers = 10_000;

/** Ten thousand timers, set, re-armed, cancelled and expiring in any order: each is called once, at its time. */
export function losesNone(): void {
  const random = new Random("10,000", "timers");
  const clock = { now: 0 };
  const timers = new Timers(() => clock.now);
  /** When each is due, as the probe counts; `undefined` when it is not set. */
  const due: (number | undefined)[] = [];
  const all: Timer[] = [];
  let expired: { number: number; at: number }[] = [];
  const call = (number: number) => {
    expired.push({ number, at: due[number] ?? Number.NaN });
    due[number] = undefined;
  };
  const delay = () => random.integer(0, 5000);
  for (let number = 0; number < manyTimers; number++) {
    const ms = delay();
    due[number] = clock.now + ms;
    all.push(timers.set(ms, () => call(number)));
  }
  const expire = () => {
    const wanted = due.flatMap((at, number) => (at !== undefined && at <= clock.now ? [number] : []));
    expired = [];
    timers.expire();
    const surplus = expired.filter(({ at }) => !(at <= clock.now));
    const late = wanted.filter((number) => due[number] !== undefined);
    assert(surplus.length === 0 && late.length === 0, {
      summary: "of 10,000 timers, some are lost or called at a wrong time",
      expected: `calls of the ${wanted.length} that are due at ${clock.now} ms`,
      observed: `${count(late.length, "call")} missing, ${surplus.length} too early, twice, or of a cancelled timer`,
    });
    const swapped = expired.findIndex(({ at }, index) => index > 0 && at < expired[index - 1]!.at);
    assert(swapped === -1, {
      summary: "of 10,000 timers, some are not called in the order of their times",
      expected: "earlier times first",
      observed: `one that was due at ${expired[swapped]?.at} ms was called behind one of ${expired[swapped - 1]?.at} ms`,
    });
    const next = due.reduce<number>((least, at) => Math.min(least, at ?? least), Number.POSITIVE_INFINITY);
    const expected = next === Number.POSITIVE_INFINITY ? -1 : next - clock.now;
    assert(timers.untilNext() === expected, {
      summary: "of 10,000 timers, untilNext() does not find the next one",
      expected: `${expected} ms`,
      observed: `${timers.untilNext()} ms`,
    });
  };
  for (let round = 0; round < 200; round++) {
    for (let change = 0; change < 100; change++) {
      const number = random.integer(0, manyTimers - 1);
      if (random.integer(0, 3) === 0) {
        timers.cancel(all[number]!);
        due[number] = undefined;
      } else {
        const ms = delay();
        timers.rearm(all[number]!, ms);
        due[number] = clock.now + ms;
      }
    }
    clock.now += random.integer(0, 60);
    expire();
  }
  clock.now += 5000;
  expire();
}

/** So many times as much an operation may cost among many timers; a search takes hundreds of times as much. */
const allowedRatio = 10;

/** The next timer is found at once, and re-arming to later costs nothing, however many there are. */
export function findsNextAtOnce(): void {
  const cost = (number: number): number => {
    const clock = { now: 0 };
    const random = new Random("cost", String(number));
    const timers = new Timers(() => clock.now);
    const all = Array.from({ length: number }, () => timers.set(random.integer(1000, 2000), () => {}));
    const turns = (limit: number) => {
      for (let turn = 0; turn < limit; turn++) {
        timers.rearm(all[turn % number]!, 2000);
        timers.untilNext();
      }
    };
    turns(2000);
    const before = process.cpuUsage();
    turns(20_000);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  let least = { ratio: Number.POSITIVE_INFINITY, few: 0, many: 0 };
  for (let attempt = 0; attempt < 3 && least.ratio >= allowedRatio; attempt++) {
    // A measurement that finds nothing to measure must not divide by it.
    const few = Math.max(0.5, cost(10));
    const many = cost(manyTimers);
    if (many / few < least.ratio) least = { ratio: many / few, few, many };
  }
  assert(least.ratio < allowedRatio, {
    summary: "re-arming a timer and finding the next one cost more, the more timers are set",
    expected: `less than ${allowedRatio} times the processor time with ${count(manyTimers, "timer")} as with 10`,
    observed: `${least.ratio.toFixed(0)} times as much: 20,000 calls of rearm and untilNext took ${least.many.toFixed(0)} ms instead of ${least.few.toFixed(1)} ms`,
  });
}

/** Timers that are set one by the other: a loop that sleeps past them is woken by chance once, but not each time. */
const chained = 20;

/** Milliseconds by which no timer at all is called in time: something else has woken the loop. */
const sleptThrough = 1000;

/** On a loop: at their times, in a sleeping loop as in a busy one. */
export async function runsOnLoop(): Promise<void> {
  const loop = new Loop();
  let left = chained;
  console.log(`waiting for ${chained} timers of 3 ms, each set by the one before`);
  const next = () => void (left-- > 0 ? loop.timers.set(3, next) : loop.stop());
  next();
  await runAndClose(loop);
  await timersOn(counters(1, false), "while nothing else happens");
  await timersOn(counters(64, true), "while 64 descriptors are always ready");
  await countsFromTheEvent();
}

/** Milliseconds that a loop sleeps before an event, and of the timer which that event's handler sets. */
const [sleptBefore, setByEvent] = [300, 150];

/** Writes to an event counter from outside of the thread that sleeps: Node's own timer would wake the loop before. */
const raiseLater = `const { workerData: { fd, ms } } = require("node:worker_threads");
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
require("node:fs").writeSync(fd, new Uint8Array(new BigUint64Array([1n]).buffer));`;

/** A timer that is set after a long sleep counts from the event that ended the sleep. */
async function countsFromTheEvent(): Promise<void> {
  let longest = 0;
  // A machine that stands still between the clock and the handler shortens the time too, but not again and again.
  for (let attempt = 0; attempt < 3 && longest < setByEvent / 3; attempt++) {
    const loop = new Loop();
    const counter = new Counter(false);
    watch(loop, counter, () => {
      loop.remove(counter.fd);
      const begin = performance.now();
      loop.timers.set(setByEvent, () => {
        longest = Math.max(longest, performance.now() - begin);
        loop.stop();
      });
    });
    new Worker(raiseLater, { eval: true, workerData: { fd: counter.fd, ms: sleptBefore } });
    await runAndClose(loop);
    counter.close();
  }
  assert(longest >= setByEvent / 3, {
    summary: "a timer that a handler sets after a long sleep is called too early",
    expected: `a call ${setByEvent} ms after the event: loop.now is read behind epoll_wait, not only before it`,
    observed: `a call after ${longest.toFixed(0)} ms, each time; the loop had slept for about ${sleptBefore} ms`,
  });
}

async function timersOn(all: Counter[], situation: string): Promise<void> {
  const loop = new Loop();
  const { timers } = loop;
  const called: string[] = [];
  const early: string[] = [];
  const late: number[] = [];
  const due = new Map<string, number>();
  const expected = ["0 ms", "5 ms", "15 ms", "set by a handler", "40 ms", "set in a timer", "80 ms"];
  const set = (delayMs: number, name: string, then?: () => void) => {
    due.set(name, loop.now + delayMs);
    return timers.set(delayMs, () => {
      called.push(name);
      if (Math.min(loop.now, performance.now()) < due.get(name)!) early.push(name);
      late.push(performance.now() - due.get(name)!);
      then?.();
      if (called.length === expected.length) loop.stop();
    });
  };
  for (const each of all) watch(loop, each, () => {});
  console.log(`waiting ${situation} for timers: ${expected.join(", ")}`);
  // Where some are missing, this is long after the last of them.
  set(80, "80 ms", () => timers.set(100, () => loop.stop()));
  set(15, "15 ms");
  set(40, "40 ms", () => set(1, "set in a timer"));
  set(5, "5 ms");
  set(0, "0 ms");
  timers.cancel(set(10, "cancelled"));
  const handlerTimer = set(5000, "set by a handler");
  const starter = new Counter(true);
  watch(loop, starter, () => {
    loop.remove(starter.fd);
    due.set("set by a handler", loop.now + 30);
    timers.rearm(handlerTimer, 30);
  });
  await runAndClose(loop);
  for (const each of [...all, starter]) each.close();
  const calls = called.filter((name, index) => called.indexOf(name) === index);
  assert(called.length === calls.length && [...calls].sort().join() === [...expected].sort().join(), {
    summary: `timers are lost, or called twice, ${situation}`,
    expected: expected.join(", "),
    observed: called.join(", "),
  });
  assert(early.length === 0, {
    summary: `a timer is called too early ${situation}`,
    expected: "a call when loop.now has reached its time",
    observed: `early: ${early.join(", ")}`,
  });
  assert(Math.min(...late) < sleptThrough, {
    summary: `the loop sleeps past its timers ${situation}`,
    expected: "that epoll_wait waits no longer than until the next timer",
    observed: `all ${late.length} timers were called more than ${Math.floor(Math.min(...late) / 100) / 10} s late`,
  });
}
