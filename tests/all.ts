/**
 * `npm test`: everything that the project claims, in one run. `--quick` leaves out the packed package
 * and the mutants. The last line is `N passed, N failed`, and with skips `, N skipped`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../stages/package-root.ts";
import {
  atOnce,
  type Claim,
  describeTimings,
  type Part,
  prove,
  requireTools,
  type Tally,
  type Timing,
} from "./claims.ts";
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
const timings: Timing[] = [];

/** Runs a part that is a tool of its own, and notes its time. */
function timed(name: string, part: () => Tally): Tally {
  const begun = performance.now();
  const tally = part();
  const claims = tally.passed + tally.failed + tally.skipped;
  timings.push({ name, claims, seconds: (performance.now() - begun) / 1000 });
  return tally;
}

/** What grades. The longest chain comes first, and the many small gradings fill the gaps. */
async function gradings(): Promise<Part[]> {
  const proof = await proofClaims();
  const about = (what: Claim["about"]) => proof.filter((claim) => claim.about === what);
  const skeletons = { name: "skeletons", claims: about(undefined) };
  if (quick) return [{ name: "references", claims: about("reference") }, skeletons];
  return [
    { name: "package", claims: packageClaims(), inOrder: true }, // its tour grades every reference
    { name: "languages", claims: languageClaims() },
    skeletons,
    { name: "mutants", claims: about("mutant") },
  ];
}

const tallies = [timed("style", lint), timed("unit tests", unitTests)];
const begun = performance.now();
const proven = await prove(await gradings(), atOnce);
tallies.push(proven.tally);
const sum = (key: keyof Tally) => tallies.reduce((total, tally) => total + tally[key], 0);
console.log(`\n${describeTimings([...timings, ...proven.timings])}`);
const seconds = (since: number) => Math.round((performance.now() - since) / 1000);
console.log(`${atOnce} gradings at a time took ${seconds(begun)} s, all of it ${seconds(start)} s`);
console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
process.exitCode = sum("failed") === 0 ? 0 : 1;
