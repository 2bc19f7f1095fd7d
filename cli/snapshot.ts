import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { nearest } from "../grader/nearest.ts";
import { UserError } from "../grader/user-error.ts";

/** What a snapshot keeps: everything of the learner's that `goto` and `reset` could touch. */
const keptPaths = ["src", "public", "course.json", "xps-config.json"];

const snapshotFile = z.looseObject({
  /** When it was taken. */
  at: z.iso.datetime(),
  /** The command before which it was taken. */
  before: z.string(),
  /** The stage that was current. */
  current: z.string(),
  /** The kept paths, those that did not exist included: restoring removes these again. */
  paths: z.array(z.string()),
});

/** A copy of the learner's files, in `.expserver/snapshots/<name>/`. */
export type Snapshot = z.infer<typeof snapshotFile> & {
  /** Its folder's name: the local time at which it was taken. */
  name: string;
  folder: string;
};

function snapshotsFolder(workspace: string): string {
  return join(workspace, ".expserver", "snapshots");
}

/** `2025-01-31T12-03-04` in local time: sorts by age and needs no quoting in a shell. */
function timeName(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}-${two(at.getMinutes())}-${two(at.getSeconds())}`;
}

function unusedFolder(parent: string, name: string): { name: string; folder: string } {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name}-${count}`;
    const folder = join(parent, candidate);
    if (!existsSync(folder)) return { name: candidate, folder };
  }
}

function copy(from: string, to: string): void {
  if (!lstatSync(from, { throwIfNoEntry: false })) return;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
}

/**
 * Copies the learner's files before something changes them.
 * @param before the command that is about to change them, as typed
 * @param current the current stage's name
 * @param alsoPaths further files of the workspace that will be touched
 */
export function takeSnapshot(
  workspace: string,
  before: string,
  current: string,
  alsoPaths: string[] = [],
): Snapshot {
  const at = new Date();
  const parent = snapshotsFolder(workspace);
  const { name, folder } = unusedFolder(parent, timeName(at));
  const isKept = (path: string) => keptPaths.some((kept) => path === kept || path.startsWith(`${kept}/`));
  const paths = [...keptPaths, ...alsoPaths.filter((path) => !isKept(path))];
  const description = { at: at.toISOString(), before, current, paths };
  mkdirSync(folder, { recursive: true });
  for (const path of paths) copy(join(workspace, path), join(folder, "files", path));
  // Written last: a snapshot without it was interrupted and is not offered.
  writeFileSync(join(folder, "snapshot.json"), `${JSON.stringify(description, null, 2)}\n`);
  return { ...description, name, folder };
}

/** All snapshots of a workspace, oldest first. */
export function listSnapshots(workspace: string): Snapshot[] {
  const parent = snapshotsFolder(workspace);
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .flatMap((name) => {
      const folder = join(parent, name);
      try {
        const description = snapshotFile.parse(
          JSON.parse(readFileSync(join(folder, "snapshot.json"), "utf8")),
        );
        return [{ ...description, name, folder }];
      } catch {
        return []; // interrupted while it was taken, or not ours
      }
    })
    .sort((one, other) =>
      one.at < other.at ? -1 : one.at > other.at ? 1 : one.name.localeCompare(other.name),
    );
}

/**
 * The snapshot that a person names: its name, a unique beginning of it, or `latest`.
 * @throws UserError with the nearest name
 */
export function findSnapshot(workspace: string, name: string): Snapshot {
  const snapshots = listSnapshots(workspace);
  if (snapshots.length === 0) {
    throw new UserError(
      "There is no snapshot yet: one is taken before each goto and reset. Your progress: npx expserver-course status",
    );
  }
  if (name === "latest") return snapshots.at(-1)!;
  const exact = snapshots.find((snapshot) => snapshot.name === name);
  const beginning = snapshots.filter((snapshot) => snapshot.name.startsWith(name));
  if (exact !== undefined) return exact;
  if (beginning.length === 1) return beginning[0]!;
  const names = snapshots.map((snapshot) => snapshot.name);
  const problem =
    beginning.length > 1
      ? `More than one snapshot begins with "${name}".`
      : `There is no snapshot "${name}".`;
  throw new UserError(
    `${problem} For the nearest one type: npx expserver-course reset --to ${nearest(name, names) ?? names.at(-1)}\nAll of them: npx expserver-course status`,
  );
}

/** Puts the kept paths back exactly as they were; what came later is removed. Take a snapshot first. */
export function restoreSnapshot(workspace: string, snapshot: Snapshot): void {
  for (const path of snapshot.paths) {
    rmSync(join(workspace, path), { recursive: true, force: true });
    copy(join(snapshot.folder, "files", path), join(workspace, path));
  }
}
