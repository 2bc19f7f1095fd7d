import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Core, type Owned } from "./core.ts";

const signals = ["SIGINT", "SIGTERM"] as const;

/** The test runner's own handlers, which would end it. */
let others: { signal: NodeJS.Signals; listener: NodeJS.SignalsListener }[] = [];

beforeEach(() => {
  others = signals.flatMap((signal) =>
    process.listeners(signal).map((listener) => ({ signal, listener: listener as NodeJS.SignalsListener })),
  );
  for (const { signal, listener } of others) process.off(signal, listener);
});
afterEach(() => {
  for (const { signal, listener } of others) process.on(signal, listener);
});

/** Resources that note their names when they are destroyed. */
function resources() {
  const destroyed: string[] = [];
  const resource = (name: string, deed = () => {}): Owned => ({
    destroy() {
      destroyed.push(name);
      deed();
    },
  });
  return { destroyed, resource };
}

function stopSoon(core: Core): void {
  core.loop.timers.set(0, () => core.stop());
}

describe("run", () => {
  test("destroys what the core owns, the youngest first", async () => {
    const core = new Core();
    const { destroyed, resource } = resources();
    for (const name of ["a", "b", "c"]) core.own(resource(name));
    stopSoon(core);
    await core.run();
    expect(destroyed).toEqual(["c", "b", "a"]);
  });

  test("leaves alone what was disowned", async () => {
    const core = new Core();
    const { destroyed, resource } = resources();
    core.own(resource("a"));
    core.disown(core.own(resource("b")));
    stopSoon(core);
    await core.run();
    expect(destroyed).toEqual(["a"]);
  });

  test("destroys the others when one makes trouble, and tells of it", async () => {
    const core = new Core();
    const { destroyed, resource } = resources();
    const trouble = () => {
      throw new Error("trouble");
    };
    core.own(resource("a"));
    core.own(resource("b", trouble));
    core.own(resource("c"));
    stopSoon(core);
    await expect(core.run()).rejects.toMatchObject({ errors: [new Error("trouble")] });
    expect(destroyed).toEqual(["c", "b", "a"]);
  });

  test("destroys everything when an error ends the loop", async () => {
    const core = new Core();
    const { destroyed, resource } = resources();
    core.own(resource("a"));
    core.loop.timers.set(0, () => {
      throw new Error("trouble");
    });
    await expect(core.run()).rejects.toThrow("trouble");
    expect(destroyed).toEqual(["a"]);
  });

  test("closes the loop", async () => {
    const open = () => readdirSync("/proc/self/fd").length;
    const once = async () => {
      const core = new Core();
      stopSoon(core);
      await core.run();
    };
    await once();
    const before = open();
    await once();
    expect(open()).toBe(before);
  });
});

describe.each(signals)("%s", (signal) => {
  test("ends run in good order, and its handlers with it", async () => {
    const core = new Core();
    const { destroyed, resource } = resources();
    core.own(resource("a"));
    core.loop.timers.set(0, () => void process.kill(process.pid, signal));
    await core.run();
    expect(destroyed).toEqual(["a"]);
    expect(signals.map((each) => process.listenerCount(each))).toEqual([0, 0]);
  });
});
