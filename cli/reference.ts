import { basename } from "node:path";
import { didYouMean } from "../grader/nearest.ts";
import { UserError } from "../grader/user-error.ts";
import type { Stage } from "../stages/stage.ts";
import type { TreeFile } from "../stages/tree.ts";
import { readProgress } from "./progress.ts";
import type { Session } from "./session.ts";
import { findWorkspace } from "./workspace.ts";

/**
 * Lets a learner think twice before seeing the reference of a stage that is not done.
 * @throws UserError with status 1, unless `yes`
 */
export function askBeforeShowing(
  session: Session,
  stage: Stage,
  command: string,
  yes: boolean | undefined,
): void {
  const workspace = findWorkspace(session.cwd);
  if (yes || workspace === undefined) return;
  if (readProgress(workspace).stages[stage.slug]?.passed !== undefined) return;
  throw new UserError(
    `Stage ${stage.number} is not done yet, and this shows its solution. A hint may be enough: npx expserver-course hint\nTo see it all the same: npx expserver-course ${command} ${stage.number} --yes`,
    1,
  );
}

/** `src/core/loop.ts`, `core/loop.ts`, `core/loop` and `loop` name the same file; `core` names all files below. */
function isNamed(path: string, name: string): boolean {
  const wanted = name.replace(/^\.\//, "").replace(/\/$/, "");
  return [path, path.replace(/^src\//, ""), basename(path)].some(
    (each) => each === wanted || each.replace(/\.ts$/, "") === wanted || each.startsWith(`${wanted}/`),
  );
}

/**
 * The files of a reference tree that a person names.
 * @throws UserError with the nearest path
 */
export function findFiles(files: TreeFile[], name: string, command: string): TreeFile[] {
  const found = files.filter(({ path }) => isNamed(path, name));
  if (found.length > 0) return found;
  const guess = didYouMean(
    name,
    files.flatMap(({ path }) => [path, path.replace(/^src\//, "").replace(/\.ts$/, ""), basename(path)]),
  );
  throw new UserError(
    `The reference has no file "${name}" there.${guess} See its files: npx expserver-course ${command}`,
  );
}
