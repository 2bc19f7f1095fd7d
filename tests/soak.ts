/**
 * `npm run soak [repetitions] [stage …]`: grades every reference again and again, half of the time while
 * two loops occupy the processors, and counts what does not pass. A single flake is a fault of the grader.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allStages, findStage } from "../stages/stage.ts";
import { solutionFiles, writeWorkspace } from "../stages/tree.ts";
import { gradeFolder, others } from "./proof.ts";

const [repetitions = "100", ...names] = process.argv.slice(2);
const rounds = Number(repetitions);
const stages = names.length === 0 ? allStages() : names.map((name) => findStage(name)!);

/** Two processes that compute for as long as this one lives. */
function occupyProcessors(): ChildProcess[] {
  const loop = `while (process.ppid === ${process.pid});`;
  return [1, 2].map(() => spawn(process.execPath, ["-e", loop], { stdio: "ignore" }));
}

let flakes = 0;
for (const stage of stages) {
  const folder = mkdtempSync(join(tmpdir(), "expserver-soak-"));
  writeWorkspace(solutionFiles(stage), folder);
  let busy: ChildProcess[] = [];
  const durations: number[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      if (round > rounds / 2 && busy.length === 0) busy = occupyProcessors();
      const record = await gradeFolder(stage, folder);
      durations.push(record.durationMs);
      if (round % 10 === 0) console.log(`stage ${stage.number}: ${round} of ${rounds} gradings`);
      if (record.exitStatus === 0) continue;
      flakes++;
      console.log(
        `stage ${stage.number}, round ${round} of ${rounds}, seed ${record.seed}:\n${others(record, "pass")}`,
      );
    }
  } finally {
    for (const loop of busy) loop.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
  const half = Math.ceil(rounds / 2);
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  console.log(
    `stage ${stage.number}: ${rounds} gradings, median ${median(durations.slice(0, half))} ms alone, ` +
      `${median(durations.slice(half))} ms beside two busy loops`,
  );
}
console.log(`${rounds * stages.length - flakes} passed, ${flakes} failed`);
process.exitCode = flakes === 0 ? 0 : 1;
