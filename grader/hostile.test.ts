/** Whole gradings of programs that do everything wrong: what is found, and that nothing is left. */
import { describe, expect, test } from "vitest";
import { listenersOn } from "./engine/listeners.ts";
import {
  checksFile,
  GradingProcess,
  graded,
  nodeWorkspace,
  packageWith,
  resultOf,
  shellWorkspace,
  until,
} from "./grading-process.ts";
import type { GradeRecord } from "./record.ts";

/** Its port, which the report names. */
function portOf(record: GradeRecord): number {
  return Number(/tcp-server (\d+)/.exec(JSON.stringify(record))![1]);
}

/** A check that the program listens soon and says so, with less patience than the course's own. */
const root = packageWith(
  checksFile(`check("serves", words, async ({ launch, freePort }) => {
    const port = await freePort();
    const program = launch([String(port)]);
    program.port = port;
    await program.listening(2000);
    assert(await program.printed("listening", 500), { summary: "no word", expected: "a word", observed: "none" });
  })`),
);

const listen = 'require("net").createServer().listen(process.argv[2])';
const eat = "const held = []; setInterval(() => held.push(Buffer.alloc(64 * 1024 * 1024, 1)), 5)";

/**
 * A server that leaves its parent, its group and its session twice. The program ends when that is done, and
 * what is left of it listens when the program has ended.
 * @param env the environment of what is left
 */
const daemon = (env: string) => `
  const fs = require("fs");
  const [, file, port, program] = process.argv;
  const isUp = "up-" + port;
  const spawn = (...args) => require("child_process").spawn(process.execPath, [file, port, ...args],
    { detached: true, stdio: "inherit", env: ${env} }).unref();
  const poll = (condition, then) => setInterval(function () { if (condition()) { clearInterval(this); then(); } }, 5);
  const isGone = (pid) => { try { process.kill(pid, 0); } catch { return true; } };
  if (program === undefined) {
    spawn("of", process.pid);
    poll(() => fs.existsSync(isUp), () => process.exit());
  } else if (program === "of") {
    spawn(process.argv[4]);
    process.exit();
  } else {
    fs.writeFileSync(isUp, "");
    process.on("SIGTERM", () => {});
    poll(() => isGone(Number(program)), () => require("net").createServer().listen(port));
  }`;

type Finding = { summary?: RegExp; observed?: RegExp; death?: RegExp; output?: RegExp };

const ended = { summary: /^tcp-server ended before it listened on port \d+$/ };

describe.concurrent("a tcp-server that", () => {
  test.concurrent.each<[what: string, workspace: () => string, finding: Finding]>([
    [
      "never listens",
      () => shellWorkspace("exec sleep 1000"),
      {
        summary: /^tcp-server does not listen on port \d+$/,
        observed: /^the program runs and listens on no port$/,
      },
    ],
    [
      "exits at once",
      () => shellWorkspace("echo 'cannot work' >&2; exit 3"),
      { ...ended, observed: /^the program ended with status 3$/, output: /^cannot work$/ },
    ],
    [
      "crashes",
      () => shellWorkspace("ulimit -c 0; kill -SEGV $$"),
      { ...ended, observed: /^the program was ended by SIGSEGV: it used memory that is not its own$/ },
    ],
    [
      "goes to the background",
      () => nodeWorkspace(daemon("process.env")),
      { ...ended, observed: /^the program ended with status 0$/ },
    ],
    [
      "goes to the background and throws its environment away",
      () => nodeWorkspace(daemon("{}")),
      { ...ended, observed: /^the program ended with status 0$/ },
    ],
    [
      "prints 1 GB",
      () => shellWorkspace("head -c 1000000000 /dev/zero; exec sleep 1000"),
      { ...ended, death: /^was stopped by the grader: it wrote more than 64 MiB to stdout and stderr$/ },
    ],
    [
      "eats memory",
      () => nodeWorkspace(eat),
      { ...ended, death: /^was stopped by the grader: it used \d+ MiB of memory \(the limit is 1024 MiB\)$/ },
    ],
    [
      "starts others without end",
      () => shellWorkspace("while :; do sleep 1000 & done"),
      { ...ended, death: /^was stopped by the grader: it had \d+ processes running \(the limit is 500\)$/ },
    ],
    [
      "closes its output",
      () => nodeWorkspace(`require("fs").closeSync(1); require("fs").closeSync(2); ${listen}`),
      { output: /^$/ },
    ],
    [
      "spins",
      () => nodeWorkspace(`${listen}.on("listening", () => { console.log("spinning"); for (;;); })`),
      { output: /^spinning$/ },
    ],
    [
      "ignores all signals and stops itself",
      () =>
        nodeWorkspace(`
          for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]) process.on(name, () => {});
          ${listen}.on("listening", () => { console.log("stopping"); process.kill(process.pid, "SIGSTOP"); })`),
      { output: /^stopping$/ },
    ],
  ])(
    "%s",
    async (_, workspace, finding) => {
      const record = await graded(workspace(), { root });
      expect(record.exitStatus).toBe(1);
      const { outcome, failure } = resultOf(record, "serves");
      expect(outcome).toBe("fail");
      const [{ death, output } = {}] = failure!.programs;
      const found = { summary: failure!.summary, observed: failure!.observed, death, output };
      for (const [part, text] of Object.entries(finding)) expect(found[part as keyof Finding]).toMatch(text);
      expect(listenersOn(portOf(record))).toEqual([]);
    },
    60_000,
  );

  test.concurrent("listens late is waited for", async () => {
    const late = `setTimeout(() => require("net").createServer().listen(process.argv[2], () =>
        console.log("listening")), 1000)`;
    const record = await graded(nodeWorkspace(late), { root });
    expect(resultOf(record, "serves")).toMatchObject({ outcome: "pass", earned: 1 });
    expect(record.exitStatus).toBe(0);
  }, 60_000);
});

describe("a grader that is killed", { timeout: 30_000 }, () => {
  const stubborn = `
    for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]) process.on(name, () => {});
    require("net").createServer().listen(process.argv[2], () => console.error("port", process.argv[2]));
    require("child_process").spawn("setsid", ["sleep", "1000"], { detached: true, stdio: "ignore" });`;

  /** A grader that has both of the program's processes running. */
  async function atWork(prefix: string[] = []): Promise<GradingProcess> {
    const grading = new GradingProcess(nodeWorkspace(stubborn), { root, prefix });
    await until(() => grading.programs().some(({ name }) => name === "sleep"));
    expect(grading.programs().length).toBeGreaterThanOrEqual(2);
    return grading;
  }

  test("leaves nothing for longer than a moment", async () => {
    const grading = await atWork();
    grading.child.kill("SIGKILL");
    await grading.ended();
    expect(await until(() => grading.leftovers().length === 0, 5000)).toBe(true);
  });

  test("with its watchdog leaves everything to the next grader", async () => {
    const grading = await atWork();
    const watchdog = grading.processes().find(({ name, parent }) => name === "sh" && parent === grading.pid)!;
    process.kill(watchdog.pid, "SIGKILL");
    grading.child.kill("SIGKILL");
    await grading.ended();
    expect(grading.programs().length).toBeGreaterThanOrEqual(2);
    // One that looks elsewhere has no business with it; one that looks there has.
    await graded(shellWorkspace("exit 0"), { root });
    expect(grading.programs().length).toBeGreaterThanOrEqual(2);
    await graded(shellWorkspace("exit 0"), { root, temporary: grading.temporary });
    expect(grading.leftovers()).toEqual([]);
  });
});
