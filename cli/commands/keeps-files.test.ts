import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { allStages } from "../../stages/stage.ts";
import { skeletonFiles, solutionFiles, workspaceFiles } from "../../stages/tree.ts";
import { listSnapshots } from "../snapshot.ts";
import { contents, fakeEngine, recordedSession, temporaryFolder, temporaryWorkspace } from "../testing.ts";
import { diff } from "./diff.ts";
import { goto } from "./goto.ts";
import { grade } from "./grade.ts";
import { hint } from "./hint.ts";
import { init } from "./init.ts";
import { list } from "./list.ts";
import { next } from "./next.ts";
import { read } from "./read.ts";
import { reset } from "./reset.ts";
import { run } from "./run.ts";
import { solution } from "./solution.ts";
import { status } from "./status.ts";

/** Every path that any command could want to write. */
const contested = [
  ...new Set([
    ...workspaceFiles().map(({ path }) => path),
    ...allStages().flatMap((stage) =>
      [...skeletonFiles(stage), ...solutionFiles(stage)].map(({ path }) => path),
    ),
    "public/index.html",
    "xps-config.json",
  ]),
];

/** The learner's own bytes under every contested name. */
function fill(folder: string): void {
  for (const path of contested) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `the learner's ${path}\n`);
  }
  // These two have to be what they are for the commands to work at all.
  writeFileSync(join(folder, "course.json"), '{ "run": {} }\n');
  writeFileSync(join(folder, "package.json"), '{ "devDependencies": { "expserver-course": "*" } }\n');
}

/** What is the learner's in a folder; progress, snapshots and runs are not. */
function learners(folder: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(contents(folder)).filter(([path]) => !path.startsWith(".expserver")),
  );
}

const { engine: passing } = fakeEngine({ builds: "pass" });
const { engine: failing } = fakeEngine({ builds: "fail" });

const harmless: Record<string, (folder: string) => Promise<number>> = {
  init: (folder) => init(recordedSession(folder), "."),
  "init in a new folder": (folder) => init(recordedSession(folder), "another"),
  next: (folder) => next(recordedSession(folder), {}, passing),
  "next --anyway": (folder) => next(recordedSession(folder), { anyway: true }, failing),
  grade: (folder) => grade(recordedSession(folder), ["all"], {}, failing),
  read: (folder) => read(recordedSession(folder), "1", {}),
  hint: (folder) => hint(recordedSession(folder), "prints-pid", {}, failing),
  "solution --out src": (folder) => solution(recordedSession(folder), "1", { out: "src", yes: true }),
  "solution --out new": (folder) =>
    solution(recordedSession(folder), "1", { out: ".expserver/x", yes: true }),
  diff: (folder) => diff(recordedSession(folder), "1", { yes: true }),
  status: (folder) => status(recordedSession(folder), {}),
  list: (folder) => list(recordedSession(folder), undefined, {}),
  run: (folder) => run(recordedSession(folder), "hello", []),
};

test.each(Object.keys(harmless))("%s leaves every file of the learner's as it was", async (name) => {
  const workspace = temporaryWorkspace();
  fill(workspace);
  const before = learners(workspace);
  await harmless[name]!(workspace).catch(() => undefined);
  expect(learners(workspace)).toMatchObject(before);
});

test("init in a folder that is full of the same names writes nothing at all", async () => {
  const folder = temporaryFolder();
  fill(folder);
  writeFileSync(join(folder, "package.json"), "{}");
  const before = contents(folder);
  await expect(init(recordedSession(folder), ".")).rejects.toThrow("nothing of yours is overwritten");
  expect(contents(folder)).toEqual(before);
});

test.each(["goto", "reset"])("what %s replaces is in the snapshot, byte for byte", async (name) => {
  const workspace = temporaryWorkspace();
  fill(workspace);
  const before = new Map(contested.map((path) => [path, readFileSync(join(workspace, path), "utf8")]));
  await (name === "goto" ? goto(recordedSession(workspace), "4", {}) : reset(recordedSession(workspace), {}));
  const [snapshot] = listSnapshots(workspace);
  for (const [path, text] of before) {
    if (readFileSync(join(workspace, path), "utf8") === text) continue;
    expect(readFileSync(join(snapshot!.folder, "files", path), "utf8")).toBe(text);
  }
});
