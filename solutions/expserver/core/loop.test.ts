import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { close, EPOLLET, EPOLLIN, EPOLLOUT, eventfd } from "expserver-course/linux";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Loop } from "./loop.ts";

const EFD_NONBLOCK = 0o4000;
const open = new Set<number>();

/** A descriptor that is always ready, or never. */
function descriptor(ready: boolean): number {
  const fd = eventfd(ready ? 1 : 0, EFD_NONBLOCK);
  open.add(fd);
  return fd;
}

function closeDescriptor(fd: number): void {
  close(fd);
  open.delete(fd);
}

afterEach(() => {
  for (const fd of open) close(fd);
  open.clear();
});

/** A loop with what the tests say to it. */
function testLoop() {
  const loop = new Loop();
  let failure: { error: unknown } | undefined;
  const onError = (error: unknown) => {
    failure ??= { error };
    loop.stop();
  };
  const watch = (fd: number, onReady: (events: number) => void, events = EPOLLIN) =>
    loop.add(fd, events, { onReady, onError });
  /** Has a function called once in every turn, also where nothing else is ready. */
  const everyTurn = (onTurn: () => void) => watch(descriptor(true), onTurn);
  /** Stops after so many turns. */
  const stopAfter = (turns: number) => {
    let left = turns;
    everyTurn(() => {
      if (--left === 0) loop.stop();
    });
  };
  const run = async () => {
    await loop.run();
    loop.close();
    if (failure !== undefined) throw failure.error;
  };
  return { loop, watch, everyTurn, stopAfter, run };
}

describe("a batch", () => {
  test("calls nobody who was removed by an earlier handler of it", async () => {
    const { loop, watch, stopAfter, run } = testLoop();
    const all = [1, 2, 3, 4].map(() => descriptor(true));
    const called = new Set<number>();
    for (const fd of all) {
      watch(fd, () => {
        called.add(fd);
        for (const other of all) if (other !== fd) loop.remove(other);
      });
    }
    stopAfter(3);
    await run();
    expect(called.size).toBe(1);
  });

  test("gives no old event to a descriptor that got a closed one's number", async () => {
    const { loop, watch, stopAfter, run } = testLoop();
    const old = [1, 2, 3, 4].map(() => descriptor(true));
    const fresh: number[] = [];
    const told: number[] = [];
    for (const fd of old) {
      watch(fd, () => {
        if (fresh.length > 0) return;
        const others = old.filter((other) => other !== fd);
        for (const other of others) {
          loop.remove(other);
          closeDescriptor(other);
        }
        fresh.push(...others.map(() => descriptor(false)));
        expect(fresh.sort()).toEqual(others.sort());
        for (const each of fresh) watch(each, () => told.push(each));
      });
    }
    stopAfter(3);
    await run();
    expect(fresh).toHaveLength(3);
    expect(told).toEqual([]);
  });

  test.each([
    ["level", EPOLLIN],
    ["edge", EPOLLIN | EPOLLET],
  ])(
    "loses no event of a descriptor that is removed and added within it (%s-triggered)",
    async (_, events) => {
      const { loop, watch, run, stopAfter } = testLoop();
      const fd = descriptor(true);
      let told = 0;
      watch(
        fd,
        () => {
          loop.remove(fd);
          watch(fd, () => told++, events);
        },
        events,
      );
      stopAfter(4);
      await run();
      expect(told).toBeGreaterThanOrEqual(1);
    },
  );

  test("tells a descriptor that a handler has added, once it is ready", async () => {
    const { loop, watch, run } = testLoop();
    const [first, second] = [descriptor(true), descriptor(true)];
    watch(first, () => {
      loop.remove(first);
      watch(second, (events) => {
        expect(events).toBe(EPOLLIN);
        loop.stop();
      });
    });
    await run();
  });

  test("gives what a handler throws to its own onError, and goes on", async () => {
    const { loop, everyTurn, run } = testLoop();
    const errors: unknown[] = [];
    const fd = descriptor(true);
    const onReady = () => {
      throw new Error("trouble");
    };
    const onError = (error: unknown) => {
      errors.push(error);
      loop.remove(fd);
    };
    loop.add(fd, EPOLLIN, { onReady, onError });
    let turns = 0;
    everyTurn(() => {
      if (++turns === 3) loop.stop();
    });
    await run();
    expect(errors).toEqual([new Error("trouble")]);
    expect(turns).toBe(3);
  });

  test("removes a descriptor twice without complaint", () => {
    const { loop, watch } = testLoop();
    const fd = descriptor(true);
    watch(fd, () => {});
    loop.remove(fd);
    loop.remove(fd);
    loop.close();
  });
});

describe("again", () => {
  test("tells the events of all calls once, in the next turn", async () => {
    const { loop, watch, everyTurn, run } = testLoop();
    const fd = descriptor(false);
    const told: { turn: number; events: number }[] = [];
    let turn = 0;
    watch(fd, (events) => told.push({ turn, events }));
    everyTurn(() => {
      turn++;
      if (turn === 2) {
        loop.again(fd, EPOLLIN);
        loop.again(fd, EPOLLOUT);
      }
      if (turn === 6) loop.stop();
    });
    await run();
    expect(told).toEqual([{ turn: 3, events: EPOLLIN | EPOLLOUT }]);
  });

  test("lets others take their turn when a handler calls it each time", async () => {
    const { loop, watch, everyTurn, run } = testLoop();
    const fd = descriptor(false);
    let turns = 0;
    let calls = 0;
    everyTurn(() => {
      if (turns++ === 0) loop.again(fd, EPOLLIN);
    });
    watch(fd, () => {
      loop.again(fd, EPOLLIN);
      if (++calls === 100) loop.stop();
    });
    await run();
    expect(turns).toBe(101);
  });

  test("does not sleep before it", async () => {
    const { loop, watch, run } = testLoop();
    const [first, second] = [descriptor(true), descriptor(false)];
    const sleeps = vi.spyOn(loop.timers, "untilNext");
    watch(first, () => {
      loop.remove(first);
      sleeps.mockClear();
      loop.again(second, EPOLLIN);
    });
    watch(second, () => {
      expect(sleeps).not.toHaveBeenCalled(); // nobody asked how long to sleep
      loop.stop();
    });
    await run();
  });

  test("reaches nobody who was removed, nor who got the number", async () => {
    const { loop, watch, everyTurn, run } = testLoop();
    const fd = descriptor(false);
    let told = 0;
    let turns = 0;
    watch(fd, () => told++);
    everyTurn(() => {
      turns++;
      if (turns === 1) {
        loop.again(fd, EPOLLIN);
        loop.remove(fd);
        watch(fd, () => told++);
      }
      if (turns === 5) loop.stop();
    });
    await run();
    expect(told).toBe(0);
  });
});

describe("timers", () => {
  test("are called while nothing else happens, and while everything does", async () => {
    for (const ready of [false, true]) {
      const { loop, watch, run } = testLoop();
      for (let i = 0; i < 20; i++) watch(descriptor(ready), () => {});
      const called: number[] = [];
      for (const delay of [20, 0, 10]) {
        loop.timers.set(delay, () => {
          called.push(delay);
          if (called.length === 3) loop.stop();
        });
      }
      await run();
      expect(called).toEqual([0, 10, 20]);
    }
  });

  test("let the loop sleep until they are due, however far away others are", async () => {
    const { loop, watch, run } = testLoop();
    watch(descriptor(false), () => {});
    const asked = vi.spyOn(loop.timers, "untilNext");
    for (const far of [2 ** 31, 2 ** 32, 1e12, Number.POSITIVE_INFINITY]) loop.timers.set(far, () => {});
    // A turn asks once. Node has a few things of its own to do; a loop that does not sleep turns a thousand times.
    setTimeout(() => loop.stop(), 60);
    await run();
    expect(asked.mock.calls.length).toBeLessThan(50);
  });

  test("of half milliseconds wake the loop when they are due, not before", async () => {
    const { loop, watch, run } = testLoop();
    watch(descriptor(false), () => {});
    const asked = vi.spyOn(loop.timers, "untilNext");
    let left = 20;
    const next = () => {
      if (left-- === 0) loop.stop();
      else loop.timers.set(1.5, next);
    };
    next();
    await run();
    expect(asked.mock.calls.length).toBeLessThan(200);
  });
});

describe("Node, beside the loop,", () => {
  /** Turns after which a signal must have been heard; a few are enough. */
  const manyTurns = 1000;

  test.each([64, 300])("hears signals under full load, with %i ready descriptors", async (number) => {
    const { loop, watch, everyTurn, run } = testLoop();
    for (let i = 0; i < number; i++) watch(descriptor(true), () => {});
    let heard = 0;
    const onSignal = () => void heard++;
    process.on("SIGUSR2", onSignal);
    let turns = 0;
    let signals = 0;
    everyTurn(() => {
      turns++;
      if (heard === signals) {
        if (signals === 5) return loop.stop();
        process.kill(process.pid, "SIGUSR2");
        signals++;
        turns = 0;
      }
      expect(turns).toBeLessThan(manyTurns);
    });
    await run();
    process.off("SIGUSR2", onSignal);
    expect(heard).toBe(5);
  });

  test("goes on with timers, immediates and children, whether the loop is idle or busy", async () => {
    for (const ready of [false, true]) {
      const { loop, watch, run } = testLoop();
      for (let i = 0; i < 20; i++) watch(descriptor(ready), () => {});
      const missing = new Set(["setTimeout", "setInterval", "setImmediate", "a child"]);
      const came = (what: string) => {
        missing.delete(what);
        if (missing.size === 0) loop.stop();
      };
      setTimeout(() => came("setTimeout"), 10);
      const interval = setInterval(() => came("setInterval"), 5);
      setImmediate(() => came("setImmediate"));
      spawn("true", { stdio: "ignore" }).on("exit", () => came("a child"));
      await run();
      clearInterval(interval);
      expect([...missing]).toEqual([]);
    }
  });

  test("fires a setTimeout that a handler has set", async () => {
    const { loop, watch, run } = testLoop();
    const fd = descriptor(true);
    let fired = false;
    watch(fd, () => {
      loop.remove(fd);
      setTimeout(() => {
        fired = true;
        loop.stop();
      }, 5);
    });
    await run();
    expect(fired).toBe(true);
  });
});

describe("run", () => {
  test("ends with what nobody catches", async () => {
    const { loop, run } = testLoop();
    loop.timers.set(0, () => {
      throw new Error("trouble");
    });
    await expect(run()).rejects.toThrow("trouble");
    loop.close();
  });

  test("leaves nothing open after close", async () => {
    const count = () => readdirSync("/proc/self/fd").length;
    const once = async () => {
      const { loop, run } = testLoop();
      loop.timers.set(0, () => loop.stop());
      await run();
    };
    await once();
    const before = count();
    await once();
    expect(count()).toBe(before);
  });
});
