import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Finds the folder of this package from a module of it, compiled (`dist/…`) or not. */
function findPackageRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "expserver-course") {
      return folder;
    }
    if (folder === dirname(folder)) {
      throw new Error(`No package.json of expserver-course above ${start}: the installation is incomplete.`);
    }
  }
}

/** The folder that holds this package's `package.json`, `stages/`, `solutions/` and `dist/`. */
export const packageRoot = findPackageRoot(dirname(fileURLToPath(import.meta.url)));

/** This package's version, as in its `package.json`. */
export const packageVersion: string = JSON.parse(
  readFileSync(join(packageRoot, "package.json"), "utf8"),
).version;
