import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { packageRoot, packageVersion } from "../stages/package-root.ts";

/** What a workspace needs to depend on: `"expserver-course": "<specifier>"`, and the tarball that has to be copied for it. */
export type Dependency = { specifier: string; tarball?: { source: string; path: string } };

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * The tarball from which npm installed this package, as npm's own record of `node_modules` tells;
 * `undefined` for an installation from a registry or a checkout.
 */
export function tarballOfInstallation(root: string): string | undefined {
  const modules = dirname(root);
  const lock = readJson(join(modules, ".package-lock.json")) as
    | { packages?: Record<string, { resolved?: string } | undefined> }
    | undefined;
  const resolved = lock?.packages?.["node_modules/expserver-course"]?.resolved;
  if (resolved === undefined || !/^file:.*\.(tgz|tar\.gz)$/.test(resolved)) return undefined;
  const written = resolved.slice("file:".length);
  // npm has written such paths both as they are and percent-encoded.
  const candidates = [written, written.replaceAll("%20", " ")].map((path) => resolve(dirname(modules), path));
  return candidates.find((path) => existsSync(path));
}

/** How a new workspace should depend on this package, so that `npm install` gets the same one. */
export function dependencyOnThisPackage(root = packageRoot): Dependency {
  const source = tarballOfInstallation(root);
  if (source === undefined) return { specifier: `^${packageVersion}` };
  const path = `.expserver/expserver-course-${packageVersion}.tgz`;
  return { specifier: `file:${path}`, tarball: { source, path } };
}

/** The folder of a package that this package depends on. */
function folderOfDependency(name: string): string | undefined {
  try {
    return dirname(createRequire(join(packageRoot, "package.json")).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/**
 * The version that a stand-in claims. No range accepts it, so `npm install` puts the real package in
 * its place; npm would keep a plain link, and write its target on this machine into the lock file.
 */
const standInVersion = "0.0.0-linked";

type Manifest = { version?: string; bin?: Record<string, string> };

/** Whether `node_modules/<name>` is missing, or leads to a package that is gone. */
function needsStandIn(folder: string): boolean {
  const manifest = readJson(join(folder, "package.json")) as Manifest | undefined;
  if (manifest === undefined) return true;
  if (manifest.version !== standInVersion) return false;
  return readdirSync(folder).some((name) => !existsSync(join(folder, name)));
}

/** Makes `node_modules/<name>` stand in for a package elsewhere: its manifest, and links to all else. */
function placeStandIn(source: string, folder: string, entries: string[]): void {
  if (!needsStandIn(folder)) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of entries) symlinkSync(join(source, name), join(folder, name));
  const manifest = readJson(join(source, "package.json")) as Manifest;
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ ...manifest, version: standInVersion }, null, 2),
  );
}

/** What a package consists of besides its manifest and what was installed for it. */
function entriesOf(source: string): string[] {
  return readdirSync(source).filter((name) => name !== "package.json" && name !== "node_modules");
}

/** Links `.bin/<name>` as npm would, unless something that works is there. */
function linkProgram(modules: string, name: string, target: string): void {
  const link = join(modules, ".bin", name);
  if (existsSync(link)) return;
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(link);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join("..", target), link);
}

/** What learners and the workspace's scripts use of this package; a checkout holds more. */
const ownEntries = ["dist", "docs", "stages", "solutions"];

/**
 * Makes `expserver-course/…`, the compiler and its types resolve in a workspace where nothing was
 * installed; whatever `npm install` put there stays, and a later `npm install` replaces what is made
 * here. Needs no network. Mends links whose target is gone.
 */
export function linkInstallation(workspace: string): void {
  const modules = join(workspace, "node_modules");
  const root = realpathSync(packageRoot);
  placeStandIn(
    root,
    join(modules, "expserver-course"),
    ownEntries.filter((name) => existsSync(join(root, name))),
  );
  for (const name of ["typescript", "@types/node"]) {
    const folder = folderOfDependency(name);
    if (folder !== undefined) placeStandIn(folder, join(modules, name), entriesOf(folder));
  }
  const { bin = {} } = readJson(join(root, "package.json")) as Manifest;
  for (const [name, path] of Object.entries(bin)) linkProgram(modules, name, join("expserver-course", path));
  linkProgram(modules, "tsc", "typescript/bin/tsc");
}
