import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
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

/** Makes a link unless something that works is there; a dangling link is replaced. */
function linkUnlessPresent(target: string, link: string): void {
  if (existsSync(link)) return;
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(link);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(target, link);
}

/** The programs that scripts of the workspace call. */
function ownPrograms(): [string, string][] {
  const manifest = readJson(join(packageRoot, "package.json")) as { bin?: Record<string, string> };
  return Object.entries(manifest.bin ?? {});
}

/**
 * Makes `expserver-course/…`, the compiler and its types resolve in a workspace where nothing was
 * installed, by links to the running package; whatever `npm install` put there stays, and a later
 * `npm install` replaces the links. Needs no network. Mends links whose target is gone.
 */
export function linkInstallation(workspace: string): void {
  const modules = join(workspace, "node_modules");
  linkUnlessPresent(realpathSync(packageRoot), join(modules, "expserver-course"));
  for (const [name, path] of ownPrograms()) {
    linkUnlessPresent(join("..", "expserver-course", path), join(modules, ".bin", name));
  }
  for (const name of ["typescript", "@types/node"]) {
    const folder = folderOfDependency(name);
    if (folder !== undefined) linkUnlessPresent(folder, join(modules, name));
  }
  linkUnlessPresent(join("..", "typescript", "bin", "tsc"), join(modules, ".bin", "tsc"));
}
