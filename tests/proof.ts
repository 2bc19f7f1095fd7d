/**
 * The graders are graded: the reference passes every check, the untouched skeleton fails, every check
 * is failed by at least one mutant, and each mutant fails the checks it names.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadChecks } from "../grader/checks.ts";
import { applyEdits, loadMutants, type Mutant } from "../grader/mutants.ts";
import { type GradeRecord, gradeRecord } from "../grader/record.ts";
import { packageRoot } from "../stages/package-root.ts";
import { allStages, type Stage } from "../stages/stage.ts";
import { skeletonTree, solutionFiles, type TreeFile, writeWorkspace } from "../stages/tree.ts";
import type { Claim } from "./claims.ts";
import { graderPool } from "./grader-pool.ts";

const commandLine = join(packageRoot, "dist", "cli", "main.js");

/** Checks that no program text can fail, so that no mutant is owed: they judge the machine. */
const withoutMutant = new Set(["environment"]);

/** Grades a folder with the command line, as its owner would. */
export async function gradeFolder(stage: Stage, folder: string): Promise<GradeRecord> {
  const args = [commandLine, "grade", String(stage.number), "--target", folder, "--format", "json"];
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (stdout.startsWith("{")) resolve(stdout);
      else reject(new Error(`grade said: ${stdout}${stderr}${error?.message ?? ""}`));
    });
  });
  return gradeRecord.parse(JSON.parse(output));
}

/** Hands a proof a tree in the shape of a learner's workspace, in a folder that is gone afterwards. */
async function inWorkspace<T>(files: TreeFile[], proof: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "expserver-proof-"));
  try {
    writeWorkspace(files, folder);
    return await proof(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Grades a tree with the command line. */
function gradeTree(stage: Stage, files: TreeFile[]): Promise<GradeRecord> {
  return inWorkspace(files, (folder) => gradeFolder(stage, folder));
}

/** Grades a mutant by the checks that must find it. */
function gradeMutant(stage: Stage, mutant: Mutant): Promise<GradeRecord> {
  return inWorkspace(solutionFiles(stage), (folder) => {
    const file = join(folder, mutant.file);
    writeFileSync(file, applyEdits(readFileSync(file, "utf8"), mutant));
    return graderPool.grade({ stage: String(stage.number), folder, only: mutant.fails });
  });
}

/** The checks of a record that have other outcomes than wanted, in words. */
export function others(record: GradeRecord, wanted: string): string {
  return record.stages
    .flatMap(({ checks }) => checks)
    .filter(({ outcome }) => outcome !== wanted && outcome !== "skipped")
    .map(
      ({ id, outcome, reason, failure }) =>
        `${id}: ${outcome}: ${failure?.summary ?? reason}\n${failure?.observed ?? ""}`,
    )
    .join("\n");
}

/** Checks that earlier stages have too, under the same id and title, and that a mutant of theirs fails: no second one is owed. */
async function provenBefore(stage: Stage): Promise<Map<string, string>> {
  const proven = new Map<string, string>();
  for (const earlier of allStages().filter(({ number }) => number < stage.number)) {
    const failed = new Set((await loadMutants(earlier)).flatMap(({ fails }) => fails));
    for (const { id, title } of await loadChecks(earlier)) if (failed.has(id)) proven.set(id, title);
  }
  return proven;
}

/** The claims about one stage. */
async function stageClaims(stage: Stage): Promise<Claim[]> {
  const checks = await loadChecks(stage);
  const mutants = await loadMutants(stage);
  const name = `stage ${stage.number}`;
  return [
    {
      title: `${name}: the reference passes every check`,
      about: "reference",
      async prove() {
        const record = await gradeTree(stage, solutionFiles(stage));
        const wrong = others(record, "pass");
        if (wrong !== "" || record.exitStatus !== 0) throw new Error(wrong);
      },
    },
    {
      title: `${name}: the untouched skeleton builds and fails`,
      async prove() {
        const record = await gradeTree(stage, skeletonTree(stage));
        const builds = record.stages[0]!.checks.find(({ id }) => id === "builds");
        if (builds?.outcome !== "pass") throw new Error("the skeleton does not build");
        if (record.stages[0]!.build.warnings.length > 0)
          throw new Error(record.stages[0]!.build.warnings.join("\n"));
        if (record.exitStatus !== 1) throw new Error(`exit status ${record.exitStatus}, not 1`);
      },
    },
    {
      title: `${name}: every check is failed by a mutant`,
      async prove() {
        const failed = new Set([...mutants.flatMap(({ fails }) => fails), ...withoutMutant]);
        const earlier = await provenBefore(stage);
        const owed = checks
          .filter(({ id, title }) => !failed.has(id) && earlier.get(id) !== title)
          .map(({ id }) => id);
        if (owed.length > 0) throw new Error(`no mutant fails ${owed.join(", ")}`);
      },
    },
    ...mutants.map(
      (mutant): Claim => ({
        title: `${name}: the mutant ${mutant.name} fails ${mutant.fails.join(", ")}`,
        about: "mutant",
        async prove() {
          const record = await gradeMutant(stage, mutant);
          const results = new Map(record.stages[0]!.checks.map((result) => [result.id, result]));
          for (const id of mutant.fails) {
            const result = results.get(id);
            if (result?.outcome !== "fail") {
              throw new Error(
                `${id}: ${result?.outcome ?? "not run"}${result?.reason ? ` (${result.reason})` : ""}\n${others(record, "pass")}`,
              );
            }
          }
        },
      }),
    ),
  ];
}

/** All claims, or those of the stages named. */
export async function proofClaims(stages: Stage[] = allStages()): Promise<Claim[]> {
  return (await Promise.all(stages.map(stageClaims))).flat();
}
