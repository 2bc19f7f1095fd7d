/** What a whole grading makes of workspaces of all kinds. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findStage } from "../stages/stage.ts";
import { compiled, everythingIn, temporaryFolder } from "./engine/testing.ts";
import { grade } from "./grade.ts";
import {
  checksFile,
  type GradingOptions,
  GradingProcess,
  graded,
  packageWith,
  resultOf,
  shellWorkspace,
  solution,
  workspace,
} from "./grading-process.ts";
import { gradeRecord } from "./record.ts";
import { UserError } from "./user-error.ts";

const setup = findStage("0")!;

const helloFile = "src/phase-0/hello.ts";

/** Checks that look at how a program is run, instead of the course's own. */
const root = packageWith(
  checksFile(
    `check("first", words, async ({ launch, freePort }) => {
       await launch([String(await freePort())]).ended(5000);
       assert(false, { summary: "as it should", expected: "a failure", observed: "a failure" });
     }),
     check("second", { ...words, after: ["first"] }, async () => {}),
     check("third", words, async () => {}),
     check("fourth", { ...words, after: ["third"] }, async ({ launch }) => void (await launch([]).ended(5000))),
     check("rare", { ...words, thorough: true }, async () => {})`,
  ),
);

describe.concurrent("a grading", () => {
  test("leaves a record that keeps to its own description, and the transcript where it says", async () => {
    const target = shellWorkspace("exit 0");
    const runs = join(target, ".expserver", "runs");
    const older = Array.from(
      { length: 30 },
      (_, day) => `2020-01-${String(day + 1).padStart(2, "0")}T00-00-00-x`,
    );
    for (const name of older) mkdirSync(join(runs, name), { recursive: true });
    const grading = new GradingProcess(target, { root, seed: "4f2a" });
    expect(await grading.ended()).toEqual({ code: 1, signal: null });
    expect(grading.leftovers()).toEqual([]);
    const [record] = grading.records;
    expect(gradeRecord.parse(record)).toEqual(record);
    expect(record!.seed).toBe("4f2a");
    const checks = record!.stages[0]!.checks;
    expect(checks.map(({ id, outcome }) => `${id}: ${outcome}`)).toEqual([
      "first: fail",
      "second: blocked",
      "third: pass",
      "fourth: pass", // and none called rare, which is due elsewhere
    ]);
    expect(record!.points).toEqual({ earned: 2, possible: 4 });
    expect(record!.exitStatus).toBe(1);
    // They were told in this order while it went on.
    expect(grading.checks).toEqual(checks);

    const { transcript, programs, repeat } = resultOf(record!, "first").failure!;
    expect(repeat).toBe("npx expserver-course grade 1 --only first --seed 4f2a");
    expect(readFileSync(join(target, transcript!), "utf8")).toContain(`--- started ${programs[0]!.command}`);
    const left = readdirSync(runs).sort();
    expect(left).toHaveLength(20);
    expect(left.slice(0, 19)).toEqual(older.slice(-19));
  });

  test("runs only the checks asked for, with what they build on", async () => {
    const record = await graded(shellWorkspace("exit 0"), { root, only: ["fourth"] });
    expect(record.stages[0]!.checks.map(({ id }) => id)).toEqual(["third", "fourth"]);
    expect(record.exitStatus).toBe(0);
  });

  test("is thorough when it is asked to be", async () => {
    const record = await graded(shellWorkspace("exit 0"), { root, thorough: true });
    expect(record.stages[0]!.checks.at(-1)).toMatchObject({ id: "rare", outcome: "pass" });
  });

  test("stops at the first failure with --bail, and says so", async () => {
    const bailing = packageWith(
      checksFile(
        `check("first", words, async () => assert(false, { summary: "", expected: "", observed: "" })),
         check("later", { ...words, alone: true }, async () => {})`,
      ),
    );
    const record = await graded(shellWorkspace("exit 0"), { root: bailing, bail: true, stages: ["1", "1"] });
    expect(record.stages).toHaveLength(1);
    expect(resultOf(record, "first").outcome).toBe("fail");
    expect(resultOf(record, "later")).toMatchObject({
      outcome: "blocked",
      reason: "not run: --bail stops at the first failure",
    });
    expect(record.exitStatus).toBe(1);
  });

  test("takes the same random values from the same seed, whatever else runs", async () => {
    const command = async (options: GradingOptions) => {
      const record = await graded(shellWorkspace("exit 0"), { root, ...options });
      return resultOf(record, "first").failure!.programs[0]!.command;
    };
    const first = await command({ seed: "one" });
    expect(await command({ seed: "one", only: ["first"] })).toBe(first);
    expect(await command({ seed: "other", only: ["first"] })).not.toBe(first);
  });

  test("beside another one of the same seed takes other ports and leaves it alone", async () => {
    const server = shellWorkspace(
      `exec '${process.execPath}' -e 'require("net").createServer((s) => s.end("hello")).listen(process.argv[1])' "$1"`,
    );
    const checks = Array.from(
      { length: 4 },
      (_, n) => `check("serves-${n}", words, async ({ start, connect }) => {
        await (await connect(await start())).expect("hello");
      })`,
    );
    const serving = packageWith(checksFile(checks.join()));
    const gradings = [1, 2].map(() => new GradingProcess(server, { root: serving, seed: "same" }));
    for (const grading of gradings) {
      expect(await grading.ended()).toEqual({ code: 0, signal: null });
      expect(readdirSync(grading.temporary)).toEqual([]);
    }
  });
});

describe.concurrent("a workspace", () => {
  test("with settings for other tools and signs in its path is graded as any other", async () => {
    const poison = (name: string) =>
      `import { writeFileSync } from "node:fs";
       writeFileSync(new URL("./${name}.loaded", import.meta.url), ""); throw new Error("was loaded");`;
    const manifest = {
      type: "module",
      vitest: { globalSetup: "./setup.js" },
      postcss: { plugins: ["missing"] },
    };
    const target = solution(setup, {
      "package.json": manifest,
      ".env": "POISON=1\nNODE_ENV=poisoned\n",
      ".env.test": "POISON=2\n",
      "vite.config.ts": poison("vite"),
      "vitest.config.ts": poison("vitest"),
      "vitest.workspace.ts": poison("workspace"),
      "postcss.config.mjs": poison("postcss"),
      "setup.js": poison("setup"),
      "src/some.test.ts": poison("test"),
      "src/typo.ts": 'export const port: number = "8080";\n',
    });
    expect(target).toContain(" #1 100% '");
    const before = everythingIn(target);
    const record = await graded(target, { stages: ["0"] });
    expect(record.stages[0]!.checks.filter(({ outcome }) => outcome !== "pass")).toEqual([]);
    expect(record.exitStatus).toBe(0);
    expect(record.stages[0]!.build).toEqual({
      ok: true,
      warnings: ["src/typo.ts:1: Type 'string' is not assignable to type 'number'."],
    });
    const added = everythingIn(target).filter((name) => !before.includes(name));
    expect(added.filter((name) => !name.startsWith(".expserver"))).toEqual([]);
  });

  test("that does not build fails that check with the line, and blocks the others", async () => {
    const target = solution(setup, { [helloFile]: 'const greeting = "hello";\nconst = greeting;\n' });
    const record = await graded(target, { stages: ["0"], only: ["prints-pid"] });
    const { outcome, failure } = resultOf(record, "builds");
    expect(outcome).toBe("fail");
    expect(failure?.observed).toContain("src/phase-0/hello.ts:2:6:");
    expect(record.stages[0]!.build).toMatchObject({ ok: false, log: failure?.observed });
    expect(resultOf(record, "prints-pid").outcome).toBe("blocked");
    expect(record.exitStatus).toBe(1);
  });

  test("is not blamed for a compiler that does not work", async () => {
    const grading = new GradingProcess(solution(setup), {
      stages: ["0"],
      env: { ESBUILD_BINARY_PATH: "/bin/false" },
    });
    expect(await grading.ended()).toEqual({ code: 2, signal: null });
    expect(grading.error?.name).toBe("UserError");
    expect(grading.error?.message).toMatch(
      /^The compiler, esbuild, did not work \(.+\)\. Install the course again/,
    );
    expect(grading.leftovers()).toEqual([]);
  });

  test("has its build command run once, before all programs, and what it leaves behind ended", async () => {
    const target = workspace({
      "course.json": {
        build: "pwd > built; echo made >> log; setsid sleep 1000 & true",
        run: { "tcp-server": "cat built log" },
      },
    });
    const record = await graded(target, { root, stages: ["1", "1"], only: ["first"] });
    const outputs = record.stages.map(({ checks }) => checks[0]!.failure!.programs[0]!.output);
    expect(outputs).toEqual([`${target}\nmade`, `${target}\nmade`]);
  });

  test("whose build command fails fails where a program of it would be built", async () => {
    const target = workspace({ "course.json": { build: "echo no; exit 7", run: { hello: "true" } } });
    const record = await graded(target, { stages: ["0"], only: ["builds"] });
    expect(resultOf(record, "builds")).toMatchObject({
      outcome: "fail",
      failure: { observed: "$ echo no; exit 7\nno\nthe command ended with status 7" },
    });
  });

  test("whose port somebody else holds is told who, and gets no points taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "0.0.0.0", resolve));
    const { port } = other.address() as AddressInfo;
    const fixed = packageWith(
      checksFile(`check("starts", words, async ({ start }) => void (await start({ ports: [${port}] })))`),
    );
    const target = workspace({ "course.json": { run: { "tcp-server": "sleep 1000" }, ports: "fixed" } });
    const record = await graded(target, { root: fixed });
    other.close();
    expect(resultOf(record, "starts").reason).toMatch(
      new RegExp(
        `^port ${port} is taken by node \\(process ${process.pid}\\)\\. End it, or grade with --isolate`,
      ),
    );
    expect(record.exitStatus).toBe(2);
    expect(record.points).toEqual({ earned: 0, possible: 0 });
  });

  const isRoot = process.getuid!() === 0;
  const ordinary = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : ["env"];
  // Node may lie in a folder that only root can enter; a second exec tells, as the first one still is root's.
  const hello = [...ordinary.slice(1), "sh", "-c", '"$0" "$1"', process.execPath, compiled("linux/errno.js")];
  const canBeOrdinary = spawnSync(ordinary[0]!, hello).status === 0;
  test.skipIf(!canBeOrdinary)(
    "that an ordinary user cannot write is graded too (as root: needs setpriv, and Node where all can run it)",
    async () => {
      const target = workspace({ [helloFile]: 'console.log("not what was asked for");' });
      const before = everythingIn(target);
      const folders = [target, ...before.map((name) => join(target, name))].filter((each) =>
        statSync(each).isDirectory(),
      );
      for (const folder of folders) chmodSync(folder, 0o555);
      chmodSync(dirname(target), 0o755);
      const temporary = temporaryFolder();
      chmodSync(temporary, 0o777);
      const env = { HOME: "/nowhere" };
      const options = { stages: ["0"], only: ["prints-pid"], temporary, prefix: ordinary, env };
      const record = await graded(target, options);
      for (const folder of folders) chmodSync(folder, 0o755);
      expect(resultOf(record, "builds").outcome).toBe("pass");
      const { failure } = resultOf(record, "prints-pid");
      expect(failure?.programs.map(({ output }) => output)).toEqual(["not what was asked for"]);
      // It would lie in the temporary folder, which goes with the grading.
      expect(failure?.transcript).toBeUndefined();
      expect(everythingIn(target)).toEqual(before);
    },
  );
});

test("programs get the user's environment and nothing that the engine adds, the second time either", async () => {
  const target = shellWorkspace('env > "seen-$1"');
  const seeing = packageWith(
    checksFile(
      'check("sees", words, async ({ launch, plan }) => void (await launch([plan.mark]).ended(5000)))',
    ),
  );
  const env = { USERS_OWN: "kept", MODE: "theirs" };
  const grading = new GradingProcess(target, { root: seeing, times: 2, stages: ["1", "1"], env });
  expect(await grading.ended()).toEqual({ code: 0, signal: null });
  // Nor is anything left in the process: a listener a stage would be a warning after ten of them.
  expect(grading.listeners).toHaveLength(4);
  for (const after of grading.listeners) expect(after).toEqual(grading.listeners[0]);
  expect(grading.stderr).toBe("");
  const seen = readdirSync(target).filter((name) => name.startsWith("seen-"));
  expect(seen).toHaveLength(2);
  for (const file of seen) {
    const lines = readFileSync(join(target, file), "utf8").split("\n");
    expect(lines).toContain("USERS_OWN=kept");
    expect(lines).toContain("MODE=theirs"); // which Vite uses too
    const names = lines.map((line) => /^(\w+)=/.exec(line)?.[1] ?? "");
    const engines = [
      "NODE_ENV",
      "VITEST",
      "TEST",
      "DEV",
      "PROD",
      "SSR",
      "BASE_URL",
      "EXPSERVER_GRADING_PLAN",
    ];
    expect(names.filter((name) => engines.includes(name) || name.startsWith("VITEST_"))).toEqual([]);
    const others = names.filter((name) => name !== "" && process.env[name] === undefined);
    const shells = ["OLDPWD", "_", "PWD", "SHLVL"];
    expect(others.filter((name) => !shells.includes(name)).sort()).toEqual([
      "EXPSERVER_GRADING",
      "TMPDIR",
      "USERS_OWN",
    ]);
  }
});

describe("what the person at the keyboard can mend is told in a sentence:", () => {
  const stages = [findStage("1")!];

  test("a check that does not exist", async () => {
    const promise = grade({ target: workspace({ x: "" }), stages, only: ["builds", "bulids"] });
    await expect(promise).rejects.toThrow(UserError);
    await expect(promise).rejects.toThrow(
      'There is no check "bulids" in stage 1. See them with: npx expserver-course list 1',
    );
  });

  test.each(["", "with space", "ü", "x".repeat(65), "new\nline"])("the seed %j", async (seed) => {
    await expect(grade({ target: workspace({ x: "" }), stages, seed })).rejects.toThrow(
      'take 1 to 64 letters, digits, "-" and "_"',
    );
  });

  test("a course.json that says nonsense", async () => {
    const target = workspace({ "course.json": { run: "make" } });
    await expect(grade({ target, stages })).rejects.toThrow(/course\.json: run: /);
  });
});
