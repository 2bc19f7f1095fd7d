/** Gradings that are interrupted, killed or broken: the learner is never blamed, and nothing is left. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findStage } from "../stages/stage.ts";
import {
  checksFile,
  GradingProcess,
  graded,
  packageWith,
  resultOf,
  shellWorkspace,
  solution,
  until,
  workspace,
} from "./grading-process.ts";

/** Two checks that wait for ever, and one that builds on them. */
const waiting = packageWith(
  checksFile(
    `check("quick", words, async () => {}),
     check("waits", words, async ({ launch, start }) => { launch(["a"]); await start(); }),
     check("waits-too", words, async ({ launch }) => { launch(["b"]); await new Promise(() => {}); }),
     check("after", { ...words, after: ["waits"] }, async () => {})`,
  ),
);

describe.concurrent("an interrupted grading", () => {
  test("ends its programs and says for each check whether it was done", async () => {
    const grading = new GradingProcess(shellWorkspace("trap '' TERM INT; setsid sleep 1000 & sleep 1000"), {
      root: waiting,
      stages: ["1", "1"],
    });
    expect(await until(() => grading.programs().filter(({ name }) => name === "sleep").length >= 4)).toBe(
      true,
    );
    grading.child.kill("SIGINT");
    const begun = performance.now();
    expect(await grading.ended()).toEqual({ code: 2, signal: null });
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(grading.leftovers()).toEqual([]);
    expect(grading.records[0]!.stages).toHaveLength(1);
    const outcomes = grading.records[0]!.stages[0]!.checks.map(
      ({ outcome, reason }) => `${outcome}: ${reason}`,
    );
    const interrupted = "error: the grading was interrupted";
    expect(outcomes).toEqual(["pass: undefined", interrupted, interrupted, interrupted]);
    expect(grading.stderr).toBe("");
  });

  test("ends a build command with all that it started", async () => {
    const target = workspace({
      "course.json": { build: "setsid sleep 1000 & touch begun; sleep 1000", run: { "tcp-server": "true" } },
    });
    const grading = new GradingProcess(target, { root: waiting });
    expect(await until(() => readdirSync(target).includes("begun"))).toBe(true);
    grading.child.kill("SIGINT");
    expect(await grading.ended()).toEqual({ code: 2, signal: null });
    expect(grading.leftovers()).toEqual([]);
    expect(grading.records[0]).toMatchObject({ exitStatus: 2, stages: [] });
  });

  test("ends even where a check never comes back to its event loop", async () => {
    const stuck = packageWith(
      checksFile(`check("stuck", words, async ({ launch }) => {
        launch(["a"]);
        await new Promise((resolve) => setTimeout(resolve, 100));
        for (;;);
      })`),
    );
    const grading = new GradingProcess(shellWorkspace("exec sleep 1000"), { root: stuck });
    await grading.programRuns();
    grading.child.kill("SIGINT");
    expect(await grading.ended()).toEqual({ code: 2, signal: null });
    expect(resultOf(grading.records[0]!, "stuck")).toMatchObject({
      outcome: "error",
      reason: "the grading was interrupted",
    });
    expect(grading.leftovers()).toEqual([]);
  });
});

describe("a grader that is killed leaves nothing for longer than a moment", () => {
  test("in the middle of its build command", async () => {
    const target = workspace({
      "course.json": { build: "setsid sleep 1000 & touch begun; sleep 1000", run: { "tcp-server": "true" } },
    });
    const grading = new GradingProcess(target, { root: waiting });
    expect(await until(() => readdirSync(target).includes("begun"))).toBe(true);
    grading.child.kill("SIGKILL");
    await grading.ended();
    expect(await until(() => grading.leftovers().length === 0, 5000)).toBe(true);
  });

  test.each([50, 150, 300, 450, 600])("%i ms after its start", async (ms) => {
    const grading = new GradingProcess(solution(findStage("1")!), { stages: ["1"] });
    await new Promise((resolve) => setTimeout(resolve, ms));
    grading.child.kill("SIGKILL");
    expect(await grading.ended()).toEqual({ code: null, signal: "SIGKILL" });
    expect(await until(() => grading.leftovers().length === 0, 5000)).toBe(true);
  });
});

describe.concurrent("a broken check is an error, and the grading's status is 2:", () => {
  test("one that throws something unexpected", async () => {
    const root = packageWith(
      checksFile(
        `check("broken", words, async ({ launch }) => { launch([]); undefined.missing; }),
         check("builds-on-it", { ...words, after: ["broken"] }, async () => {}),
         check("sound", words, async () => {})`,
      ),
    );
    const record = await graded(shellWorkspace("exec sleep 1000"), { root });
    expect(resultOf(record, "broken").outcome).toBe("error");
    expect(resultOf(record, "broken").reason).toMatch(/^TypeError: .*undefined/);
    expect(resultOf(record, "broken").failure).toBeUndefined();
    expect(resultOf(record, "builds-on-it").outcome).toBe("error");
    expect(resultOf(record, "sound").outcome).toBe("pass");
    expect(record.points).toEqual({ earned: 1, possible: 1 });
    expect(record.exitStatus).toBe(2);
  });

  test("one whose file throws where it runs", async () => {
    const checks = checksFile('check("one", words, async () => {}), check("two", words, async () => {})');
    const root = packageWith({
      "checks/01-tcp-server.js": `import { isMainThread } from "node:worker_threads";
        if (!isMainThread) throw new Error("the file is broken");
        ${checks["checks/01-tcp-server.js"]}`,
    });
    const record = await graded(shellWorkspace("exit 0"), { root });
    for (const id of ["one", "two"]) {
      expect(resultOf(record, id).outcome).toBe("error");
      expect(resultOf(record, id).reason).toMatch(/^Error: the file is broken\n\s+at /);
    }
    expect(record.exitStatus).toBe(2);
  });

  test("one whose file throws before it runs", async () => {
    const root = packageWith({ "checks/01-tcp-server.js": 'throw new Error("the file is broken");' });
    const grading = new GradingProcess(shellWorkspace("exit 0"), { root });
    expect(await grading.ended()).toEqual({ code: 2, signal: null });
    expect(grading.error).toEqual({ name: "Error", message: "the file is broken" });
    expect(grading.leftovers()).toEqual([]);
  });

  test("one that ends its thread", async () => {
    const root = packageWith(
      checksFile(
        `check("deadly", { ...words, alone: true }, async ({ launch, waitFor, tree }) => {
           launch(["a"]);
           await waitFor(() => tree.alive().length === 2, 5000);
           process.reallyExit(0);
         }),
         check("behind", { ...words, alone: true }, async () => {})`,
      ),
    );
    const record = await graded(shellWorkspace("setsid sleep 1000 & exec sleep 1000"), { root });
    const outcomes = record.stages[0]!.checks.map(({ id, outcome }) => `${id}: ${outcome}`);
    expect(outcomes).toEqual(["deadly: error", "behind: error"]);
    expect(record.exitStatus).toBe(2);
  });

  test("one whose transcript cannot be written, and only that one", async () => {
    const root = packageWith(
      checksFile(
        `check("unkept", words, async ({ plan }) => {
           const { mkdirSync } = await import("node:fs");
           mkdirSync(plan.transcripts + "/01-tcp-server.unkept.txt", { recursive: true });
           assert(false, { summary: "", expected: "", observed: "" });
         }),
         check("sound", words, async () => {})`,
      ),
    );
    const record = await graded(shellWorkspace("exit 0"), { root });
    expect(resultOf(record, "unkept")).toMatchObject({
      outcome: "error",
      reason: expect.stringMatching(/EISDIR/),
    });
    expect(resultOf(record, "sound").outcome).toBe("pass");
    expect(record.exitStatus).toBe(2);
  });

  test("one that leaves a rejection nobody handles does not change what was found", async () => {
    const root = packageWith(
      checksFile(
        `check("careless", words, async () => { void Promise.reject(new Error("nobody looks")); }),
         check("sound", words, async () => {})`,
      ),
    );
    const record = await graded(shellWorkspace("exit 0"), { root });
    expect(record.stages[0]!.checks.map(({ outcome }) => outcome)).toEqual(["pass", "pass"]);
  });
});

test("a package without checks for a stage is an error that names the file", async () => {
  const root = packageWith({});
  rmSync(join(root, "dist", "grader", "checks", "01-tcp-server.js"));
  const grading = new GradingProcess(shellWorkspace("exit 0"), { root });
  expect(await grading.ended()).toEqual({ code: 2, signal: null });
  expect(grading.error?.message).toMatch(
    /^Stage 01-tcp-server has no checks: .*01-tcp-server\.js is missing\.$/,
  );
});
