import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { allStages, type Stage } from "./stage.ts";
import { solutionFolders, treesFile } from "./tree.ts";

/** The program `tsc` of the TypeScript that this package depends on. */
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");

/**
 * The sources that a stage's entry and the modules of its contract reach, as workspace paths. Asked of tsc and not of a bundler,
 * which forgets imports that carry only types.
 */
function reachedFiles(stage: Stage): string[] {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "expserver-trees-")));
  try {
    // What is looked for first is copied last, and so lies on top.
    for (const source of solutionFolders(stage).reverse()) {
      if (existsSync(source)) cpSync(source, join(folder, "src"), { recursive: true });
    }
    const options = "--listFilesOnly --allowImportingTsExtensions --noEmit --module nodenext --noLib".split(
      " ",
    );
    const roots = [stage.program.entry, ...stage.contracts.map(({ file }) => file)];
    const listed = execFileSync(process.execPath, [tsc, ...options, "--types", "", ...roots], {
      cwd: folder,
      encoding: "utf8",
    });
    return listed
      .split("\n")
      .filter((line) => line.startsWith(`${folder}/`))
      .map((line) => relative(folder, line))
      .sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const trees = Object.fromEntries(allStages().map((stage) => [stage.slug, reachedFiles(stage)]));
writeFileSync(treesFile, `${JSON.stringify(trees, null, 2)}\n`);
