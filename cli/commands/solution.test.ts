import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findStage } from "../../stages/stage.ts";
import { solutionFiles } from "../../stages/tree.ts";
import { recordGrading, updateProgress } from "../progress.ts";
import { gradeRecordOf, recordedSession, temporaryFolder, temporaryWorkspace } from "../testing.ts";
import { diff } from "./diff.ts";
import { solution } from "./solution.ts";

const [setup, server] = [findStage("0")!, findStage("1")!];
const reference = (path: string) => solutionFiles(server).find((file) => file.path === path)!.source;

test("the reference of a stage that is not done is shown only with --yes", async () => {
  const session = recordedSession(temporaryWorkspace());
  await expect(solution(session, undefined, {})).rejects.toMatchObject({ exitStatus: 1 });
  await expect(diff(session, undefined, {})).rejects.toThrow(/not done yet.*course hint\n.*diff 0 --yes/s);
  await solution(session, undefined, { yes: true });
  expect(session.output()).toBe(readFileSync(reference(setup.program.entry), "utf8"));
});

test("once the stage is done nobody asks", async () => {
  const workspace = temporaryWorkspace();
  updateProgress(workspace, (progress) =>
    recordGrading(progress, gradeRecordOf([setup], { builds: "pass" })),
  );
  expect(await solution(recordedSession(workspace), "0", {})).toBe(0);
});

test("--file prints one file, or names the nearest one", async () => {
  const session = recordedSession(temporaryFolder());
  await solution(session, "1", { file: "tcp-server" });
  expect(session.output()).toBe(readFileSync(reference(server.program.entry), "utf8"));
  await expect(solution(session, "1", { file: "tcp-sever.ts" })).rejects.toThrow(/Did you mean .*tcp-server/);
});

test("--out writes the tree into a new folder only, and never into src", async () => {
  const workspace = temporaryWorkspace();
  const session = recordedSession(workspace);
  await solution(session, "1", { out: "the reference", yes: true });
  for (const { path, source } of solutionFiles(server)) {
    expect(readFileSync(join(workspace, "the reference", path))).toEqual(readFileSync(source));
  }
  await expect(solution(session, "1", { out: "the reference", yes: true })).rejects.toThrow("exists already");
  await expect(solution(session, "1", { out: "src/reference", yes: true })).rejects.toThrow(
    "never written into src",
  );
  expect(existsSync(join(workspace, "src/reference"))).toBe(false);
});

test("diff shows the way from the learner's file to the reference, or that there is none", async () => {
  const workspace = temporaryWorkspace();
  writeFileSync(join(workspace, setup.program.entry), "const mine = 1;\n");
  const session = recordedSession(workspace);
  await diff(session, "0", { yes: true });
  expect(session.output()).toMatch(
    /--- yours\/src\/phase-0\/hello\.ts\n\+\+\+ reference\/src\/phase-0\/hello\.ts\n.*^-const mine/ms,
  );

  writeFileSync(join(workspace, setup.program.entry), readFileSync(reference(setup.program.entry)));
  const same = recordedSession(workspace);
  await diff(same, "0", { yes: true });
  expect(same.output()).toContain("are the same");
});
