import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { courseFile } from "../grader/course.ts";
import { findStage, type Stage } from "../stages/stage.ts";
import { explainMisfits, findMisfits } from "./fit.ts";
import { isOtherLanguage, placeSkeleton } from "./skeleton.ts";
import { temporaryFolder, temporaryWorkspace } from "./testing.ts";

/** A stage of our own making, with these skeleton files. */
function stageWith(files: Record<string, string>, more: Partial<Stage> = {}): Stage {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, "skeleton", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return { ...findStage("4")!, number: 6, slug: "06-test", folder, ...more };
}

const fresh = { begunBefore: false, otherLanguage: false };
const course = courseFile.parse({});

describe("placing a skeleton", () => {
  test("writes new files only, and the others beside", () => {
    const workspace = temporaryWorkspace();
    writeFileSync(join(workspace, "src", "loop.ts"), "mine");
    const stage = stageWith({ "src/loop.ts": "theirs", "src/core/timers.ts": "new", "public/a.html": "a" });
    expect(placeSkeleton(workspace, stage, fresh)).toEqual([
      { path: "public/a.html", outcome: "new" },
      { path: "src/core/timers.ts", outcome: "new" },
      { path: "src/loop.ts", outcome: "beside", at: "src/loop.skeleton.ts" },
    ]);
    expect(readFileSync(join(workspace, "src/loop.ts"), "utf8")).toBe("mine");
    expect(readFileSync(join(workspace, "src/loop.skeleton.ts"), "utf8")).toBe("theirs");
  });

  test("finds another name when that one is taken too, and none twice", () => {
    const workspace = temporaryWorkspace();
    for (const name of ["loop.ts", "loop.skeleton.ts"]) writeFileSync(join(workspace, "src", name), "mine");
    const stage = stageWith({ "src/loop.ts": "theirs" });
    const expected = [{ path: "src/loop.ts", outcome: "beside", at: "src/loop.skeleton-2.ts" }];
    expect(placeSkeleton(workspace, stage, fresh)).toEqual(expected);
    expect(placeSkeleton(workspace, stage, fresh)).toEqual(expected);
  });

  test("keeps the learner's file when the stage was begun before or it is the same", () => {
    const workspace = temporaryWorkspace();
    writeFileSync(join(workspace, "src", "loop.ts"), "mine");
    const kept = [{ path: "src/loop.ts", outcome: "kept" }];
    expect(
      placeSkeleton(workspace, stageWith({ "src/loop.ts": "theirs" }), { ...fresh, begunBefore: true }),
    ).toEqual(kept);
    expect(placeSkeleton(workspace, stageWith({ "src/loop.ts": "mine" }), fresh)).toEqual(kept);
  });

  test("leaves TypeScript out for other languages", () => {
    const workspace = temporaryWorkspace();
    const stage = stageWith({ "src/loop.ts": "", "public/a.html": "a" });
    expect(placeSkeleton(workspace, stage, { ...fresh, otherLanguage: true })).toEqual([
      { path: "public/a.html", outcome: "new" },
      { path: "src/loop.ts", outcome: "left out" },
    ]);
  });

  test("another language is one that course.json runs", () => {
    const workspace = temporaryWorkspace();
    const [hello, server] = [findStage("0")!, findStage("1")!];
    expect(isOtherLanguage(workspace, course, server, hello)).toBe(false);
    const inC = courseFile.parse({ run: { hello: "./hello" } });
    expect(isOtherLanguage(workspace, inC, server, hello)).toBe(false); // hello.ts is there
    rmSync(join(workspace, hello.program.entry));
    expect(isOtherLanguage(workspace, inC, server, hello)).toBe(true);
    expect(
      isOtherLanguage(workspace, courseFile.parse({ run: { "tcp-server": "./s" } }), server, hello),
    ).toBe(true);
  });
});

describe("whether a skeleton fits", () => {
  const contracts = [{ file: "src/core/loop.ts", exports: ["Loop", "Poller"] }];
  const earlier = { ...findStage("4")!, number: 5, contracts };
  const skeleton =
    'import { Loop, type Poller } from "./core/loop.ts";\nexport const poller: Poller = new Loop();\n';
  const stage = () => stageWith({ "src/stage-06.ts": skeleton });

  function workspaceWith(files: Record<string, string>): string {
    const workspace = temporaryWorkspace();
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(workspace, path)), { recursive: true });
      writeFileSync(join(workspace, path), text);
    }
    return workspace;
  }

  test("nothing is said when it does", async () => {
    const workspace = workspaceWith({
      "src/core/loop.ts": "export interface Poller { wait(): void }\nexport class Loop { wait() {} }\n",
      "src/mine.ts": "const wrong: string = 4;\n",
    });
    expect(await findMisfits(workspace, course, stage(), [earlier])).toEqual([]);
  });

  test("a missing file is named with three ways to bridge it", async () => {
    const misfits = await findMisfits(workspaceWith({}), course, stage(), [earlier]);
    expect(misfits).toEqual([{ kind: "file", file: "src/core/loop.ts", neededBy: "src/stage-06.ts" }]);
    const text = explainMisfits(stage(), misfits).join("\n");
    expect(text).toContain("src/stage-06.ts needs the file src/core/loop.ts");
    expect(text).toContain("adapter");
    expect(text).toContain('"modules": { "core/loop"');
    expect(text).toContain("goto 6 --only core/loop");
  });

  test("a missing export is named", async () => {
    const workspace = workspaceWith({ "src/core/loop.ts": "export class Loop {}\n" });
    expect(await findMisfits(workspace, course, stage(), [earlier])).toEqual([
      { kind: "export", file: "src/core/loop.ts", name: "Poller", neededBy: "src/stage-06.ts" },
    ]);
  });

  test("a signature that differs is told in the compiler's words", async () => {
    const workspace = workspaceWith({
      "src/core/loop.ts": "export interface Poller { wait(): void }\nexport class Loop { sleep() {} }\n",
    });
    const misfits = await findMisfits(workspace, course, stage(), [earlier]);
    expect(misfits).toMatchObject([
      { kind: "type", text: expect.stringMatching(/^src\/stage-06\.ts:2: .*Poller/) },
    ]);
  });
});

test("the skeletons of phase 0 fit a new workspace", async () => {
  const workspace = temporaryWorkspace();
  for (const name of ["1", "2", "3", "4"]) {
    expect(await findMisfits(workspace, course, findStage(name)!)).toEqual([]);
  }
});
