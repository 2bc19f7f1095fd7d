import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../grader/user-error.ts";
import type { TreeFile } from "../stages/tree.ts";
import { type Snapshot, takeSnapshot } from "./snapshot.ts";

/** Files of the course that were put in the place of the learner's, and the way back. */
export type Replacement = {
  snapshot: Snapshot;
  /** Paths of the learner's files that are not as they were. */
  changed: string[];
};

/**
 * Puts files of the course where the learner's are, after a snapshot of these.
 * @param before the command that asks for it, as typed
 * @param current the current stage's name
 * @throws UserError, before anything is changed, where a folder on the way is a link
 */
export function replaceFiles(
  workspace: string,
  files: TreeFile[],
  before: string,
  current: string,
): Replacement {
  for (const { path } of files) refuseLinkedFolders(workspace, path);
  const changed = differingFiles(workspace, files).filter((path) => existsSync(join(workspace, path)));
  const paths = files.map(({ path }) => path);
  const snapshot = takeSnapshot(workspace, before, current, paths);
  for (const { path, source } of files) {
    const target = join(workspace, path);
    mkdirSync(dirname(target), { recursive: true });
    // Never through a link: what it leads to is not in the snapshot.
    rmSync(target, { force: true });
    // Not a copy of the file: the package's may be read-only, and the learner's must not become so.
    writeFileSync(target, readFileSync(source));
  }
  return { snapshot, changed };
}

/** The paths at which the workspace does not have the same bytes. */
export function differingFiles(workspace: string, files: TreeFile[]): string[] {
  return files
    .filter(({ path, source }) => {
      const own = join(workspace, path);
      return !existsSync(own) || !readFileSync(own).equals(readFileSync(source));
    })
    .map(({ path }) => path);
}

/** A snapshot keeps links as links, so what lies behind a linked folder would be lost. */
function refuseLinkedFolders(workspace: string, path: string): void {
  for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
    const found = lstatSync(join(workspace, parent), { throwIfNoEntry: false });
    if (found?.isSymbolicLink()) throw new UserError(isLink(parent));
  }
}

/** How to get the learner's files back. */
export function howToUndo({ name }: Snapshot): string[] {
  return [
    "Your files as they were are kept. Put them back with:",
    `  npx expserver-course reset --to ${name}`,
  ];
}

const isLink = (path: string) =>
  `${path} is a link to another folder, and files behind a link are not replaced. Nothing was changed.
Put the folder itself there and repeat the command; your progress: npx expserver-course status`;
