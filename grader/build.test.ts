import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { findStage } from "../stages/stage.ts";
import {
  buildProgram,
  findTypeErrors,
  programCommand,
  programEnvironment,
  runBuildCommand,
} from "./build.ts";
import { stopBuilder } from "./bundle.ts";
import { courseFile } from "./course.ts";
import { newSeed } from "./engine/random.ts";
import { passedProbe, planFor, processesWithMark, temporaryFolder } from "./engine/testing.ts";
import { solution, until, workspace } from "./grading-process.ts";

const setup = findStage("0")!;
const helloFile = setup.program.entry;

afterAll(stopBuilder);

/** Builds hello in a workspace. */
const build = (target: string, course: object = {}) =>
  buildProgram(target, setup, courseFile.parse(course), join(temporaryFolder(), "build"));

describe("a TypeScript program", () => {
  test("becomes one file, and a command that starts it", async () => {
    const target = workspace({
      "tsconfig.json": "{}",
      [helloFile]: 'import { word } from "./word.ts";\nconsole.log(word as string, process.argv.slice(2));\n',
      "src/phase-0/word.ts": 'export const word: string = "hello";\n',
    });
    const program = await build(target);
    expect(program).toMatchObject({
      ok: true,
      language: "typescript",
      ports: "argument",
      forbiddenImports: [],
    });
    await passedProbe(planFor("", { program, target }), async ({ launch }) => {
      const hello = launch(["a b", "'c'"]);
      expect(await hello.ended(5000)).toEqual({ code: 0, signal: null });
      expect(hello.stdout.text()).toBe("hello [ 'a b', \"'c'\" ]\n");
    });
  });

  test("names its own files and lines in a stack trace", async () => {
    const target = workspace({
      [helloFile]: '\n\nfunction fail(): never {\n  throw new Error("no");\n}\nfail();\n',
    });
    const program = await build(target);
    await passedProbe(planFor("", { program, target }), async ({ launch }) => {
      const hello = launch([]);
      await hello.ended(5000);
      expect(hello.stderr.text()).toMatch(/at fail \(.*src\/phase-0\/hello\.ts:4:9\)/);
    });
  });

  test("that has a mistake is not ready: the place is shown", async () => {
    const target = workspace({ [helloFile]: 'const greeting = "hello";\nconst = greeting;\n' });
    const program = await build(target);
    expect(program.ok).toBe(false);
    expect(program.log).toMatch(/Expected identifier but found "="\n\n\s+src\/phase-0\/hello\.ts:2:6:/);
  });

  test("that imports what is not there is not ready", async () => {
    const target = workspace({ [helloFile]: 'import { listen } from "./missing.ts";\nlisten();\n' });
    expect((await build(target)).log).toMatch(
      /Could not resolve "\.\/missing\.ts"\n\n\s+src\/phase-0\/hello\.ts:1:23:/,
    );
  });

  test("whose file is missing says how it comes about", async () => {
    const program = await build(workspace({ "package.json": "{}" }));
    expect(program.ok).toBe(false);
    expect(program.log).toMatch(/^src\/phase-0\/hello\.ts does not exist\. .*course next.*course goto 0/);
  });

  test.each([
    ["in a file of the learner's", 'import { createServer } from "node:net";', `node:net in ${helloFile}`],
    ["without its prefix", 'import { createServer } from "http";', `node:http in ${helloFile}`],
    ["by require", 'const { createServer } = require("node:tls");', `node:tls in ${helloFile}`],
    ["while it runs", 'const { createServer } = await import("node:http2");', `node:http2 in ${helloFile}`],
    ["in a package", 'import { createServer } from "@wrap/net";', "node:net in the package @wrap/net"],
    [
      "in a package of a package",
      'import { createServer } from "outer";',
      "node:net in the package @wrap/net",
    ],
  ])("that uses a forbidden module %s is found out", async (_, statement, found) => {
    const installed = (name: string, text: string) => ({
      [`node_modules/${name}/package.json`]: { name, main: "lib/index.js" },
      [`node_modules/${name}/lib/index.js`]: text,
    });
    const target = workspace({
      [helloFile]: `${statement}\nconsole.log(createServer.name);\n`,
      ...installed("@wrap/net", 'exports.createServer = require("net").createServer;'),
      ...installed("outer", 'exports.createServer = require("@wrap/net").createServer;'),
    });
    const { ok, forbiddenImports } = await build(target);
    expect(ok).toBe(true);
    expect(forbiddenImports.map(({ module, importer }) => `${module} in ${importer}`)).toEqual([found]);
  });

  test.each([
    'import type { Server } from "node:net"; export type Own = Server;',
    'import "node:fs"; import "node:path";',
  ])("may use %s", async (text) => {
    const { ok, forbiddenImports } = await build(workspace({ [helloFile]: text }));
    expect({ ok, forbiddenImports }).toEqual({ ok: true, forbiddenImports: [] });
  });
});

describe("the environment of a program", () => {
  const env = { PATH: "/bin", NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt" };

  test("of ours is without the certificates that Node would read at each start", () => {
    expect(programEnvironment({ language: "typescript" }, env)).toEqual({ PATH: "/bin" });
  });

  test("of another language is the user's own", () => {
    expect(programEnvironment({ language: "other" }, env)).toEqual(env);
  });
});

describe("type errors", () => {
  test("are told with file and line, each once", async () => {
    const target = solution(setup, {
      "src/wrong.ts": 'export const one: number = "text";\nexport const two: [string, string] = [1, 2];\n',
    });
    expect(await findTypeErrors(target, temporaryFolder(), newSeed())).toEqual([
      "src/wrong.ts:1: Type 'string' is not assignable to type 'number'.",
      "src/wrong.ts:2: Type 'number' is not assignable to type 'string'.",
    ]);
  });

  test("are none where nobody can look for them", async () => {
    expect(await findTypeErrors(workspace({ [helloFile]: "" }), temporaryFolder(), newSeed())).toEqual([]);
    expect(await findTypeErrors(solution(setup), join(temporaryFolder(), "missing"), newSeed())).toEqual([]);
  });

  test("are not waited for when the search is called off", async () => {
    const abort = new AbortController();
    const mark = newSeed();
    const search = findTypeErrors(solution(setup), temporaryFolder(), mark, abort.signal);
    expect(await until(() => processesWithMark(mark).length > 0)).toBe(true);
    abort.abort();
    expect(await search).toEqual([]);
  });
});

describe("a build command", () => {
  const run = (target: string, command: string, mark = newSeed(), signal?: AbortSignal) =>
    runBuildCommand(target, command, process.env, mark, signal);

  test("runs in the workspace", async () => {
    const target = workspace({ "x.in": "made" });
    expect(await run(target, 'cp x.in x.out && test -z "$(cat)"')).toBeUndefined();
    expect(readFileSync(join(target, "x.out"), "utf8")).toBe("made");
  });

  test("that fails gives all that it said", async () => {
    expect(await run(temporaryFolder(), "echo one; echo two >&2; exit 7")).toBe(
      "$ echo one; echo two >&2; exit 7\none\ntwo\nthe command ended with status 7",
    );
  });

  test("that says very much costs no memory", async () => {
    const log = await run(temporaryFolder(), "head -c 100000000 /dev/zero | tr '\\0' 'x'; exit 1");
    expect(log!.length).toBeLessThan(1024 * 1024 + 1000);
    expect(log).toContain("bytes left out");
  });

  test("leaves nothing in the background, and is not waited for by what it leaves", async () => {
    const mark = newSeed();
    expect(await run(temporaryFolder(), "setsid sleep 1000 & exit 0", mark)).toBeUndefined();
    expect(processesWithMark(mark)).toEqual([]);
  });

  test("ends with all that it started when the grading is interrupted", async () => {
    const target = workspace({ x: "" });
    const abort = new AbortController();
    const mark = newSeed();
    const running = run(target, "touch begun; sleep 1000 | setsid sleep 1000; echo over", mark, abort.signal);
    expect(await until(() => existsSync(join(target, "begun")))).toBe(true);
    abort.abort();
    expect(await running).toContain("was ended by SIGKILL");
    expect(processesWithMark(mark)).toEqual([]);
    expect(readdirSync(target).sort()).toEqual(["begun", "x"]);
  });
});

describe("the command for a program in another language", () => {
  /** What the program gets for arguments, one a line, and whether it took the shell's place. */
  async function seen(run: string, args: string[]): Promise<string[]> {
    const program = await build(workspace({ x: "" }), { run: { hello: run } });
    expect(program).toMatchObject({ ok: true, language: "other" });
    let lines: string[] = [];
    const plan = planFor("", { program });
    await passedProbe(plan, async ({ launch }) => {
      const hello = launch(args);
      await hello.ended(5000);
      lines = hello.stdout.text().trimEnd().replace(String(hello.pid), "its own").split("\n");
    });
    return lines;
  }

  const hostile = ["plain", "two words", "'quoted'", '"double"', "$HOME", "`id`", "a;b", "*", "\\", ""];

  test("passes arguments as they are, whatever a shell would make of them", async () => {
    expect(await seen("printf '%s\\n' {args} end", hostile)).toEqual([...hostile, "end"]);
  });

  test("passes them to each place, and the first to {port}", async () => {
    expect(await seen("echo {port} {args} {port}", ["8080", "x"])).toEqual(["8080 8080 x 8080"]);
  });

  const pid = `sh -c 'echo $$'`;
  test.each([
    ["a plain command takes the shell's place", pid],
    ["with variables before it", `FOO="a b" BAR=c ${pid}`],
    ["with the output elsewhere", `2>/dev/null ${pid}`],
  ])("%s, so that signals and status are its own", async (_, run) => {
    expect(await seen(run, [])).toEqual(["its own"]);
  });

  test.each(["cd / && pwd", "(cd /; pwd)", "{ cd /; pwd; }", "! cd / || pwd", "if true; then cd /; pwd; fi"])(
    "%s is left to the shell",
    async (run) => {
      expect(await seen(run, [])).toEqual(["/"]);
      expect(
        programCommand(
          { ok: true, language: "other", command: [run], ports: "argument", forbiddenImports: [] },
          [],
        ),
      ).toEqual(["/bin/sh", "-c", run]);
    },
  );

  test("gets the variables that stand before it", async () => {
    expect(await seen(`FOO="a b" BAR=c sh -c 'echo "$FOO $BAR"'`, [])).toEqual(["a b c"]);
  });
});
