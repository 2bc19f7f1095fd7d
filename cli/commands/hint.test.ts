import { describe, expect, test } from "vitest";
import { loadHints } from "../../stages/hints.ts";
import { findStage } from "../../stages/stage.ts";
import { recordGrading, updateProgress } from "../progress.ts";
import { fakeEngine, gradeRecordOf, recordedSession, temporaryWorkspace } from "../testing.ts";
import { hint } from "./hint.ts";

const stage = findStage("0")!;
const rungs = loadHints(stage).get("prints-pid")!;
const { engine } = fakeEngine({ "prints-pid": "fail", builds: "pass", hintless: "pass" });

/** A workspace in whose last grading `prints-pid` failed. */
function failedWorkspace(): string {
  const workspace = temporaryWorkspace();
  updateProgress(workspace, (progress) =>
    recordGrading(progress, gradeRecordOf([stage], { builds: "pass", "prints-pid": "fail" })),
  );
  return workspace;
}

async function hintIn(workspace: string, check?: string, options = {}): Promise<string> {
  const session = recordedSession(workspace);
  expect(await hint(session, check, options, engine)).toBe(0);
  return session.output();
}

test("each call shows the next hint after the one that the report showed, then the last one again", async () => {
  const workspace = failedWorkspace();
  for (let level = 2; level <= rungs.length; level++) {
    expect(await hintIn(workspace)).toContain(`Hint ${level} of ${rungs.length}`);
  }
  const again = await hintIn(workspace);
  expect(again).toContain(`Hint ${rungs.length} of ${rungs.length}`);
  expect(again).toContain("You have seen all of its hints");
});

test("the command for the next hint names a check that was named, and another stage", async () => {
  expect(await hintIn(failedWorkspace(), "reports-ebadf")).toMatch(/course hint reports-ebadf\n/);
  expect(await hintIn(failedWorkspace(), "builds", { stage: "1" })).toMatch(/course hint builds --stage 1\n/);
});

test("a check that the report did not show in full begins with its first hint", async () => {
  expect(await hintIn(failedWorkspace(), "reports-ebadf")).toContain("Hint 1 of");
});

test("no line is wider than the terminal, unless it is code", async () => {
  const session = recordedSession(failedWorkspace(), { columns: 60 });
  await hint(session, undefined, { all: true }, engine);
  const [hints] = session.output().split("Try it:");
  expect(Math.max(...hints!.split("\n").map((line) => line.length))).toBeLessThanOrEqual(60);
});

test("--all shows every hint, --level one of them", async () => {
  const workspace = failedWorkspace();
  expect((await hintIn(workspace, undefined, { all: true })).match(/Hint \d of/g)).toHaveLength(rungs.length);
  const second = await hintIn(workspace, "prints-pid", { level: "2" });
  expect(second).toContain("Hint 2 of");
  expect(second).not.toContain("Hint 1 of");
});

describe("a hint is refused in words", () => {
  test.each(["0", "99", "x"])("for level %s", async (level) => {
    await expect(hint(recordedSession(failedWorkspace()), undefined, { level }, engine)).rejects.toThrow(
      "from 1 to",
    );
  });

  test("before the first grading", async () => {
    await expect(hint(recordedSession(temporaryWorkspace()), undefined, {}, engine)).rejects.toThrow(
      "course grade 0",
    );
  });

  test("when nothing failed", async () => {
    const workspace = temporaryWorkspace();
    updateProgress(workspace, (progress) =>
      recordGrading(progress, gradeRecordOf([stage], { builds: "pass" })),
    );
    await expect(hint(recordedSession(workspace), undefined, {}, engine)).rejects.toThrow("course next");
  });

  test("for a mistyped check", async () => {
    const asking = hint(recordedSession(failedWorkspace()), "print-pid", {}, engine);
    await expect(asking).rejects.toThrow('no check "print-pid". Did you mean prints-pid?');
  });

  test("for a check without hints", async () => {
    const asking = hint(recordedSession(failedWorkspace()), "hintless", {}, engine);
    await expect(asking).rejects.toThrow("has no hints");
  });
});
