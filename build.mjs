/**
 * Builds `dist/`: compiles the TypeScript, computes the stages' trees, makes the commands executable.
 * `--if-older` leaves a build alone that is newer than every source: npx runs `prepare` each time a command
 * of this package is called inside its own repository.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const sources = ["linux", "stages", "grader", "cli", "tests", "solutions", "tsconfig.json", "package.json"];
/** Written last, so that its time is the build's. */
const lastOutput = join(root, "dist", "stages", "trees.json");

function newestChange() {
  const times = sources.flatMap((source) => {
    const path = join(root, source);
    const below = statSync(path).isDirectory() ? readdirSync(path, { recursive: true }) : [];
    return [path, ...below.map((name) => join(path, name))].map((file) => statSync(file).mtimeMs);
  });
  return Math.max(...times);
}

const upToDate = existsSync(lastOutput) && statSync(lastOutput).mtimeMs > newestChange();
if (!(process.argv.includes("--if-older") && upToDate)) {
  const run = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  rmSync(join(root, "dist"), { recursive: true, force: true });
  try {
    run("node_modules/typescript/bin/tsc");
    run("dist/stages/compute-trees.js");
  } catch (error) {
    process.exit(error.status ?? 1); // the compiler has said why
  }
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const file of Object.values(bin)) chmodSync(join(root, file), 0o755);
}
