import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findStage } from "../../stages/stage.ts";
import { progressPath, readProgress } from "../progress.ts";
import { fakeEngine, recordedSession, temporaryFolder, temporaryWorkspace } from "../testing.ts";
import { grade } from "./grade.ts";

const outcomes = { builds: "pass", "reverse-line": "fail" } as const;

describe("what is graded", () => {
  test("the current stage of the workspace around, by default", async () => {
    const workspace = temporaryWorkspace();
    const { engine, calls } = fakeEngine(outcomes);
    expect(await grade(recordedSession(join(workspace, "src")), [], {}, engine)).toBe(1);
    expect(calls[0]!.target).toBe(workspace);
    expect(calls[0]!.stages.map(({ number }) => number)).toEqual([0]);
  });

  test("several stages", async () => {
    const { engine, calls } = fakeEngine(outcomes);
    await grade(recordedSession(temporaryWorkspace()), ["2", "stage-1"], {}, engine);
    expect(calls[0]!.stages.map(({ number }) => number)).toEqual([1, 2]);
  });

  test("another folder, of which nothing is recorded", async () => {
    const [workspace, other] = [temporaryWorkspace(), temporaryWorkspace()];
    const { engine, calls } = fakeEngine(outcomes);
    const before = readFileSync(progressPath(other), "utf8");
    await grade(recordedSession(workspace), ["1"], { target: other }, engine);
    expect(calls[0]!.target).toBe(other);
    expect(calls[0]!.commandLine?.(calls[0]!.stages[0]!, "reverse-line", "4f2a")).toBe(
      `npx expserver-course grade 1 --only reverse-line --seed 4f2a --target '${other}'`,
    );
    expect(readFileSync(progressPath(other), "utf8")).toBe(before);
    expect(readProgress(workspace).stages["01-tcp-server"]).toBeUndefined();
  });

  test("a target that is not there is refused", async () => {
    const session = recordedSession(temporaryFolder());
    await expect(grade(session, ["1"], { target: "nowhere" }, fakeEngine({}).engine)).rejects.toThrow(
      /no folder .*nowhere/,
    );
  });

  test("nothing outside of a workspace", async () => {
    const session = recordedSession(temporaryFolder());
    await expect(grade(session, [], {}, fakeEngine({}).engine)).rejects.toThrow("not inside a workspace");
  });

  test("an unknown check is refused with the nearest one", async () => {
    const session = recordedSession(temporaryWorkspace());
    const grading = grade(session, ["1"], { only: ["revers-line"] }, fakeEngine(outcomes).engine);
    await expect(grading).rejects.toThrow(/no check "revers-line"\. Did you mean reverse-line\?.*list 1/);
  });
});

describe("what is recorded", () => {
  test("the result of a whole grading", async () => {
    const workspace = temporaryWorkspace();
    await grade(recordedSession(workspace), [], {}, fakeEngine(outcomes).engine);
    expect(readProgress(workspace).stages["00-setup"]).toMatchObject({
      best: { earned: 1, possible: 2 },
      last: { failed: ["reverse-line"] },
    });
  });

  test("nothing of a stage that was not begun", async () => {
    const workspace = temporaryWorkspace();
    await grade(recordedSession(workspace), ["0", "3"], {}, fakeEngine(outcomes).engine);
    expect(Object.keys(readProgress(workspace).stages)).toEqual(["00-setup"]);
  });

  test.each(["a file", "course.json"])(
    "a stage that is not the current one, but has its program in %s",
    async (where) => {
      const workspace = temporaryWorkspace();
      const { name, entry } = findStage("3")!.program;
      if (where === "a file") writeFileSync(join(workspace, entry), "");
      else writeFileSync(join(workspace, "course.json"), JSON.stringify({ run: { [name]: "true" } }));
      await grade(recordedSession(workspace), ["3"], {}, fakeEngine(outcomes).engine);
      expect(readProgress(workspace).stages["03-linux-epoll"]!.last).toBeDefined();
    },
  );

  test("nothing with --only, and nothing of a stage in which the grader had trouble", async () => {
    const workspace = temporaryWorkspace();
    await grade(recordedSession(workspace), [], { only: ["builds"] }, fakeEngine(outcomes).engine);
    await grade(recordedSession(workspace), [], {}, fakeEngine({ builds: "pass", x: "error" }).engine);
    expect(readProgress(workspace).stages["00-setup"]!.last).toBeUndefined();
  });
});

describe("the command after a pass", () => {
  test.each([
    ["the current stage", [], {}, "npx expserver-course next"],
    ["several stages with the current one", ["0", "1"], {}, "npx expserver-course next"],
    ["another stage", ["1"], {}, undefined],
    ["a part of the current stage", [], { only: ["builds"] }, "npx expserver-course grade"],
    ["a part of another stage", ["1"], { only: ["builds"] }, "npx expserver-course grade 1"],
  ])("of %s", async (_, words, options, expected) => {
    const seen: unknown[] = [];
    const { engine } = fakeEngine({ builds: "pass" });
    const looking = async () => {
      const loaded = await engine();
      const createWriter: typeof loaded.createWriter = (format, out, settings) => {
        seen.push([settings.currentStage, settings.nextCommand]);
        return loaded.createWriter(format, out, settings);
      };
      return { ...loaded, createWriter };
    };
    await grade(recordedSession(temporaryWorkspace()), words, options, looking);
    expect(seen).toEqual([[0, expected]]);
  });
});

describe("the report", () => {
  const { engine } = fakeEngine(outcomes);

  test.each([
    [false, undefined, "plain"],
    [true, undefined, "pretty"],
    [true, "json" as const, "json"],
    [false, "pretty" as const, "pretty"],
  ])("in a terminal: %s, --format %s: %s", async (isTerminal, format, expected) => {
    const session = recordedSession(temporaryWorkspace(), { isTerminal });
    await grade(session, [], { format }, engine);
    expect(session.output()).toBe(`${expected} report of 1 points\n`);
  });

  test.each([
    ["result.json", undefined, "json"],
    ["result.xml", undefined, "junit"],
    ["result.txt", "junit" as const, "junit"],
  ])("goes to the file %s and is also shown", async (out, format, expected) => {
    const session = recordedSession(temporaryWorkspace());
    await grade(session, [], { out, format }, engine);
    expect(readFileSync(join(session.cwd, out), "utf8")).toBe(`${expected} report of 1 points\n`);
    expect(session.output()).toBe("plain report of 1 points\n");
  });

  test("a file that cannot be written is found before the grading", async () => {
    const { engine, calls } = fakeEngine(outcomes);
    const session = recordedSession(temporaryWorkspace());
    mkdirSync(join(session.cwd, "folder.json"));
    await expect(grade(session, [], { out: "folder.json" }, engine)).rejects.toThrow();
    expect(calls).toEqual([]);
  });
});

describe("--solution", () => {
  test("grades the reference in a folder of its own, which goes away, and records nothing", async () => {
    const workspace = temporaryWorkspace();
    const before = readFileSync(progressPath(workspace), "utf8");
    let seen = false;
    const { engine, calls } = fakeEngine({ builds: "pass" });
    const looking = async () => {
      const loaded = await engine();
      return {
        ...loaded,
        grade: async (options: Parameters<typeof loaded.grade>[0]) => {
          seen = existsSync(join(options.target, "src/phase-0/tcp-server.ts"));
          return loaded.grade(options);
        },
      };
    };
    expect(await grade(recordedSession(workspace), ["1"], { solution: true }, looking)).toBe(0);
    expect(seen).toBe(true);
    expect(existsSync(calls[0]!.target)).toBe(false);
    expect(readFileSync(progressPath(workspace), "utf8")).toBe(before);
  });

  test("needs a stage, and no other target", async () => {
    const session = recordedSession(temporaryFolder());
    await expect(grade(session, [], { solution: true }, fakeEngine({}).engine)).rejects.toThrow(
      "grade 1 --solution",
    );
    writeFileSync(join(session.cwd, "x"), "");
    await expect(
      grade(session, ["1"], { solution: true, target: "x" }, fakeEngine({}).engine),
    ).rejects.toThrow("one of them");
  });
});
