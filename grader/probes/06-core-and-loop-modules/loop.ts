/** What the loop promises to handlers. */
import { Loop } from "workspace:core/loop";
import { EPOLLET, EPOLLIN, EPOLLOUT } from "expserver-course/linux";
import { assert, count } from "../../engine/evidence.ts";
import { Counter, counters, play, runAndClose, until, watch } from "./counter.ts";

/** Handlers are told what they asked for, as long as they ask. */
export async function tellsHandlers(): Promise<void> {
  const loop = new Loop();
  const [ready, idle] = [new Counter(true), new Counter(false)];
  const told = { ready: 0, idle: 0 };
  let seen = 0;
  const onReady = (events: number) => {
    told.ready++;
    seen |= events;
  };
  const silent = (summary: string, calls: number) =>
    assert(told.ready === calls, {
      summary,
      expected: "no further call of its handler",
      observed: count(told.ready - calls, "call"),
    });
  watch(loop, ready, onReady);
  watch(loop, idle, () => told.idle++);
  const isTold = (who: string) =>
    until(
      () => told.ready > 0,
      `the handler of a descriptor that is ready is not called ${who}`,
      "its onReady in one of the next turns",
      "no call in a thousand turns",
    );
  await play(
    loop,
    (function* () {
      yield isTold("after add");
      assert(seen === EPOLLIN, {
        summary: "a handler is told other events than epoll_wait has fetched",
        expected: `0x${EPOLLIN.toString(16)} (EPOLLIN)`,
        observed: `0x${seen.toString(16)}`,
      });
      yield;
      assert(told.idle === 0, {
        summary: "the handler of a descriptor that is not ready is called",
        expected: "no call",
        observed: count(told.idle, "call"),
      });
      loop.modify(ready.fd, 0);
      yield; // what had been fetched before may still come
      const atModify = told.ready;
      yield;
      silent("modify(fd, 0) does not silence a descriptor", atModify);
      loop.modify(ready.fd, EPOLLOUT);
      told.ready = seen = 0;
      yield isTold("after modify");
      assert(seen === EPOLLOUT, {
        summary: "modify does not change what is told of a descriptor",
        expected: `0x${EPOLLOUT.toString(16)} (EPOLLOUT)`,
        observed: `0x${seen.toString(16)}`,
      });
      loop.modify(ready.fd, 0);
      yield; // what is removed in the midst of its batch is the matter of another probe
      loop.remove(ready.fd);
      const atRemove = told.ready;
      yield;
      silent("a descriptor that was removed is told still", atRemove);
      told.ready = 0;
      watch(loop, ready, onReady);
      yield isTold("after remove and add");
      idle.raise();
      yield until(
        () => told.idle > 0,
        "a descriptor that becomes ready late is not told",
        "its onReady",
        "no call",
      );
      loop.modify(ready.fd, 0);
      loop.modify(idle.fd, 0);
      yield;
      loop.remove(ready.fd);
      loop.remove(idle.fd);
    })(),
  );
  ready.close();
  idle.close();
}

/** A handler that was removed by another one is not called, not even for an event that has been fetched. */
export async function detachesInBatch(): Promise<void> {
  const loop = new Loop();
  const all = counters(8, true);
  const removed = new Set<number>();
  let remover = -1;
  const wrong: number[] = [];
  for (const counter of all) {
    const { fd } = counter;
    const onReady = () => {
      if (removed.has(fd)) wrong.push(fd);
      if (remover !== -1) return;
      remover = fd;
      for (const other of all) {
        if (other.fd === fd) continue;
        loop.remove(other.fd);
        removed.add(other.fd);
      }
    };
    watch(loop, counter, onReady);
  }
  // The second time a handler removes itself: that must not keep the others from being told.
  const leaving = counters(8, true);
  const told = new Set<number>();
  const leave = (fd: number) => () => {
    told.add(fd);
    loop.remove(fd);
  };
  await play(
    loop,
    (function* () {
      yield;
      assert(wrong.length === 0, {
        summary: "a handler that an earlier handler of the same batch has removed is called",
        expected: "no call after remove, also not for an event that epoll_wait had fetched before",
        observed: `descriptor ${remover}'s handler removed 7 others, and ${wrong.length} of them ${wrong.length === 1 ? "was" : "were"} called after that`,
      });
      for (const each of leaving) watch(loop, each, leave(each.fd));
      yield until(
        () => told.size === leaving.length,
        "handlers that remove themselves keep others from being called",
        `a call for each of ${leaving.length} descriptors`,
        `a call for ${told.size}`,
      );
      loop.remove(remover);
    })(),
  );
}

/** A number that was closed and given out again is another descriptor. */
export async function guardsReusedNumbers(): Promise<void> {
  const loop = new Loop();
  const old = counters(8, true);
  let fresh: Counter[] = [];
  const told = new Set<number>();
  const oldCalled: number[] = [];
  let first = -1;
  for (const counter of old) {
    const { fd } = counter;
    const onReady = () => {
      if (first === fd) return;
      if (first !== -1) return void oldCalled.push(fd);
      first = fd;
      for (const other of old) {
        if (other.fd === fd) continue;
        loop.remove(other.fd);
        other.close();
      }
      // The lowest free numbers: those that were closed just now, of which events may still wait in the batch.
      fresh = counters(7, false);
      for (const next of fresh) {
        watch(loop, next, () => told.add(next.fd));
      }
    };
    watch(loop, counter, onReady);
  }
  await play(
    loop,
    (function* () {
      yield;
      assert(told.size === 0 && oldCalled.length === 0, {
        summary: "an event of a closed descriptor goes to the one that got its number",
        expected: "no call: the new descriptors have never been ready, and the old ones are closed",
        observed:
          told.size > 0
            ? `the new handler of descriptor ${[...told].join(", ")} was called`
            : `the old handler of descriptor ${oldCalled.join(", ")} was called`,
      });
      for (const each of fresh) each.raise();
      yield until(
        () => told.size === fresh.length,
        "a descriptor that got the number of a closed one is never told",
        `a call for each of ${fresh.length} descriptors, once they are ready`,
        `a call for some of them only`,
      );
    })(),
  );
}

/** Handlers add descriptors, also ones that are ready. */
export async function attachesInBatch(): Promise<void> {
  const loop = new Loop();
  const [starter, ready, idle, edge] = [true, true, false, true].map((each) => new Counter(each));
  const told = { ready: 0, readyAgain: 0, idle: 0, edge: 0, edgeAgain: 0 };
  const counting = (name: keyof typeof told) => () => {
    told[name]++;
  };
  const isTold = (name: keyof typeof told, what: string) =>
    until(
      () => told[name] > 0,
      `${what} is not told`,
      "a call of its handler",
      "no call in a thousand turns",
    );
  const begin = () => {
    loop.remove(starter!.fd);
    watch(loop, ready!, counting("ready"));
    watch(loop, idle!, counting("idle"));
    watch(loop, edge!, counting("edge"), EPOLLIN | EPOLLET);
  };
  watch(loop, starter!, begin);
  await play(
    loop,
    (function* () {
      yield isTold("ready", "a ready descriptor that a handler has added");
      yield isTold("edge", "a ready descriptor that a handler has added with EPOLLET");
      assert(told.idle === 0, {
        summary: "a descriptor that a handler has added is told although it is not ready",
        expected: "no call",
        observed: count(told.idle, "call"),
      });
      idle!.raise();
      yield isTold("idle", "a descriptor that a handler has added, and that becomes ready later,");
      loop.remove(ready!.fd);
      watch(loop, ready!, counting("readyAgain"));
      loop.remove(edge!.fd);
      watch(loop, edge!, counting("edgeAgain"), EPOLLIN | EPOLLET);
      const before = told.ready + told.edge;
      yield isTold("readyAgain", "a descriptor that was removed and added within a turn");
      yield isTold("edgeAgain", "a descriptor that was removed and added with EPOLLET within a turn");
      assert(told.ready + told.edge === before, {
        summary: "the old handler of a descriptor that was removed and added is called",
        expected: "calls of the new one only",
        observed: count(told.ready + told.edge - before, "call"),
      });
    })(),
  );
}

/** What a handler throws is its own trouble. */
export async function keepsErrorsApart(): Promise<void> {
  const loop = new Loop();
  const all = counters(9, true);
  const thrown = new Map<number, Error>();
  const caught = new Map<number, unknown[]>();
  const served = new Map<number, number>();
  all.forEach(({ fd }, index) => {
    const onReady = () => {
      served.set(fd, (served.get(fd) ?? 0) + 1);
      if (index % 3 !== 1) return;
      const error = new Error(`thrown on purpose by the handler of descriptor ${fd}`);
      thrown.set(fd, error);
      throw error;
    };
    const onError = (error: unknown) => {
      caught.set(fd, [...(caught.get(fd) ?? []), error]);
      loop.remove(fd);
    };
    loop.add(fd, EPOLLIN, { onReady, onError });
  });
  const throwing = all.filter((_, index) => index % 3 === 1);
  const others = all.filter((_, index) => index % 3 !== 1);
  const script = (function* () {
    yield;
    for (const { fd } of throwing) {
      const got = caught.get(fd) ?? [];
      assert(got.length === 1 && got[0] === thrown.get(fd), {
        summary: "what a handler throws does not reach its onError",
        expected: "one call of onError, with the error that onReady threw",
        observed: got.length === 1 ? `another error: ${String(got[0])}` : count(got.length, "call"),
      });
    }
    const unserved = others.filter(({ fd }) => (served.get(fd) ?? 0) < 2 || caught.has(fd));
    assert(unserved.length === 0, {
      summary: "an error of one handler disturbs others",
      expected: "that everybody else goes on being called, and that nobody else's onError is",
      observed: `trouble for ${count(unserved.length, "descriptor")} of ${others.length}`,
    });
  })();
  try {
    await play(loop, script);
  } catch (error) {
    assert(![...thrown.values()].includes(error as Error), {
      summary: "an error of one handler ends the loop",
      expected: "a call of the handler's onError, and that the loop goes on",
      observed: `run() ended with it: ${String(error)}`,
    });
    throw error;
  }
}

/** `again` tells events in the next turn, and no others. */
export async function tellsAgain(): Promise<void> {
  await wakesForAgain();
  const loop = new Loop();
  const [once, removed, reused, eager] = counters(4, false);
  const told = { once: 0, removed: 0, reused: 0, fresh: 0 };
  let eagerCalls = 0;
  let turns = 0;
  const turnCounter = new Counter(true);
  watch(loop, turnCounter, () => turns++);
  watch(loop, once!, () => told.once++);
  watch(loop, removed!, () => told.removed++);
  watch(loop, reused!, () => told.reused++);
  watch(loop, eager!, () => {
    if (++eagerCalls < 50) loop.again(eager!.fd, EPOLLIN);
  });
  await play(
    loop,
    (function* () {
      loop.again(once!.fd, EPOLLIN);
      loop.again(removed!.fd, EPOLLIN);
      loop.again(reused!.fd, EPOLLIN);
      loop.remove(removed!.fd);
      loop.remove(reused!.fd);
      reused!.close();
      const fresh = new Counter(false);
      watch(loop, fresh, () => told.fresh++);
      yield;
      assert(told.once === 1, {
        summary: "again(fd, events) does not tell the handler once",
        expected: "one call of its onReady",
        observed: count(told.once, "call"),
      });
      assert(told.removed + told.reused + told.fresh === 0, {
        summary: "again(fd, events) reaches a handler although its descriptor was removed since",
        expected: "no call",
        observed:
          told.fresh > 0
            ? `a call of the handler that got the number ${fresh.fd}`
            : count(told.removed + told.reused, "call"),
      });
      turns = 0;
      loop.again(eager!.fd, EPOLLIN);
      yield until(
        () => eagerCalls === 50,
        "a handler that calls again in each turn is not told each time",
        "50 calls",
        "fewer",
      );
      assert(turns >= 45, {
        summary: "a handler that calls again in each turn keeps others from theirs",
        expected: "that again takes effect in the next turn: others are called between",
        observed: `${count(turns, "turn")} while it was called 50 times`,
      });
    })(),
  );
}

/** A loop that sleeps with `again` to do wakes up no earlier than this, in milliseconds. */
const longSleep = 3000;

/** Nothing else happens, and the loop would sleep. */
async function wakesForAgain(): Promise<void> {
  const loop = new Loop();
  const [starter, idle] = [new Counter(true), new Counter(false)];
  let seen = 0;
  let asked = 0;
  const begin = () => {
    starter.lower();
    loop.again(idle.fd, EPOLLIN);
    loop.again(idle.fd, EPOLLOUT);
    asked = performance.now();
    setTimeout(() => loop.stop(), longSleep);
  };
  const onReady = (events: number) => {
    seen |= events;
    if (seen === (EPOLLIN | EPOLLOUT)) loop.stop();
  };
  watch(loop, starter, begin);
  watch(loop, idle, onReady);
  await runAndClose(loop);
  const slept = performance.now() - asked >= longSleep;
  assert(!slept && seen === (EPOLLIN | EPOLLOUT), {
    summary: slept
      ? "the loop sleeps although again(fd, events) was called"
      : "again, called twice, does not tell all events",
    expected: "the events of both calls, EPOLLIN and EPOLLOUT, in the next turn, without sleeping before it",
    observed: slept ? "it slept until something else woke it" : `0x${seen.toString(16)}`,
  });
}
