import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { beginRun, endMarked, endRun, markOf, removeLeftover, removeLeftovers } from "./leftovers.ts";
import { Deadline } from "./machine.ts";
import { environmentValue, openDescriptors, readProcess } from "./proc.ts";
import { compiled, processesWithMark, temporaryFolder } from "./testing.ts";

const pidNamespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))![0];

const until = <T>(condition: () => T | undefined | false, ms = 5000) =>
  new Deadline(ms, 1, () => 0).until(condition, { pollMs: 5 });

/** The temporary folder for gradings, of which this test alone knows. */
let temporary: string;

beforeEach(() => {
  temporary = temporaryFolder();
  vi.stubEnv("TMPDIR", temporary);
  return () => vi.unstubAllEnvs();
});

/** A process with a mark, in a session of its own. */
function marked(mark: string): ChildProcess {
  const child = spawn("sleep", ["1000"], {
    env: { EXPSERVER_GRADING: mark },
    detached: true,
    stdio: "ignore",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

type Grader = {
  child: ChildProcess;
  folder: string;
  mark: string;
  watchdog: number;
  /** What it says next on its standard output. */
  nextLine: () => Promise<string>;
};

/**
 * A process that began a run, and started a program that ignores SIGTERM and lives in a session of its own.
 * @param end how it goes on: what it does when it has told about itself
 * @param prefix what starts it, instead of this process itself
 */
async function grader(
  end: string,
  options: { watchdog?: boolean; prefix?: [string, ...string[]]; silent?: boolean } = {},
): Promise<Grader> {
  const script = `
    const { beginRun, endRun } = await import(${JSON.stringify(compiled("grader/engine/leftovers.js"))});
    const { startWatchdog } = await import(${JSON.stringify(compiled("grader/engine/watchdog.js"))});
    const { spawn } = await import("node:child_process");
    const { writeFileSync } = await import("node:fs");
    const run = beginRun();
    const watchdog = ${options.watchdog ?? true} ? startWatchdog(run.folder) : { pid: 0 };
    writeFileSync(run.folder + "/plan.json", "{}");
    const env = { PATH: process.env.PATH, EXPSERVER_GRADING: run.mark + "/check" };
    const program = spawn("sh", ["-c", "trap '' TERM HUP; setsid sleep 1000 & echo; while :; do sleep 1; done"],
      { env, detached: true, stdio: ["ignore", "pipe", "ignore"] });
    program.unref();
    program.stdout.once("data", async () => {
      program.stdout.destroy();
      process.stdout.write(JSON.stringify({ folder: run.folder, mark: run.mark, watchdog: watchdog.pid }) + "\\n");
      ${end}
    });`;
  const [file, ...args] = [...(options.prefix ?? []), process.execPath, "--input-type=module", "-e", script];
  const child = spawn(file!, args, { stdio: ["ignore", "pipe", options.silent ? "ignore" : "inherit"] });
  // By lines: what it writes in two pieces may come in one.
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const nextLine = async () => String((await lines.next()).value);
  const told = JSON.parse(await nextLine()) as Omit<Grader, "child" | "nextLine">;
  onTestFinished(() => {
    child.kill("SIGKILL");
    endMarked(told.mark);
  });
  expect(processesWithMark(told.mark).length).toBeGreaterThanOrEqual(2);
  return { child, nextLine, ...told };
}

const goesOn = "setInterval(() => {}, 1000)";

/** Kills a process and waits until its parent knows. */
async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

describe("a run", () => {
  test("has a folder for its user alone, named after its process, and another mark each time", () => {
    const runs = [beginRun(), beginRun()];
    expect(new Set(runs.map(({ mark }) => mark)).size).toBe(2);
    for (const { folder, mark } of runs) {
      expect(folder).toBe(
        join(
          temporary,
          `expserver-course-${pidNamespace}-${process.pid}-${readProcess(process.pid)!.startTicks}-${mark}`,
        ),
      );
      expect(statSync(folder).mode & 0o777).toBe(0o700);
    }
  });

  test("ends with its processes and its folder, and leaves those of other runs alone", async () => {
    const [run, other] = [beginRun(), beginRun()];
    writeFileSync(join(run.folder, "file"), "");
    const own = [marked(markOf(run.mark, "one")), marked(markOf(run.mark, "other"))];
    const others = [
      marked(markOf(other.mark, "one")),
      marked(`${run.mark}x/one`),
      marked(`x${run.mark}/one`),
    ];
    expect(endRun(run)).toBe(true);
    for (const child of own) if (child.signalCode === null) await once(child, "exit");
    expect(own.map(({ signalCode }) => signalCode)).toEqual(["SIGKILL", "SIGKILL"]);
    // A process that is dying has no environment any more.
    expect(others.every(({ pid }) => environmentValue(pid!, "EXPSERVER_GRADING") !== undefined)).toBe(true);
    expect(readdirSync(temporary)).toEqual([expect.stringContaining(other.mark)]);
    expect(endRun(run)).toBe(true); // ending it again does no harm
  });

  test.each(["", "short", "no mark!", "../check"])("is never everything: %j is no mark", (mark) => {
    expect(() => endMarked(mark)).toThrow(TypeError);
  });

  test("can end a part of it", async () => {
    const { mark } = beginRun();
    const [build, other] = [marked(markOf(mark, "build")), marked(markOf(mark, "builder"))];
    expect(endMarked(markOf(mark, "build"))).toBe(true);
    if (build.signalCode === null) await once(build, "exit");
    expect(environmentValue(other.pid!, "EXPSERVER_GRADING")).toBe(markOf(mark, "builder"));
  });
});

describe("a later grader", () => {
  test("removes what a killed one left: processes in other sessions, and the folder", async () => {
    const { child, mark, folder } = await grader(goesOn, { watchdog: false });
    await kill(child);
    expect(processesWithMark(mark).length).toBeGreaterThanOrEqual(2);
    expect(existsSync(folder)).toBe(true);
    removeLeftovers();
    expect(processesWithMark(mark)).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test("leaves a grader that is at work alone", async () => {
    const { child, mark, folder } = await grader(goesOn, { watchdog: false });
    const before = processesWithMark(mark).map(({ pid }) => pid);
    removeLeftovers();
    expect(removeLeftover(folder)).toBe(false);
    expect(processesWithMark(mark).map(({ pid }) => pid)).toEqual(before);
    expect(existsSync(join(folder, "plan.json"))).toBe(true);
    await kill(child);
  });

  test("knows a dead grader although its parent did not collect it", async () => {
    // The shell becomes sleep, which never asks how its child ended: the child stays as a zombie.
    const prefix: [string, ...string[]] = ["sh", "-c", '"$@" & exec sleep 1000', "sh"];
    const { mark, folder } = await grader("setTimeout(() => process.kill(process.pid, 'SIGKILL'), 10)", {
      watchdog: false,
      prefix,
    });
    const pid = Number(/expserver-course-\d+-(\d+)-/.exec(folder)![1]);
    expect(await until(() => readProcess(pid)?.state === "Z")).toBe(true);
    removeLeftovers();
    expect(processesWithMark(mark)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  test("knows that a number was given to another process meanwhile", () => {
    const { folder } = beginRun();
    const stale = folder.replace(`-${readProcess(process.pid)!.startTicks}-`, "-1-");
    mkdirSync(stale);
    removeLeftovers();
    expect(existsSync(stale)).toBe(false);
    expect(existsSync(folder)).toBe(true);
  });

  test("touches no other folder of the temporary one", () => {
    const names = [
      "expserver-course-x",
      "expserver-course-1-1-deadbeef.txt",
      "my-expserver-course-1-1-deadbeef",
    ];
    for (const name of names) mkdirSync(join(temporary, name));
    removeLeftovers();
    expect(readdirSync(temporary).sort()).toEqual(names.sort());
  });

  test.skipIf(process.getuid!() !== 0)("leaves another user's to that user (needs root)", () => {
    const folder = join(temporary, `expserver-course-${pidNamespace}-4194305-1-deadbeef`);
    mkdirSync(folder);
    chownSync(folder, 65534, 65534);
    removeLeftovers();
    expect(existsSync(folder)).toBe(true);
    chownSync(folder, 0, 0);
    removeLeftovers();
    expect(existsSync(folder)).toBe(false);
  });
});

describe("the watchdog", () => {
  const nothingLeft = ({ mark }: Grader) =>
    until(() => processesWithMark(mark).length === 0 && readdirSync(temporary).length === 0);

  test.each(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGSEGV"] as const)(
    "ends the run of a grader that %s ended, within seconds",
    async (signal) => {
      const dying = await grader(goesOn);
      dying.child.kill(signal);
      await once(dying.child, "exit");
      expect(await nothingLeft(dying)).toBe(true);
      expect(await until(() => readProcess(dying.watchdog)?.state !== "S")).toBe(true);
    },
  );

  test.each([
    ["process.exit()", "process.exit(0)"],
    ["an uncaught error", "throw new Error('unexpected')"],
  ])("ends the run of a grader that ended by %s", async (_, end) => {
    const dying = await grader(end, { silent: true });
    await once(dying.child, "exit");
    expect(await nothingLeft(dying)).toBe(true);
  });

  test("lives when a signal goes to the whole group of the grader, as Ctrl-C in a terminal does", async () => {
    const prefix: [string, ...string[]] = ["setsid", "--wait"];
    const dying = await grader(goesOn, { prefix });
    const pid = Number(/expserver-course-\d+-(\d+)-/.exec(dying.folder)![1]);
    process.kill(-readProcess(pid)!.processGroup, "SIGKILL");
    expect(await nothingLeft(dying)).toBe(true);
  });

  test("ends nothing when it is dismissed, and is gone by then", async () => {
    const { child, folder, mark, nextLine, watchdog } = await grader(
      `const begun = performance.now();
       watchdog.dismiss().then(() => { process.stdout.write(performance.now() - begun + "\\n"); ${goesOn} });`,
    );
    expect(Number(await nextLine())).toBeLessThan(5000); // one that became a reaper would look for 10 s
    expect(readProcess(watchdog)).toBeUndefined();
    await kill(child);
    expect(processesWithMark(mark).length).toBeGreaterThanOrEqual(2);
    expect(existsSync(folder)).toBe(true);
    removeLeftovers();
  });

  test("does not keep the grader from ending", async () => {
    const { child } = await grader("");
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);
  });

  const perl = spawnSync("perl", ["-e", "1"]).status === 0;
  test.skipIf(!perl)("ends a chain of short-lived processes too (needs perl)", async () => {
    const chain = `require("node:child_process").spawn("perl", ["-e", "until (time - $^T > 20) { exit if fork }"],
      { env: { PATH: process.env.PATH, EXPSERVER_GRADING: run.mark + "/chain" }, detached: true }).unref();`;
    const dying = await grader(
      `const { createRequire } = await import("node:module");
       const require = createRequire("/");
       ${chain}
       setTimeout(() => process.kill(process.pid, "SIGKILL"), 100);`,
    );
    await once(dying.child, "exit");
    expect(await nothingLeft(dying)).toBe(true);
    for (let look = 0; look < 20; look++) expect(processesWithMark(dying.mark)).toEqual([]);
  });

  test("being killed does the grader no harm; the next one clears up", async () => {
    const dying = await grader(
      `process.kill(watchdog.pid, "SIGKILL");
       setTimeout(() => watchdog.dismiss().then(() => { process.stdout.write("dismissed\\n"); ${goesOn} }), 50);`,
    );
    await dying.nextLine();
    await kill(dying.child);
    expect(existsSync(dying.folder)).toBe(true);
    removeLeftovers();
    expect(await nothingLeft(dying)).toBe(true);
  });

  test("is a waiting shell without the mark, in a session of its own, with nothing open but its input", async () => {
    vi.stubEnv("EXPSERVER_GRADING", "someone/else");
    vi.stubEnv("NODE_OPTIONS", "--max-old-space-size=512");
    const { child, watchdog } = await grader(goesOn);
    const { session, threads, residentPages } = readProcess(watchdog)!;
    expect(session).toBe(watchdog);
    expect(threads).toBe(1);
    expect(residentPages * 4096).toBeLessThan(8 * 1024 * 1024);
    expect(environmentValue(watchdog, "EXPSERVER_GRADING")).toBeUndefined();
    expect(environmentValue(watchdog, "NODE_OPTIONS")).toBeUndefined();
    expect(environmentValue(watchdog, "TMPDIR")).toBe(temporary);
    const inherited = openDescriptors(process.ppid).map(({ target }) => target);
    const open = openDescriptors(watchdog).filter(
      ({ target }) => !inherited.includes(target) && target !== "/dev/null",
    );
    expect(open.map(({ fd }) => fd)).toEqual([0]);
    expect(realpathSync(`/proc/${watchdog}/cwd`)).toBe("/");
    await kill(child);
  });
});
