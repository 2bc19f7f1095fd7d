/**
 * Builds `dist/`: compiles the TypeScript, computes the stages' trees, makes the commands executable.
 * `--if-older` leaves a build alone that is newer than every source: npx runs `prepare` each time a command
 * of this package is called inside its own repository.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

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

/**
 * Joins a module and what it imports into one file, in its place. Every program of the course loads these at its
 * start, dozens of times in one grading, and finding and reading many small files took longer than all else it did.
 * @param external packages that stay outside
 */
function joinFiles(file, external) {
  buildSync({
    entryPoints: [file],
    outfile: file,
    allowOverwrite: true,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external,
  });
}

/** Bundles the finished server, as it is after the latest stage: what the command `expserver` runs. */
async function bundleServer() {
  const { allStages } = await import("./dist/stages/stage.js");
  const { solutionFiles, writeTree } = await import("./dist/stages/tree.js");
  const latest = allStages().findLast(({ program }) => program.name === "expserver");
  if (latest === undefined) return;
  const folder = join(root, "dist", "expserver");
  const sources = solutionFiles(latest).filter(({ path }) => path.startsWith("src/"));
  writeTree(sources, folder);
  buildSync({
    entryPoints: [join(folder, "src", "main.ts")],
    outfile: join(folder, "main.js"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["expserver-course/*"],
  });
  rmSync(join(folder, "src"), { recursive: true });
}

const upToDate = existsSync(lastOutput) && statSync(lastOutput).mtimeMs > newestChange();
if (!(process.argv.includes("--if-older") && upToDate)) {
  const run = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  rmSync(join(root, "dist"), { recursive: true, force: true });
  try {
    run("node_modules/typescript/bin/tsc");
    run("dist/stages/compute-trees.js");
    joinFiles(join(root, "dist", "linux", "index.js"), ["koffi"]);
    joinFiles(join(root, "dist", "linux", "zod.js"), []);
    await bundleServer();
  } catch (error) {
    process.exit(error.status ?? 1); // the compiler has said why
  }
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const file of Object.values(bin)) chmodSync(join(root, file), 0o755);
}
