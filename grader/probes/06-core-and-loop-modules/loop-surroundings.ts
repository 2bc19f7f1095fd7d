/** What goes on around the loop's handlers: Node, sleep, and the cost of idle descriptors. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { Loop } from "workspace:core/loop";
import { getrlimit, RLIMIT_NOFILE, SystemCallError, setrlimit } from "expserver-course/linux";
import { assert, count } from "../../engine/evidence.ts";
import { Counter, counters, onQuestions, runAndClose, watch } from "./counter.ts";

/** Signals, children, `setTimeout` and promises of Node's go on, whatever else the loop has to do. */
export async function keepsNodeRunning(): Promise<void> {
  for (const [number, ready, situation] of [
    [1, false, "while nothing else happens"],
    [64, true, "while 64 descriptors are always ready"],
  ] as const) {
    await hearsSignals(counters(number, ready), situation);
    await nodeRunsBeside(counters(number, ready), situation);
  }
}

const signals = 10;
/** Turns after which a signal must have been heard. Two are enough; no time plays a part in it. */
const deafTurns = 20_000;

/** A signal that comes in the midst of a turn is heard after it. */
async function hearsSignals(all: Counter[], situation: string): Promise<void> {
  const loop = new Loop();
  let sent = 0;
  let heard = 0;
  let turns = 0;
  const send = () => {
    turns = 0;
    sent++;
    process.kill(process.pid, "SIGUSR2");
  };
  const onSignal = () => {
    heard++;
    if (heard === signals) loop.stop();
    else loop.timers.set(1, send); // in a turn of the loop's: from here, Node would hear it without us
  };
  const onTurn = () => {
    if (sent > heard && turns++ > deafTurns) loop.stop();
  };
  onQuestions(loop, onTurn);
  process.on("SIGUSR2", onSignal);
  for (const [index, each] of all.entries()) watch(loop, each, index === 0 ? onTurn : () => {});
  loop.timers.set(1, send);
  console.log(`waiting ${situation} for ${signals} signals`);
  await runAndClose(loop);
  process.off("SIGUSR2", onSignal);
  for (const each of all) each.close();
  assert(heard === signals, {
    summary: `a signal's handler is not called ${situation}`,
    expected: "that the loop gives Node the thread after a turn in which Node's descriptor was ready",
    observed: `${deafTurns.toLocaleString("en-US")} turns after signal number ${sent} its handler had not been called`,
  });
}

async function nodeRunsBeside(all: Counter[], situation: string): Promise<void> {
  const loop = new Loop();
  const missing = new Set<string>();
  const begins = (what: string, begin: (happened: () => void) => void) => {
    missing.add(what);
    begin(() => {
      missing.delete(what);
      console.log(`${what} came ${situation}; missing: ${[...missing].join(", ") || "nothing"}`);
      if (missing.size === 0) loop.stop();
    });
  };
  begins("a setTimeout", (happened) => setTimeout(happened, 20));
  begins("a setImmediate", (happened) => setImmediate(happened));
  // Later than all timers, which would give Node the thread anyway: this one has to ask for it.
  begins("a child's end", (happened) => {
    spawn("sleep", ["0.05"], { stdio: "ignore" }).once("exit", happened);
  });
  begins("a file, by a promise", (happened) => void readFile("/proc/self/stat").then(happened));
  const starter = new Counter(true);
  begins("a setTimeout that a handler has set", (happened) => {
    watch(loop, starter, () => {
      loop.remove(starter.fd);
      setTimeout(happened, 10);
    });
  });
  for (const each of all) watch(loop, each, () => {});
  console.log(`waiting ${situation} for ${[...missing].join(", ")}`);
  await runAndClose(loop);
  for (const each of [...all, starter]) each.close();
}

/** Milliseconds of processor time that this process has used. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Whoever waits uses this part of the time at most; one that does not sleep uses all of it. */
const waitingShare = 0.25;
/**
 * So many times a loop may ask for the next timer while it waits for one: once or twice in each of a few turns. One
 * that turns idly for a part of a millisecond asks hundreds of times.
 */
const askedForATimer = 30;
const attempts = 3;

/** Waits once in a loop of its own; tells the share of the time for which it computed, and how often it asked. */
async function waitOnce(begin: (loop: Loop) => void): Promise<{ share: number; asked: number }> {
  const loop = new Loop();
  let asked = 0;
  onQuestions(loop, () => asked++);
  const idle = new Counter(false);
  watch(loop, idle, () => {});
  begin(loop);
  const [cpu, time] = [cpuMs(), performance.now()];
  await runAndClose(loop);
  const share = (cpuMs() - cpu) / (performance.now() - time);
  idle.close();
  return { share, asked };
}

/** A loop that waits for a timer sleeps meanwhile: ours or Node's, for a long time or again and again. */
export async function sleepsUntilTimers(): Promise<void> {
  const waits: { what: string; timers: number; begin: (loop: Loop) => void }[] = [
    { what: "a timer of 100 ms", timers: 1, begin: (loop) => void loop.timers.set(100, () => loop.stop()) },
    {
      what: "a setTimeout of Node's of 100 ms",
      timers: 1,
      begin: (loop) => void setTimeout(() => loop.stop(), 100),
    },
    {
      what: "60 timers of 2 ms, each set by the one before",
      timers: 60,
      begin: (loop) => {
        let left = 60;
        const next = () => void (left-- > 0 ? loop.timers.set(2, next) : loop.stop());
        next();
      },
    },
  ];
  for (const { what, timers, begin } of waits) {
    console.log(`waiting for ${what}`);
    let least = { share: Number.POSITIVE_INFINITY, asked: Number.POSITIVE_INFINITY };
    // Many short waits are not judged by the time that they take: on a slow machine, each turn takes its share.
    const sleeps = () =>
      (timers > 1 || least.share < waitingShare) && least.asked < askedForATimer * (timers + 10);
    for (let attempt = 0; attempt < attempts && !sleeps(); attempt++) {
      const { share, asked } = await waitOnce(begin);
      least = { share: Math.min(share, least.share), asked: Math.min(asked, least.asked) };
    }
    assert(sleeps(), {
      summary: "the loop turns idly instead of sleeping while it waits for a timer",
      expected: `a turn or two, and next to no processor time, for ${what}`,
      observed: `${Math.round(least.share * 100)} % of the time was computed away, and the next timer was asked for ${least.asked} times`,
    });
  }
}

const manyIdle = 20_000;
const fewIdle = 10;
const activeAmongThem = 10;
const dispatches = 100_000;
const changes = 10_000;
/** So many times as much a thing may cost with many idle descriptors; one that searches takes hundreds of times as much. */
const allowedRatio = 3;

/** Descriptors that this process may open beside its own, after it has raised its limit as far as it may. */
function roomForDescriptors(wanted: number): number {
  const spare = 200;
  const { rlim_cur, rlim_max } = getrlimit(RLIMIT_NOFILE);
  const needed = wanted + spare;
  if (rlim_cur >= needed) return wanted;
  for (const [current, maximum] of [
    [needed, Math.max(needed, rlim_max)],
    [Math.min(needed, rlim_max), rlim_max],
  ] as const) {
    try {
      setrlimit(RLIMIT_NOFILE, { rlim_cur: current, rlim_max: maximum });
      break;
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
    }
  }
  return Math.min(wanted, getrlimit(RLIMIT_NOFILE).rlim_cur - spare);
}

/** A measurement is given up when it is so many times as dear as it may be; nobody need wait to know it exactly. */
const hopelessRatio = 10 * allowedRatio;

/**
 * Processor time of events, and of changes to what is watched, with so many idle descriptors.
 * @param enough milliseconds after which it is extrapolated
 */
async function costWith(
  idle: number,
  enough = Number.POSITIVE_INFINITY,
): Promise<{ dispatch: number; change: number }> {
  const loop = new Loop();
  const all = counters(idle + activeAmongThem, false);
  // Spread evenly, so that a search from either end has its way to go.
  const apart = Math.floor(all.length / activeAmongThem);
  const active = all.filter((_, index) => index % apart === apart - 1).slice(0, activeAmongThem);
  for (const each of active) each.raise();
  let left = dispatches * 1.2;
  let before = 0;
  let dispatch = 0;
  const onReady = () => {
    left--;
    if (left === dispatches) before = cpuMs(); // what came before has warmed up
    if (left >= dispatches || left % 1000 !== 0) return;
    dispatch = cpuMs() - before;
    if (left > 0 && dispatch < enough) return;
    dispatch *= dispatches / (dispatches - left);
    loop.stop();
  };
  for (const each of all) watch(loop, each, onReady);
  await loop.run();
  before = cpuMs();
  for (let turn = 0; turn < changes; turn++) {
    const counter = active[turn % active.length]!;
    loop.remove(counter.fd);
    watch(loop, counter, onReady);
  }
  const change = cpuMs() - before;
  loop.close();
  for (const each of all) each.close();
  return { dispatch, change };
}

/** A handler is found at once, however many others there are. */
export async function findsHandlersAtOnce(): Promise<void> {
  const many = roomForDescriptors(manyIdle);
  const kinds = ["dispatch", "change"] as const;
  const least = new Map<string, { ratio: number; few: number; many: number }>();
  const ratioOf = (kind: string) => least.get(kind)?.ratio ?? Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const few = await costWith(fewIdle);
    const withMany = await costWith(many, few.dispatch * hopelessRatio);
    for (const kind of kinds) {
      const ratio = withMany[kind] / few[kind];
      if (ratio < ratioOf(kind)) least.set(kind, { ratio, few: few[kind], many: withMany[kind] });
    }
    if (kinds.every((kind) => ratioOf(kind) < allowedRatio)) return;
    if (kinds.some((kind) => ratioOf(kind) >= hopelessRatio)) break;
  }
  const kind = kinds.find((each) => ratioOf(each) >= allowedRatio)!;
  const worst = least.get(kind)!;
  assert(false, {
    summary:
      kind === "dispatch"
        ? "an event costs more, the more descriptors are idle"
        : "add and remove cost more, the more descriptors are idle",
    expected: `less than ${allowedRatio} times the processor time with ${count(many, "idle descriptor")} as with ${fewIdle}`,
    observed: `${worst.ratio.toFixed(1)} times as much: ${kind === "dispatch" ? count(dispatches, "event") : `${count(changes, "call")} of remove and add`} took ${Math.round(worst.many)} ms instead of ${Math.round(worst.few)} ms`,
  });
}
