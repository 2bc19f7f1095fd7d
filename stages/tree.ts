import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { packageRoot } from "./package-root.ts";
import { allStages, previousStage, type Stage } from "./stage.ts";

/**
 * A stage's source tree in the shape of a learner's workspace: the path in the workspace
 * (`src/core/loop.ts`) and the file of this package that holds it.
 */
export type TreeFile = { path: string; source: string };

/** The file that `compute-trees` writes at build time: for each stage, what its entry reaches. */
export const treesFile = join(packageRoot, "dist", "stages", "trees.json");

let trees: Record<string, string[]> | undefined;

function reachedSources(stage: Stage): string[] {
  if (trees === undefined) {
    if (!existsSync(treesFile)) throw new Error(`${treesFile} is missing: run \`npm run build\` first.`);
    trees = JSON.parse(readFileSync(treesFile, "utf8")) as Record<string, string[]>;
  }
  return trees[stage.slug] ?? [];
}

/**
 * The folders below `solutions/` in which a stage's sources lie, in the order of looking: what the stage has of its
 * own, the finished server, and what earlier stages had of their own, the latest first.
 */
export function solutionFolders(stage: Stage): string[] {
  const earlier = allStages().filter((other) => other.number < stage.number);
  return [stage.slug, "expserver", ...earlier.map(({ slug }) => slug).reverse()].map((name) =>
    join(packageRoot, "solutions", name),
  );
}

/** Where a workspace's `src/` file lies in this package at a stage. */
export function solutionSource(stage: Stage, path: string): string | undefined {
  return solutionFolders(stage)
    .map((folder) => join(folder, relative("src", path)))
    .find((file) => existsSync(file));
}

/** The files below a folder, relative to it, sorted. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

/** All files that the skeleton of this stage brings, as they lie in a workspace. */
export function skeletonFiles(stage: Stage): TreeFile[] {
  const folder = join(stage.folder, "skeleton");
  return filesBelow(folder).map((path) => ({ path, source: join(folder, path) }));
}

/**
 * The reference solution's tree after this stage: the sources of every stage so far (each entry stays
 * gradable), and what the skeletons bring beside sources, such as `public/`.
 */
export function solutionFiles(stage: Stage): TreeFile[] {
  const files = new Map<string, string>();
  for (const each of allStages().filter((other) => other.number <= stage.number)) {
    for (const { path, source } of skeletonFiles(each)) {
      if (!path.startsWith("src/")) files.set(path, source);
    }
    for (const path of reachedSources(each)) {
      const source = solutionSource(each, path);
      if (source !== undefined) files.set(path, source);
    }
  }
  return [...files].map(([path, source]) => ({ path, source }));
}

/** What this stage adds to the tree of the stage before it. */
export function addedFiles(stage: Stage): TreeFile[] {
  const previous = previousStage(stage);
  const before = new Map(
    previous === undefined ? [] : solutionFiles(previous).map((f) => [f.path, f.source]),
  );
  return solutionFiles(stage).filter(({ path, source }) => before.get(path) !== source);
}

/** The skeleton's tree: the reference of the stage before, and this stage's untouched skeleton. */
export function skeletonTree(stage: Stage): TreeFile[] {
  const previous = previousStage(stage);
  const files = new Map(previous === undefined ? [] : solutionFiles(previous).map((f) => [f.path, f.source]));
  for (const { path, source } of skeletonFiles(stage)) files.set(path, source);
  return [...files].map(([path, source]) => ({ path, source }));
}

/** The files that every workspace starts with (`stages/workspace/`), `gitignore` under its real name. */
export function workspaceFiles(): TreeFile[] {
  const folder = join(packageRoot, "stages", "workspace");
  return filesBelow(folder).map((path) => ({
    path: path === "gitignore" ? ".gitignore" : path,
    source: join(folder, path),
  }));
}

/** Copies files to a folder, making the folders between; the caller has looked at what exists. */
export function writeTree(files: TreeFile[], folder: string): void {
  for (const { path, source } of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(source, target);
  }
}

/** Makes a folder that can be graded like a learner's workspace out of a stage tree. */
export function writeWorkspace(files: TreeFile[], folder: string): void {
  writeTree([...workspaceFiles(), ...files], folder);
  linkPackage(folder);
}

/** Lets `expserver-course/…` resolve from a folder where nothing was installed: a link to this package. */
export function linkPackage(folder: string): void {
  const modules = join(folder, "node_modules");
  mkdirSync(modules, { recursive: true });
  if (!existsSync(join(modules, "expserver-course")))
    symlinkSync(packageRoot, join(modules, "expserver-course"));
}
