import { describe, expect, test } from "vitest";
import { allStages } from "../stages/stage.ts";
import { check, loadChecks, withPrerequisites } from "./checks.ts";
import { type CheckResult, exitStatusOf, type Outcome, sumPoints } from "./record.ts";

const made = (id: string, after: string[] = []) =>
  check(id, { title: id, points: 1, why: "", after }, async () => {});

describe("the checks to run", () => {
  const checks = [made("a"), made("b", ["a"]), made("c"), made("d", ["b"]), made("e", ["c", "d"])];
  test.each([
    [["a"], "a"],
    [["d"], "abd"],
    [["e"], "abcde"],
    [["c", "b"], "abc"],
    [[], ""],
    [["unknown"], ""],
  ])("for %j are %s", (wanted, ids) => {
    expect(
      withPrerequisites(checks, wanted)
        .map(({ id }) => id)
        .join(""),
    ).toBe(ids);
  });
});

test("a check has defaults for what its file leaves out", () => {
  expect(check("id", { title: "t", points: 2, why: "w" }, async () => {})).toMatchObject({
    id: "id",
    after: [],
    see: [],
    limitMs: 60_000,
  });
});

test.each(allStages().map((stage) => [stage.slug, stage] as const))(
  "%s has checks that keep the rules",
  async (_, stage) => {
    const checks = await loadChecks(stage);
    expect(checks.length).toBeGreaterThan(0);
  },
);

test("a stage without a check file is an error that names the file", async () => {
  const stage = { ...allStages()[0]!, slug: "99-missing" };
  await expect(loadChecks(stage)).rejects.toThrow(
    /^Stage 99-missing has no checks: .*99-missing\.ts is missing\.$/,
  );
});

describe("points and exit status", () => {
  const result = (outcome: Outcome, points = 2): CheckResult => ({
    id: outcome,
    title: "",
    outcome,
    points,
    earned: outcome === "pass" ? points : 0,
    durationMs: 0,
  });

  test.each<[Outcome[], 0 | 1 | 2]>([
    [["pass", "pass"], 0],
    [["pass", "skipped"], 0],
    [["skipped"], 0],
    [["pass", "fail"], 1],
    [["blocked"], 1],
    [["error"], 2],
    [["fail", "error", "pass"], 2],
  ])("%j ends with status %i", (outcomes, status) => {
    expect(exitStatusOf(outcomes.map((outcome) => result(outcome)))).toBe(status);
  });

  test("skipped and error count on neither side, fail and blocked on one", () => {
    const checks = [
      result("pass", 3),
      result("fail", 5),
      result("blocked", 7),
      result("skipped", 11),
      result("error", 13),
    ];
    expect(sumPoints(checks)).toEqual({ earned: 3, possible: 15 });
  });
});
