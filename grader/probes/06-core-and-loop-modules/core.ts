/** What the core promises to those who give it their resources. */
import { readdirSync } from "node:fs";
import { Core, type Owned } from "workspace:core/core";
import { assert, count } from "../../engine/evidence.ts";

/** Runs a core until it ends by itself. What it throws at the end is its own affair here. */
async function runToItsEnd(core: Core): Promise<void> {
  try {
    await core.run();
  } catch {
    // A resource that cannot be given back may well be told so.
  }
}

/** Runs a core that owns nothing. */
async function runBriefly(): Promise<void> {
  const core = new Core();
  core.loop.timers.set(0, () => core.stop());
  await core.run();
}

/** It destroys what it owns, once, the youngest first, and whatever happens meanwhile. */
export async function destroysWhatItOwns(): Promise<void> {
  // Also, Node opens descriptors of its own for the first line and the first signal handler.
  console.log("waiting for core.stop() to end core.run()");
  await runBriefly();
  const before = readdirSync("/proc/self/fd").length;
  const core = new Core();
  const destroyed: string[] = [];
  const resource = (name: string, trouble?: Error): Owned => ({
    destroy() {
      destroyed.push(name);
      if (trouble !== undefined) throw trouble;
    },
  });
  const first = resource("first");
  const owned = core.own(first);
  assert(owned === first, {
    summary: "own() does not return the resource",
    expected: "the resource that it was given",
    observed: String(owned),
  });
  core.own(resource("second"));
  const given = core.own(resource("given up"));
  core.own(resource("third, which throws", new Error("thrown on purpose by destroy")));
  core.own(resource("fourth"));
  core.disown(given);
  core.disown(resource("never owned"));
  core.loop.timers.set(5, () => {
    destroyed.push("(still running)");
    core.stop();
  });
  await runToItsEnd(core);
  const expected = ["(still running)", "fourth", "third, which throws", "second", "first"];
  assert(destroyed.join() === expected.join(), {
    summary: "the core does not destroy what it owns, the youngest first",
    expected: expected.join(", "),
    observed: destroyed.join(", "),
  });
  const open = readdirSync("/proc/self/fd").length;
  assert(open === before, {
    summary: "a core leaves descriptors open when it ends",
    expected: "its loop closed, and as many open descriptors as before",
    observed: count(open - before, "more descriptor"),
  });
}

/** SIGINT and SIGTERM end it, and its handlers go with it. */
export async function endsOnSignals(): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const core = new Core();
    let destroyed = 0;
    core.own({ destroy: () => void destroyed++ });
    setTimeout(() => process.kill(process.pid, signal), 5);
    console.log(`waiting for ${signal} to end core.run()`);
    await core.run();
    assert(destroyed === 1, {
      summary: `a core that ${signal} has ended does not destroy what it owns`,
      expected: "one call of destroy",
      observed: count(destroyed, "call"),
    });
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      assert(process.listenerCount(name) === 0, {
        summary: "a core leaves handlers of signals behind",
        expected: `no handler of ${name} after run(): from here on the signal may end the program at once`,
        observed: count(process.listenerCount(name), "handler"),
      });
    }
  }
}

/** An error that nobody catches is no reason to leave things open. */
export async function destroysAfterError(): Promise<void> {
  const core = new Core();
  let destroyed = 0;
  core.own({ destroy: () => void destroyed++ });
  const error = new Error("thrown on purpose by a timer without onError");
  core.loop.timers.set(0, () => {
    throw error;
  });
  let thrown: unknown;
  await core.run().catch((reason: unknown) => {
    thrown = reason;
  });
  assert(thrown === error && destroyed === 1, {
    summary: "an error that nobody catches does not end the core in an orderly way",
    expected: "that run() destroys what the core owns, and then throws the error",
    observed: `${count(destroyed, "call")} of destroy, and run() ${thrown === undefined ? "threw nothing" : `threw ${String(thrown)}`}`,
  });
}
