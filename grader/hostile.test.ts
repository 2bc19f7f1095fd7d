/** Whole gradings of programs that do everything wrong: what is found, and that nothing is left. */
import { beforeAll, describe, expect, test } from "vitest";
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
  workspace,
} from "./grading-process.ts";
import type { GradeRecord } from "./record.ts";

const listen = 'require("net").createServer().listen(process.argv[2])';
// Where no limit holds, these stop at 3 GiB and at 3,000 processes.
const eat =
  "const held = []; setInterval(() => held.length < 48 && held.push(Buffer.alloc(64 * 1024 * 1024, 1)), 5)";

/**
 * A server that leaves its parent, its group and its session twice. The program ends when that is done, and
 * what is left of it listens when the program has ended.
 * @param env the environment of what is left
 */
const daemon = (env: string) => `
  const fs = require("fs");
  const [, file, port, program, ...rest] = process.argv;
  const isUp = "up-" + port;
  const spawn = (...args) => require("child_process").spawn(process.execPath, [file, port, ...args],
    { detached: true, stdio: "inherit", env: ${env} }).unref();
  const poll = (condition, then) => setInterval(function () { if (condition()) { clearInterval(this); then(); } }, 5);
  const isGone = (pid) => { try { process.kill(pid, 0); } catch { return true; } };
  if (program === undefined) {
    spawn("of", process.pid);
    poll(() => fs.existsSync(isUp), () => process.exit());
  } else if (program === "of") {
    spawn(rest[0]);
    process.exit();
  } else {
    fs.writeFileSync(isUp, "");
    process.on("SIGTERM", () => {});
    poll(() => isGone(Number(program)), () => require("net").createServer().listen(port));
  }`;

type Finding = { summary?: RegExp; observed?: RegExp; death?: RegExp; output?: RegExp };

const ended = { summary: /^tcp-server ended before it listened on port \d+$/ };

/** Scripts for the shell and for Node, and what is found about a server that is one. */
const hostile: Record<string, { sh?: string; node?: string; finding: Finding }> = {
  "never listens": {
    sh: "exec sleep 1000",
    finding: {
      summary: /^tcp-server does not listen on port \d+$/,
      observed: /^the program runs and listens on no port$/,
    },
  },
  "exits at once": {
    sh: "echo 'cannot work' >&2; exit 3",
    finding: { ...ended, observed: /^the program ended with status 3$/, output: /^cannot work$/ },
  },
  crashes: {
    sh: "ulimit -c 0; kill -SEGV $$",
    finding: { summary: /^tcp-server was ended by SIGSEGV: it used memory that is not its own$/ },
  },
  "goes to the background": {
    node: daemon("process.env"),
    finding: { ...ended, observed: /^the program ended with status 0$/ },
  },
  "goes to the background and throws its environment away": {
    node: daemon("{}"),
    finding: { ...ended, observed: /^the program ended with status 0$/ },
  },
  "prints 1 GB": {
    sh: "head -c 1000000000 /dev/zero; exec sleep 1000",
    finding: { death: /^was stopped by the grader: it wrote more than 64 MiB to stdout and stderr$/ },
  },
  "eats memory": {
    node: eat,
    finding: { death: /^was stopped by the grader: it used \d+ MiB of memory \(the limit is 1024 MiB\)$/ },
  },
  "starts others without end": {
    sh: "for n in $(seq 3000); do sleep 60 & done; wait",
    finding: { death: /^was stopped by the grader: it had \d+ processes \(the limit is 500\)$/ },
  },
  "closes its output": {
    node: `require("fs").closeSync(1); require("fs").closeSync(2); ${listen}`,
    finding: { summary: /^no word$/, output: /^$/ },
  },
  spins: {
    node: `${listen}.on("listening", () => { console.log("spinning"); for (;;); })`,
    finding: { summary: /^no word$/, output: /^spinning$/ },
  },
  "ignores all signals and stops itself": {
    node: `
      for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]) process.on(name, () => {});
      ${listen}.on("listening", () => { console.log("stopping"); process.kill(process.pid, "SIGSTOP"); })`,
    finding: { summary: /^no word$/, output: /^stopping$/ },
  },
};

const late = `setTimeout(() => require("net").createServer().listen(process.argv[2], () =>
  console.log("listening")), 1000)`;

/** A check that the program listens soon and says so, with less patience than the course's own. */
const serves = (
  id: string,
  file: string,
) => `check(${JSON.stringify(id)}, words, async ({ launch, freePort }) => {
  const port = await freePort();
  const program = launch([String(port), ${JSON.stringify(file)}]);
  program.ports = [port];
  await program.listening(2000);
  assert(await program.printed("listening", 300), { summary: "no word", expected: "a word", observed: "none" });
})`;

describe("a tcp-server that", () => {
  let record: GradeRecord;

  beforeAll(async () => {
    const programs = Object.entries(hostile).map(([what, { sh, node }], index) => {
      const file = sh === undefined ? `${index}.cjs` : `${index}.sh`;
      return { id: what.replaceAll(" ", "-"), file, text: sh ?? node! };
    });
    programs.push({ id: "listens-late", file: "late.cjs", text: late });
    // The file behind the port says which of the programs it is to be.
    const choose = `case "$2" in *.sh) exec sh "$2" "$1";; esac; exec '${process.execPath}' "$2" "$1"`;
    const target = workspace({
      "course.json": { run: { "tcp-server": "sh choose.sh {args}" } },
      "choose.sh": choose,
      ...Object.fromEntries(programs.map(({ file, text }) => [file, text])),
    });
    const root = packageWith(checksFile(programs.map(({ id, file }) => serves(id, file)).join()));
    record = await graded(target, { root });
  });

  test.each(Object.entries(hostile))("%s", (what, { finding }) => {
    const { outcome, failure } = resultOf(record, what.replaceAll(" ", "-"));
    expect(outcome).toBe("fail");
    const { command, death, output } = failure!.programs[0]!;
    const found = { summary: failure!.summary, observed: failure!.observed, death, output };
    for (const [part, text] of Object.entries(finding)) expect(found[part as keyof Finding]).toMatch(text);
    const port = Number(/^tcp-server (\d+) /.exec(command)![1]);
    expect(listenersOn(port)).toEqual([]);
  });

  test("listens late is waited for", () => {
    expect(resultOf(record, "listens-late")).toMatchObject({ outcome: "pass", earned: 1 });
  });
});

describe("a grader that is killed", () => {
  const root = packageWith(
    checksFile(
      'check("starts", words, async ({ start, waitFor }) => { await start(); await waitFor(() => false, 60_000); })',
    ),
  );
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
