import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { Course } from "../grader/course.ts";
import type { Stage } from "../stages/stage.ts";
import { skeletonFiles, type TreeFile } from "../stages/tree.ts";
import { writeNewFile } from "./workspace.ts";

/** One file of a skeleton, and what became of it. */
export type PlacedFile = {
  /** Its path in the course. */
  path: string;
  /**
   * `new`: written. `beside`: the name was taken, so it lies at `at`. `kept`: the learner's file of
   * that name stays, because it is the same or the stage was begun before. `left out`: TypeScript,
   * and this program is written in another language.
   */
  outcome: "new" | "beside" | "kept" | "left out";
  at?: string;
};

/**
 * Whether a stage's program is written in something else than TypeScript: `course.json` says how to
 * run it, or how to run the program before it, which has no TypeScript entry either.
 */
export function isOtherLanguage(workspace: string, course: Course, stage: Stage, before?: Stage): boolean {
  if (course.run[stage.program.name] !== undefined) return true;
  if (before === undefined || course.run[before.program.name] === undefined) return false;
  return !existsSync(join(workspace, before.program.entry));
}

/** `src/http/parser.ts` → `src/http/parser.skeleton.ts`, or the first such name that is free. */
function nameBeside(workspace: string, { path, source }: TreeFile): { at: string; exists: boolean } {
  const extension = extname(path);
  const stem = path.slice(0, path.length - extension.length);
  for (let count = 1; ; count++) {
    const at = `${stem}.skeleton${count === 1 ? "" : `-${count}`}${extension}`;
    if (!existsSync(join(workspace, at))) return { at, exists: false };
    if (hasSameBytes(join(workspace, at), source)) return { at, exists: true };
  }
}

function hasSameBytes(one: string, other: string): boolean {
  return readFileSync(one).equals(readFileSync(other));
}

/**
 * Brings a stage's skeleton into a workspace. Only new files: nothing that exists is changed.
 * @param options.begunBefore the stage was begun earlier, so files of its names are the learner's work on it
 * @param options.otherLanguage leave TypeScript files out
 */
export function placeSkeleton(
  workspace: string,
  stage: Stage,
  options: { begunBefore: boolean; otherLanguage: boolean },
): PlacedFile[] {
  return skeletonFiles(stage).map((file) => {
    const { path, source } = file;
    if (options.otherLanguage && path.endsWith(".ts")) return { path, outcome: "left out" };
    const target = join(workspace, path);
    if (!existsSync(target)) {
      writeNewFile(target, readFileSync(source));
      return { path, outcome: "new" };
    }
    if (options.begunBefore || hasSameBytes(target, source)) return { path, outcome: "kept" };
    const { at, exists } = nameBeside(workspace, file);
    if (!exists) writeNewFile(join(workspace, at), readFileSync(source));
    return { path, outcome: "beside", at };
  });
}
