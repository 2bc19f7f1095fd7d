/**
 * `npm test`: everything that the project claims, in one run. `--quick` leaves out the packed package
 * and the mutants. The last line is `N passed, N failed`, and with skips `, N skipped`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../stages/package-root.ts";
import { prove, requireTools, type Tally } from "./claims.ts";
import { languageClaims } from "./languages.ts";
import { packageClaims } from "./package.ts";
import { proofClaims } from "./proof.ts";

const quick = process.argv.includes("--quick");

/** Runs a program of `node_modules/.bin` with its output shown. */
function runTool(name: string, args: string[]): number {
  const { status } = spawnSync(join(packageRoot, "node_modules", ".bin", name), args, {
    cwd: packageRoot,
    stdio: ["ignore", "inherit", "inherit"],
  });
  return status ?? 1;
}

/** The style of all files. */
function lint(): Tally {
  const failed = runTool("biome", ["check", "--error-on-warnings", "."]) === 0 ? 0 : 1;
  return { passed: 1 - failed, failed, skipped: 0 };
}

/** The unit tests, counted from Vitest's own report. */
function unitTests(): Tally {
  const folder = mkdtempSync(join(tmpdir(), "expserver-unit-"));
  const file = join(folder, "report.json");
  try {
    const status = runTool("vitest", [
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
    ]);
    const report = JSON.parse(readFileSync(file, "utf8"));
    const skipped: number = report.numPendingTests + report.numTodoTests;
    const failed = report.numFailedTests + (requireTools ? skipped : 0);
    return {
      passed: report.numPassedTests,
      // A file that can't be loaded has no tests that fail, and still the run has failed.
      failed: failed === 0 && status !== 0 ? 1 : failed,
      skipped: requireTools ? 0 : skipped,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const start = performance.now();
const tallies = [lint(), unitTests()];
const references = (await proofClaims()).filter(({ mutant }) => !quick || !mutant);
tallies.push(await prove(references, 2));
if (!quick) {
  tallies.push(await prove(languageClaims(), 2));
  tallies.push(await prove(packageClaims(), 1));
}
const sum = (key: keyof Tally) => tallies.reduce((total, tally) => total + tally[key], 0);
console.log(`\nall of it took ${Math.round((performance.now() - start) / 1000)} s`);
console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
process.exitCode = sum("failed") === 0 ? 0 : 1;
