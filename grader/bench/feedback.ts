/**
 * How long a learner waits: the help, and the grading of each reference, as whole processes. Each figure
 * stands beside the start of an empty Node program in the same run, as machines differ.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../stages/package-root.ts";
import { allStages } from "../../stages/stage.ts";
import { solutionFiles, writeWorkspace } from "../../stages/tree.ts";

const commandLine = join(packageRoot, "dist", "cli", "main.js");
const runs = 5;

/** The median of some runs of a Node program, in milliseconds. */
function medianMs(args: string[]): number {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${args.join(" ")} ended with status ${status}:\n${stdout}${stderr}`);
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)]!;
}

const empty = medianMs(["-e", "0"]);
const report = (name: string, ms: number) =>
  console.log(
    `${name.padEnd(28)} ${Math.round(ms).toString().padStart(6)} ms   ${(ms / empty).toFixed(1)} × an empty Node program`,
  );

report("an empty Node program", empty);
report("expserver-course --help", medianMs([commandLine, "--help"]));
let phase = 0;
for (const stage of allStages()) {
  const folder = mkdtempSync(join(tmpdir(), "expserver-bench-"));
  try {
    writeWorkspace(solutionFiles(stage), folder);
    const ms = medianMs([commandLine, "grade", String(stage.number), "--target", folder]);
    phase += ms;
    report(`grade stage-${stage.number}`, ms);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
report("all stages", phase);
