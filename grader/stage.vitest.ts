/**
 * The one file that Vitest runs: it registers the checks of the plan's stage as tests. Everything that
 * is particular to Vitest stands here and in `run.ts`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "vitest";
import { findStage } from "../stages/stage.ts";
import { type Check, loadChecks } from "./checks.ts";
import { Lanes, type Place } from "./engine/lanes.ts";
import { interruptionChannel, planVariable, type StagePlan } from "./plan.ts";
import type { Outcome } from "./record.ts";
import { type CheckReport, runCheck } from "./run-check.ts";

declare module "vitest" {
  interface TaskMeta {
    report?: CheckReport;
  }
}

const plan = JSON.parse(readFileSync(process.env[planVariable]!, "utf8")) as StagePlan;
const stage = findStage(plan.slug)!;
const checks = (await loadChecks(stage)).filter(({ id }) => plan.checks.includes(id));
// Where all programs want the same port, one check runs at a time.
const lanes = new Lanes(plan.program.ports === "fixed" ? 1 : 2);
const settle = new Map<string, (outcome: Outcome) => void>();
const outcomes = new Map(
  checks.map(({ id }) => [id, new Promise<Outcome>((resolve) => settle.set(id, resolve))]),
);
let stopped = false;
const interruption = new AbortController();
const channel = new BroadcastChannel(interruptionChannel(plan));
channel.onmessage = () => interruption.abort();
channel.postMessage("listening");

for (const check of checks) {
  // The check's own limit rules, not Vitest's.
  test.concurrent(check.id, { timeout: 0 }, async ({ task }) => {
    try {
      const before = await Promise.all(check.after.map(async (id) => [id, await outcomes.get(id)] as const));
      const report = await lanes.run(placeOf(check), async () => {
        const found = await runCheck(check, plan, before, stopped, interruption.signal);
        // Before the lane is free, as the next check begins in that moment.
        if (plan.bail && found.outcome === "fail") stopped = true;
        return found;
      });
      task.meta.report = keepTranscript(report);
      settle.get(check.id)!(report.outcome);
    } finally {
      settle.get(check.id)!("error"); // only where the engine itself threw: the first outcome stays
    }
  });
}

/** What measures is alone; what waits for most of its time takes nobody's lane. */
function placeOf({ alone, waits }: Check): Place {
  if (alone) return "alone";
  return waits ? "beside" : "lane";
}

/** Writes the transcript to its file, and names the file instead. */
function keepTranscript(report: CheckReport): CheckReport {
  if (report.transcript === undefined) return report;
  mkdirSync(plan.transcripts, { recursive: true });
  const file = join(plan.transcripts, `${plan.slug}.${report.id}.txt`);
  writeFileSync(file, report.transcript);
  const inside = relative(plan.target, file);
  return { ...report, transcript: inside.startsWith("..") ? file : inside };
}
