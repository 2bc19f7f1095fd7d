import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "../grader/user-error.ts";
import { packageRoot } from "../stages/package-root.ts";
import { allStages, type Stage } from "../stages/stage.ts";
import { skeletonFiles, workspaceFiles } from "../stages/tree.ts";
import { type GitState, putUnderGit } from "./git.ts";
import { type Dependency, dependencyOnThisPackage, linkInstallation } from "./installation.ts";
import { newProgress } from "./progress.ts";
import type { Session } from "./session.ts";

/** The folder that `next` and `init` make when none is named. */
export const defaultFolder = "my-expserver";

/** A workspace is known by its `.expserver` folder, or, in a bare checkout, by `course.json` and the dependency. */
function isWorkspace(folder: string): boolean {
  if (existsSync(join(folder, ".expserver", "state.json"))) return true;
  if (!existsSync(join(folder, "course.json"))) return false;
  if (existsSync(join(folder, ".expserver"))) return true;
  try {
    return readFileSync(join(folder, "package.json"), "utf8").includes('"expserver-course"');
  } catch {
    return false;
  }
}

/** The workspace that a folder belongs to, looking upwards; `undefined` outside of any. */
export function findWorkspace(start: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    if (isWorkspace(folder)) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * The workspace in which a command was typed, with its links mended.
 * @throws UserError outside of any workspace
 */
export function openWorkspace(session: Session): string {
  const workspace = findWorkspace(session.cwd);
  if (workspace === undefined) throw new UserError(notInWorkspace(session.cwd));
  mendLinks(workspace);
  return workspace;
}

/** Links what is missing in `node_modules`; in a folder that cannot be written to everything stays as it is. */
function mendLinks(workspace: string): void {
  try {
    linkInstallation(workspace);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EROFS" && code !== "EPERM") throw error;
  }
}

/** Files that a folder may have already (a new repository often does): the existing one is kept. */
const optionalFiles = new Set(["README.md", "AGENTS.md", ".gitignore"]);

type NewFile = { path: string; content: Buffer | string };

/** `package.json` with the folder's name, the dependency on this package and those it brings for the editor. */
function workspaceManifest(template: Buffer, folder: string, dependency: Dependency): string {
  const manifest = JSON.parse(template.toString("utf8"));
  const own = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  manifest.name = name || defaultFolder;
  manifest.devDependencies = {
    "@types/node": own.dependencies["@types/node"],
    "expserver-course": dependency.specifier,
    typescript: own.dependencies.typescript,
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function newFiles(folder: string, stage: Stage, dependency: Dependency): NewFile[] {
  const files: NewFile[] = [...workspaceFiles(), ...skeletonFiles(stage)].map(({ path, source }) => {
    const content = readFileSync(source);
    return {
      path,
      content: path === "package.json" ? workspaceManifest(content, folder, dependency) : content,
    };
  });
  const progress = `${JSON.stringify(newProgress(stage), null, 2)}\n`;
  files.push({ path: ".expserver/state.json", content: progress });
  const { tarball } = dependency;
  if (tarball !== undefined) files.push({ path: tarball.path, content: readFileSync(tarball.source) });
  return files;
}

/** Whether a path is a folder or a link to one; `undefined` when nothing is there, `false` for anything else. */
function isFolder(path: string): boolean | undefined {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** What stands in the way of a new file: the file itself, or a file where a folder is needed. */
function obstacle(folder: string, path: string): string | undefined {
  const names = path.split("/");
  for (let count = 1; count <= names.length; count++) {
    const part = names.slice(0, count).join("/");
    const found = isFolder(join(folder, part));
    if (found === undefined) return undefined;
    if (!found || count === names.length) return part;
  }
  return undefined;
}

/** Writes a file that does not exist yet; never through an existing one. */
export function writeNewFile(path: string, content: Buffer | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { flag: "wx" });
}

export type NewWorkspace = {
  folder: string;
  stage: Stage;
  /** Files that were there already and stayed as they were. */
  kept: string[];
  git: GitState;
};

/**
 * Makes a workspace with the first stage's skeleton. Overwrites nothing and needs no network.
 * @param folder absolute
 * @throws UserError when the folder holds files of the same names, or lies inside another workspace
 */
export function createWorkspace(folder: string): NewWorkspace {
  const outer = findWorkspace(folder);
  if (outer !== undefined) throw new UserError(outer === folder ? isOneAlready(folder) : isInside(outer));
  if (isFolder(folder) === false) throw new UserError(isNoFolder(folder));

  const stage = allStages()[0]!;
  const files = newFiles(folder, stage, dependencyOnThisPackage());
  const obstacles = new Map(files.map(({ path }) => [path, obstacle(folder, path)]));
  const kept = files.filter(({ path }) => obstacles.get(path) === path && optionalFiles.has(path));
  const wanted = files.filter((file) => !kept.includes(file));
  const collisions = new Set(
    wanted.map(({ path }) => obstacles.get(path)).filter((path) => path !== undefined),
  );
  if (collisions.size > 0) throw new UserError(collides(folder, [...collisions]));

  mkdirSync(folder, { recursive: true });
  for (const { path, content } of wanted) writeNewFile(join(folder, path), content);
  linkInstallation(folder);
  return {
    folder,
    stage,
    kept: kept.map(({ path }) => path),
    git: putUnderGit(
      folder,
      wanted.map(({ path }) => path),
    ),
  };
}

const notInWorkspace = (cwd: string) =>
  `${cwd} is not inside a workspace of the course.
Go to yours (cd ${defaultFolder}), or make one: npx expserver-course init`;

const isOneAlready = (folder: string) =>
  `${folder} is a workspace already; nothing was changed.
See where you are: npx expserver-course status`;

const isInside = (outer: string) =>
  `This would lie inside the workspace ${outer}; nothing was changed.
Go on there: npx expserver-course status`;

const isNoFolder = (folder: string) =>
  `${folder} is a file, so no workspace can be made there.
Choose another name: npx expserver-course init <folder>`;

const collides = (folder: string, paths: string[]) =>
  `${folder} already has ${paths.join(", ")}, and nothing of yours is overwritten.
Choose another folder: npx expserver-course init <folder>`;
