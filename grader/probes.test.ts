import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { findStage } from "../stages/stage.ts";
import { stopBuilder } from "./bundle.ts";
import { courseFile } from "./course.ts";
import { failedProbe, passedProbe, planFor, probe, temporaryFolder } from "./engine/testing.ts";
import { workspace } from "./grading-process.ts";
import { bundleProbes } from "./probes.ts";

afterAll(stopBuilder);

const stage = findStage("1")!;
const evidence = fileURLToPath(new URL("./engine/evidence.ts", import.meta.url));

/** Probes of a module `answer`, which exports a function of this name. */
const probes = `
  import { answer } from "workspace:answer";
  import { getpid } from "expserver-course/linux";
  import { assert } from ${JSON.stringify(evidence)};
  export const probes = {
    "is-42": async () => {
      console.log("from process", getpid());
      const observed = await answer();
      assert(observed === 42, { summary: "a wrong answer", expected: "42", observed: String(observed) });
    },
  };
`;

/** Bundles the probes with a workspace. */
async function built(files: Record<string, string>, course: object = {}) {
  const target = workspace(files);
  const file = join(temporaryFolder(), "probes.ts");
  writeFileSync(file, probes);
  const folder = join(target, "build");
  return bundleProbes(file, { target, stage, course: courseFile.parse(course), folder });
}

/** A plan for a workspace with this module. */
async function plan(answer: string, course?: object) {
  return planFor("true", { probes: await built({ "src/answer.ts": answer }, course) });
}

describe("a probe", () => {
  test("passes in a process of its own, whatever it prints", async () => {
    const report = await passedProbe(
      await plan("export const answer = () => 42;"),
      async ({ probe, programs }) => {
        await probe("is-42");
        expect(programs[0]!.stdout.text()).toBe(`from process ${programs[0]!.pid}\n`);
        expect(programs[0]!.pid).not.toBe(process.pid);
      },
    );
    expect(report.outcome).toBe("pass");
  });

  test("fails with what it found", async () => {
    const failed = await failedProbe(await plan("export const answer = () => 41;"), ({ probe }) =>
      probe("is-42"),
    );
    expect(failed).toMatchObject({ summary: "a wrong answer", expected: "42", observed: "41" });
  });

  test("fails with the module's own error, by the line of the source", async () => {
    const failed = await failedProbe(
      await plan('export function answer() {\n  throw new RangeError("too much");\n}'),
      ({ probe }) => probe("is-42"),
    );
    expect(failed.summary).toContain("RangeError: too much");
    expect(failed.programs[0]!.output).toContain("src/answer.ts:2");
  });

  test("tells an open gap of a skeleton as what it is", async () => {
    const failed = await failedProbe(
      await plan('export function answer() {\n  throw new Error("TODO 3: answer");\n}'),
      ({ probe }) => probe("is-42"),
    );
    expect(failed.summary).toBe("the modules' process stopped at an open gap: TODO 3: answer");
  });

  test("fails when the module ends the process before the probe is through", async () => {
    const failed = await failedProbe(
      await plan("export const answer = () => process.exit(0);"),
      ({ probe }) => probe("is-42"),
    );
    expect(failed).toMatchObject({
      summary: "the modules' process ended too early",
      observed: expect.stringMatching(
        /^it ended with status 0(; the last that it printed: from process \d+)?$/,
      ),
    });
  });

  test("fails when the module writes where the result is awaited", async () => {
    const failed = await failedProbe(
      await plan('import { writeSync } from "node:fs"; export const answer = () => writeSync(3, "{") + 41;'),
      ({ probe }) => probe("is-42"),
    );
    expect(failed.observed).toMatch(/^it ended with status 0; the last that it printed: from process \d+$/);
  });

  test("fails when a signal ends the module's process", async () => {
    const failed = await failedProbe(
      await plan('export const answer = () => process.kill(process.pid, "SIGABRT");'),
      ({ probe }) => probe("is-42"),
    );
    expect(failed.summary).toContain("SIGABRT");
  });

  test("that the stage does not have is the grader's trouble", async () => {
    const { outcome, reason } = await probe(await plan("export const answer = () => 42;"), ({ probe }) =>
      probe("is-43"),
    );
    expect({ outcome, reason }).toEqual({
      outcome: "error",
      reason: "there is no probe is-43 at this stage",
    });
  });

  test("fails when the module never comes back", async () => {
    const failed = await failedProbe(await plan("export const answer = () => { for (;;); };"), ({ probe }) =>
      probe("is-42", { withinMs: 500 }),
    );
    expect(failed).toMatchObject({
      summary: "the modules' process does not come to its end",
      observed: expect.stringMatching(/^it still runs(; the last that it printed: from process \d+)?$/),
    });
  });
});

describe("modules", () => {
  test("are found where course.json says", async () => {
    const probes = await built(
      { "src/mine.ts": "export const answer = () => 42;" },
      { modules: { answer: "src/mine.ts" } },
    );
    await passedProbe(planFor("true", { probes }), ({ probe }) => probe("is-42"));
  });

  test("that do not exist make the check skipped, with the way to map them", async () => {
    const report = await probe(
      planFor("true", { probes: await built({ "src/other.ts": "" }) }),
      ({ probe }) => probe("is-42"),
    );
    expect(report).toMatchObject({
      outcome: "skipped",
      reason: 'src/answer.ts does not exist; "modules" of course.json can say where answer is',
    });
  });

  test("that are not where course.json says fail the check, and the file is named", async () => {
    const probes = await built(
      { "src/answer.ts": "export const answer = () => 42;" },
      { modules: { answer: "src/mien.ts" } },
    );
    const failed = await failedProbe(planFor("true", { probes }), ({ probe }) => probe("is-42"));
    expect(failed.observed).toBe(
      '"modules" of course.json says that answer is in src/mien.ts, and this file does not exist',
    );
  });

  test("of a program in another language are not asked for", async () => {
    const probes = await built({}, { run: { [stage.program.name]: "./a.out" } });
    expect(probes).toEqual({ skip: expect.stringContaining("runs tcp-server by a command of its own") });
  });

  test("that lack an export of the contract fail the check, and it is named", async () => {
    const failed = await failedProbe(await plan("export const question = () => 42;"), ({ probe }) =>
      probe("is-42"),
    );
    expect(failed.observed).toContain('No matching export in "src/answer.ts" for import "answer"');
  });
});
