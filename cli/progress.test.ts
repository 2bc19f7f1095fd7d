import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findStage } from "../stages/stage.ts";
import {
  currentStage,
  newProgress,
  progressPath,
  readProgress,
  recordGrading,
  updateProgress,
} from "./progress.ts";
import { gradeRecordOf, temporaryWorkspace } from "./testing.ts";

const stage = findStage("1")!;

describe("the file", () => {
  test("a new workspace is at stage 0", () => {
    expect(currentStage(readProgress(temporaryWorkspace())).number).toBe(0);
  });

  test.each([
    ["damaged JSON", '{ "version": 1,', /is not valid JSON .*git checkout/s],
    ["a merge conflict", "<<<<<<< HEAD\n{}", /is not valid JSON/],
    ["an empty file", "", /is not valid JSON/],
    [
      "another shape",
      '{"version":1,"course":"0.1.0","current":3,"stages":{}}',
      /current: .*Nothing was changed/s,
    ],
    ["null", "null", /does not hold what it should/],
    ["a newer format", '{"version":2}', /newer expserver-course \(format 2.*npm install/s],
  ])("%s is refused with a remedy and stays as it is", (_, text, message) => {
    const workspace = temporaryWorkspace();
    writeFileSync(progressPath(workspace), text);
    expect(() => readProgress(workspace)).toThrow(message);
    expect(() => updateProgress(workspace, () => {})).toThrow(message);
    expect(readFileSync(progressPath(workspace), "utf8")).toBe(text);
  });

  test("keys of a later version survive", () => {
    const workspace = temporaryWorkspace();
    const progress = { ...newProgress(stage), medals: ["gold"] };
    writeFileSync(progressPath(workspace), JSON.stringify(progress));
    updateProgress(workspace, (changed) => {
      changed.current = "00-setup";
    });
    expect(JSON.parse(readFileSync(progressPath(workspace), "utf8"))).toMatchObject({
      medals: ["gold"],
      current: "00-setup",
    });
  });

  test("without it, the furthest program in src is the current stage", () => {
    const workspace = temporaryWorkspace();
    rmSync(progressPath(workspace));
    writeFileSync(join(workspace, findStage("3")!.program.entry), "");
    expect(readProgress(workspace).current).toBe("03-linux-epoll");
  });

  test("writing leaves nothing beside it", () => {
    const workspace = temporaryWorkspace();
    updateProgress(workspace, () => {});
    expect(readdirSync(dirname(progressPath(workspace)))).toEqual(["state.json"]);
  });

  test("a stage that this version does not have is named", () => {
    expect(() => currentStage({ ...newProgress(stage), current: "77-quantum" })).toThrow(
      /"77-quantum".*goto/s,
    );
  });
});

describe("a grading", () => {
  test("keeps the best points and the last failures", () => {
    const progress = newProgress(stage);
    recordGrading(progress, gradeRecordOf([stage], { a: "pass", b: "pass", c: "fail" }));
    recordGrading(progress, gradeRecordOf([stage], { a: "pass", b: "fail", c: "blocked" }));
    const entry = progress.stages[stage.slug]!;
    expect(entry.best).toEqual({ earned: 2, possible: 3 });
    expect(entry.last).toMatchObject({ failed: ["b"], blocked: ["c"], earned: 1, seed: "4f2a91c0" });
    expect(entry.passed).toBeUndefined();
  });

  test("in which nothing failed passes the stage, for good", () => {
    const progress = newProgress(stage);
    recordGrading(progress, gradeRecordOf([stage], { a: "pass", b: "skipped" }));
    recordGrading(progress, gradeRecordOf([stage], { a: "fail", b: "pass" }));
    expect(progress.stages[stage.slug]!.passed).toBe("2025-01-31T12:00:00.000Z");
  });
});
