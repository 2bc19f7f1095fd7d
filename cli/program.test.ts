import { describe, expect, test, vi } from "vitest";
import { buildProgram } from "./program.ts";
import { explainError, start } from "./start.ts";
import { recordedSession, temporaryFolder } from "./testing.ts";

const program = () =>
  buildProgram(
    () => recordedSession(temporaryFolder()),
    () => {},
  );

/** Runs a command line and gives what it printed. */
async function typed(...args: string[]): Promise<{ status: number; output: string; errors: string }> {
  const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const status = await start(args);
    const text = (spy: typeof out) => spy.mock.calls.map(([written]) => written).join("");
    return { status, output: text(out), errors: text(err) };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

describe("help", () => {
  test("groups the commands, and leaves none out of a group", () => {
    const text = program().helpInformation();
    const groups = [...text.matchAll(/^([A-Z][^:\n]*):$/gm)].map(([, name]) => name);
    expect(groups).toEqual(["Options", "Working on a stage", "When you are stuck", "Moving around", "Tools"]);
    for (const command of program().commands)
      expect(text).toMatch(new RegExp(`^  ${command.name()}\\b`, "m"));
  });

  test("is short enough for one screen, and no line is wider than a terminal", async () => {
    const lines = (await typed("--help")).output.split("\n");
    expect(lines.length).toBeLessThan(45);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("of a command names its options", async () => {
    expect((await typed("help", "grade")).output).toContain("--only <check>");
  });

  test.each([["--version"], ["--help"], ["help"], []])(
    "expserver-course %s ends with status 0",
    async (...args) => {
      expect(await typed(...args)).toMatchObject({ status: 0, errors: "" });
    },
  );

  test("of every command begins with a sentence without a capital or a full stop, as commander's own", () => {
    for (const command of program().commands) expect(command.description()).toMatch(/^[a-z].*[^.]$/);
  });
});

describe("a mistake in the command line ends with status 2 and what to type", () => {
  test.each([
    [["grad"], "Did you mean grade?"],
    [["help", "grad"], "Did you mean grade?"],
    [["grade", "--onyl", "x"], "Did you mean --only?"],
    [["grade", "--format", "html"], "Allowed choices are pretty, plain, json, junit"],
    [["grade", "tcp-sever"], "Did you mean tcp-server?"],
    [["list", "99"], "There is no stage"],
    [["goto"], "Missing required argument"],
    [["list", "1", "2"], "Too many arguments"],
    [["init", "/dev/null"], "is a file"],
  ])("%j", async (args, expected) => {
    const { status, output, errors } = await typed(...args);
    expect(status).toBe(2);
    expect(output).toBe("");
    expect(errors).toContain(expected);
    expect(errors).toMatch(/npx expserver-course/);
    expect(errors).not.toMatch(/^ +at /m);
  });
});

describe("an error", () => {
  test("of the course itself shows where, and asks for a report", () => {
    expect(explainError(new TypeError("x is undefined"))).toMatch(
      /fault of expserver-course itself.*TypeError: x is undefined\n +at /s,
    );
  });

  test("of the file system names the path and the reason, without a stack", () => {
    const error = Object.assign(new Error("no"), {
      code: "EROFS",
      path: "/home/me/state.json",
      syscall: "open",
    });
    expect(explainError(error)).toMatch(/^\/home\/me\/state\.json: the file system is read-only/);
    expect(explainError(error)).not.toMatch(/^ +at /m);
  });
});

describe("on a system where the course cannot run", () => {
  const windows = { platform: "win32", arch: "x64", nodeVersion: "24.0.0" };

  test.each([["grade"], ["init"], ["doctor"], ["list"], ["nonsense"]])(
    "%s says so at once",
    async (command) => {
      const err = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
      expect(await start([command], windows)).toBe(2);
      expect(err.mock.calls.join("")).toContain("wsl --install");
      err.mockRestore();
    },
  );

  test("help still works", async () => {
    const out = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
    expect(await start(["--help"], windows)).toBe(0);
    out.mockRestore();
  });
});

test("arguments of a program that is run are left to it", async () => {
  const run = program().commands.find((command) => command.name() === "run")!;
  let seen: unknown[] = [];
  run.action((...args) => {
    seen = args.slice(0, 2);
  });
  const parent = run.parent!;
  await parent.parseAsync(["run", "tcp-proxy", "8080", "--help", "--upstream", "x"], { from: "user" });
  expect(seen).toEqual(["tcp-proxy", ["8080", "--help", "--upstream", "x"]]);
});
