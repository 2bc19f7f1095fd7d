/** Descriptors that are ready when a probe says so, and scripts that are played inside of a running loop. */
import type { Loop } from "workspace:core/loop";
import { close, EFD_CLOEXEC, EFD_NONBLOCK, EPOLLIN, eventfd, read, write } from "expserver-course/linux";
import { CheckFailure } from "../../engine/evidence.ts";

const one = new Uint8Array(new BigUint64Array([1n]).buffer);
const value = new Uint8Array(8);

/** An eventfd: it is readable while its count is not 0. */
export class Counter {
  readonly fd: number;

  constructor(ready: boolean) {
    this.fd = eventfd(ready ? 1 : 0, EFD_NONBLOCK | EFD_CLOEXEC);
  }

  /** Makes it readable. */
  raise(): void {
    write(this.fd, one, 8);
  }

  /** Makes it unreadable. */
  lower(): void {
    read(this.fd, value, 8);
  }

  close(): void {
    close(this.fd);
  }
}

/** Some counters. */
export function counters(number: number, ready: boolean): Counter[] {
  return Array.from({ length: number }, () => new Counter(ready));
}

/** Watches a counter. What the handler throws ends the probe. */
export function watch(
  loop: Loop,
  { fd }: Counter,
  onReady: (events: number) => void,
  events = EPOLLIN,
): void {
  loop.add(fd, events, { onReady, onError: fail });
}

/** The first failure that a handler met: the loop may keep what a handler throws to itself. */
let failed: { error: unknown } | undefined;

function fail(error: unknown): void {
  failed ??= { error };
}

/** Runs a loop until it is stopped, and closes it. Throws what a handler has thrown meanwhile. */
export async function runAndClose(loop: Loop): Promise<void> {
  await loop.run();
  loop.close();
  if (failed !== undefined) throw failed.error;
}

/** Turns between two steps of a script. */
const turnsOfAStep = 3;
/** Turns within which a condition has to come true: it depends on no time. */
const turnsOfAWait = 1000;

/** What a script hands out between its steps: nothing, or what to wait for, and what is wrong when it does not come. */
export type Pause = undefined | { until: () => boolean; otherwise: CheckFailure };

/**
 * Runs a loop and plays a script in it, one step in some turns: a descriptor that is always ready gives the beat.
 * The loop stops behind the last step.
 */
export async function play(loop: Loop, script: Generator<Pause, void>): Promise<void> {
  const beat = new Counter(true);
  let pause: Pause;
  let turns = 0;
  const step = () => {
    const goesOn = pause === undefined ? turns++ >= turnsOfAStep : pause.until();
    if (!goesOn && turns++ < turnsOfAWait) return;
    if (!goesOn && pause !== undefined) throw pause.otherwise;
    turns = 0;
    const next = script.next();
    pause = next.value ?? undefined;
    if (next.done) loop.stop();
  };
  const guarded = () => {
    try {
      step();
    } catch (error) {
      fail(error);
      loop.stop();
    }
  };
  watch(loop, beat, guarded);
  await runAndClose(loop);
  beat.close();
}

/** Counts the turns of a loop, idle ones too: it asks for the next timer in each, once or a few times. */
export function onQuestions({ timers }: Loop, onQuestion: () => void): void {
  const untilNext = timers.untilNext.bind(timers);
  timers.untilNext = () => {
    onQuestion();
    return untilNext();
  };
}

/** A pause until something has come about. */
export function until(condition: () => boolean, summary: string, expected: string, observed: string): Pause {
  return { until: condition, otherwise: new CheckFailure({ summary, expected, observed }) };
}
