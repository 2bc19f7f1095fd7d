import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allStages, findStage } from "../../stages/stage.ts";
import { progressOf, recordGrading, updateProgress } from "../progress.ts";
import { takeSnapshot } from "../snapshot.ts";
import {
  fakeEngine,
  gradeRecordOf,
  recordedSession,
  temporaryFolder,
  temporaryWorkspace,
} from "../testing.ts";
import { doctor } from "./doctor.ts";
import { goto } from "./goto.ts";
import { list } from "./list.ts";
import { run } from "./run.ts";
import { status } from "./status.ts";

const { engine } = fakeEngine({ builds: "pass", output: "fail", more: "blocked" });

/** A workspace at stage 1, after a stage 0 that passed and a grading in which one check failed. */
function halfway(): string {
  const workspace = temporaryWorkspace();
  updateProgress(workspace, (progress) => {
    recordGrading(progress, gradeRecordOf([findStage("0")!], { builds: "pass" }));
    recordGrading(
      progress,
      gradeRecordOf([findStage("1")!], { builds: "pass", output: "fail", more: "blocked" }),
    );
    progress.current = "01-tcp-server";
  });
  return workspace;
}

describe("status", () => {
  test("says where the learner is and what to type next", async () => {
    const workspace = halfway();
    const { name } = takeSnapshot(workspace, "goto 3", "00-setup");
    const session = recordedSession(join(workspace, "src"));
    expect(await status(session, {})).toBe(0);
    expect(session.output()).toMatch(/^Stage 1, TCP Server\n.*passed +1 of \d+ stages, 2 points/s);
    expect(session.output()).toContain("1 of 3 points; to do: output, more (blocked)");
    expect(session.output()).toContain(`${name}  before \`goto 3\``);
    expect(session.output()).toMatch(/Next: npx expserver-course hint\n$/);
  });

  const passing = { builds: "pass" } as const;
  const failing = { builds: "pass", output: "fail" } as const;

  test.each([
    ["passed", [passing], "done\n", "next"],
    ["failed after it passed", [passing, failing], "done before, but the last grading failed\n", "hint"],
  ])("of a stage that %s says what to type next", async (_, gradings, state, command) => {
    const workspace = temporaryWorkspace();
    updateProgress(workspace, (progress) => {
      for (const outcomes of gradings) recordGrading(progress, gradeRecordOf([findStage("0")!], outcomes));
    });
    const session = recordedSession(workspace);
    await status(session, {});
    expect(session.output()).toContain(`Stage 0, Setup: ${state}`);
    expect(session.output()).toMatch(new RegExp(`Next: npx expserver-course ${command}\n$`));
  });

  test("of a passed stage that was begun again sends to the lesson", async () => {
    const workspace = temporaryWorkspace();
    updateProgress(workspace, (progress) =>
      recordGrading(progress, gradeRecordOf([findStage("1")!], passing)),
    );
    await goto(recordedSession(workspace), "1", {});
    const session = recordedSession(workspace);
    await status(session, {});
    expect(session.output()).toMatch(/^Stage 1, TCP Server: done before, and begun again\n/);
    expect(session.output()).toMatch(/Next: npx expserver-course read\n$/);
  });

  test("--json gives the same to programs", async () => {
    const session = recordedSession(halfway());
    await status(session, { json: true });
    expect(JSON.parse(session.output())).toMatchObject({
      workspace: session.cwd,
      current: { stage: 1, slug: "01-tcp-server", program: "tcp-server" },
      passed: 1,
      points: 2,
      next: "npx expserver-course hint",
    });
  });
});

describe("list", () => {
  test("shows every stage with its state", async () => {
    const workspace = halfway();
    updateProgress(workspace, (progress) => {
      progressOf(progress, findStage("2")!).leftUnfinished = { at: new Date().toISOString(), failing: ["x"] };
    });
    const session = recordedSession(workspace);
    await list(session, undefined, {}, engine);
    const lines = session.output().split("\n");
    expect(lines[0]).toBe("Phase 0: Linux socket programming");
    expect(lines[1]).toMatch(/^✓ {2}0 {2}Setup .* 1\/1 points$/);
    expect(lines[2]).toMatch(/^> {2}1 {2}TCP Server .* 1\/3 points$/);
    expect(lines[3]).toMatch(/^! {2}2 {2}TCP Client/);
    expect(lines[4]).toMatch(/^ {3}3 {2}Linux epoll/);
  });

  test("works outside of a workspace, and as JSON", async () => {
    const session = recordedSession(temporaryFolder());
    await list(session, undefined, { json: true }, engine);
    expect(JSON.parse(session.output())).toHaveLength(allStages().length);
  });

  test("of a stage shows its checks, their points and how the last grading found them", async () => {
    const session = recordedSession(halfway());
    await list(session, "1", {}, engine);
    expect(session.output()).toMatch(/3 checks, 3 points\n✓ builds +1 .*\n✗ output +1 .*\n- more +1 /);
  });
});

describe("doctor", () => {
  const finding = { id: "x", title: "a thing", ok: true, required: true, detail: "fine" };

  test("ends with status 0 when nothing required is missing", async () => {
    const session = recordedSession(temporaryFolder());
    const missing = { ...finding, ok: false, required: false, remedy: "Install it." };
    expect(await doctor(session, {}, async () => [finding, missing])).toBe(0);
    expect(session.output()).toMatch(
      /^✓ a thing {2}fine\n! a thing {2}fine\n {4}Install it\.\n\nThis machine has/,
    );
  });

  test("says how to go on: outside of a workspace, and with a stage that is new, graded or done", async () => {
    const commandIn = async (folder: string) => {
      const session = recordedSession(folder);
      await doctor(session, {}, async () => [finding]);
      return / expserver-course (\w+)\n$/.exec(session.output())?.[1];
    };
    const workspace = temporaryWorkspace();
    const graded = (outcome: "pass" | "fail") =>
      updateProgress(workspace, (progress) =>
        recordGrading(progress, gradeRecordOf([findStage("0")!], { builds: outcome })),
      );
    expect(await commandIn(temporaryFolder())).toBe("next");
    expect(await commandIn(workspace)).toBe("read");
    graded("fail");
    expect(await commandIn(workspace)).toBe("grade");
    graded("pass");
    expect(await commandIn(workspace)).toBe("next");
  });

  test("ends with status 2 and what to do when something is", async () => {
    const session = recordedSession(temporaryFolder());
    expect(await doctor(session, {}, async () => [{ ...finding, ok: false, remedy: "Mend it." }])).toBe(2);
    expect(session.output()).toContain("✗ a thing  fine\n    Mend it.");
  });
});

describe("run", () => {
  /** A workspace whose hello is a shell command. */
  function shellWorkspace(command: string, more = {}): string {
    const workspace = temporaryWorkspace();
    writeFileSync(join(workspace, "course.json"), JSON.stringify({ run: { hello: command }, ...more }));
    return workspace;
  }

  test.each([
    ["sh -c 'exit 7'", 7],
    ["true", 0],
    ["sh -c 'kill -TERM $$'", 143],
    ["sh -c 'kill -SEGV $$'", 139],
  ])("%s gives status %i", async (command, expected) => {
    expect(await run(recordedSession(shellWorkspace(command)), "hello", [])).toBe(expected);
  });

  test("says by which signal a program was ended", async () => {
    const session = recordedSession(shellWorkspace("sh -c 'kill -KILL $$'"));
    await run(session, "0", []);
    expect(session.warnings()).toBe("hello was ended by SIGKILL.\n");
  });

  test("arguments arrive whole", async () => {
    const workspace = shellWorkspace("test {args}");
    expect(await run(recordedSession(workspace), "hello", ["a b'c", "=", "a b'c"])).toBe(0);
  });

  test("a build that fails is shown instead", async () => {
    const workspace = shellWorkspace("true", { build: "echo no such header >&2; exit 1" });
    await expect(run(recordedSession(workspace), "hello", [])).rejects.toThrow(
      /build command.*no such header/s,
    );
  });

  test("a program that does not compile is shown with file and line", async () => {
    const workspace = temporaryWorkspace();
    mkdirSync(join(workspace, "src/phase-0"), { recursive: true });
    writeFileSync(join(workspace, "src/phase-0/hello.ts"), "const x = ;\n");
    await expect(run(recordedSession(workspace), "hello", [])).rejects.toThrow(
      /hello could not be built:.*hello\.ts:1/s,
    );
  });
});
