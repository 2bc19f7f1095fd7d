import { count, describeMs } from "../engine/evidence.ts";
import { type CheckResult, exitStatusOf, type GradeRecord, type Outcome } from "../record.ts";
import { command, marked, markedIndent, oneLine } from "./rows.ts";
import type { Page } from "./theme.ts";
import { padTo } from "./width.ts";
import { wrap } from "./wrap.ts";

const nextCommand = "npx expserver-course next";
const examineCommand = "npx expserver-course doctor";
const labels = { next: "Next", hint: "Hints", repeat: "Repeat", examine: "Examine" };
const nothingRan = "No check ran.";
const graderTrouble = "What could not be graded is not scored: the reason above is not your program's fault.";
const notFinished = "The grading did not come to its end.";
const outcomeWords: Record<Outcome, string> = {
  pass: "passed",
  fail: "failed",
  blocked: "blocked",
  skipped: "skipped",
  error: "not graded",
};

/** `14 checks passed`, or how many came to which outcome. */
function countOutcomes(checks: CheckResult[]): string {
  if (checks.every((check) => check.outcome === "pass")) {
    return `${count(checks.length, "check")} passed`;
  }
  return Object.entries(outcomeWords)
    .map(([outcome, word]) => ({ word, number: checks.filter((check) => check.outcome === outcome).length }))
    .filter(({ number }) => number > 0)
    .map(({ word, number }) => `${number} ${word}`)
    .join(", ");
}

function pointsRow({ earned, possible }: GradeRecord["points"]): string {
  return `${earned} of ${count(possible, "point")}`;
}

const isFailed = (check: CheckResult) => check.outcome === "fail";

const stageMarks = { 0: "pass", 1: "fail", 2: "error" } as const;

/** A line for each stage, when there are several. */
function stageRows(page: Page, record: GradeRecord): string[] {
  if (record.stages.length < 2) return [];
  const titleColumns = page.measure - markedIndent(page) - 22;
  const rows = record.stages.map((stage) => {
    const kind = stage.build.ok ? stageMarks[exitStatusOf(stage.checks)] : "fail";
    const [title = ""] = wrap(oneLine(page, `${stage.stage}: ${stage.title}`), titleColumns);
    return marked(page, kind, `${padTo(title, titleColumns)}  ${pointsRow(stage.points).padStart(20)}`);
  });
  return [...rows, ""];
}

/** The end of a report: points, and what came out. */
export function summaryReport(page: Page, record: GradeRecord): string[] {
  const { paint } = page.theme;
  const checks = record.stages.flatMap((stage) => stage.checks);
  const result = checks.length === 0 ? nothingRan : `${pointsRow(record.points)}: ${countOutcomes(checks)}.`;
  const circumstances = `${describeMs(record.durationMs)}, seed ${oneLine(page, record.seed)}`;
  const role = record.exitStatus === 0 ? "pass" : record.exitStatus === 1 ? "fail" : "error";
  const trouble = checks.some((check) => check.outcome === "error") ? graderTrouble : notFinished;
  return [
    "",
    ...stageRows(page, record),
    ...wrap(result, page.measure).map((row) => paint("heading", paint(role, row))),
    ...(record.exitStatus === 2 ? wrap(trouble, page.measure) : []),
    paint("quiet", circumstances),
  ];
}

/**
 * What to type next: on to the next stage, or help with the first failure.
 * @param hintCommand the command before the check's id
 */
export function commandsReport(page: Page, record: GradeRecord, hintCommand: string): string[] {
  if (record.exitStatus === 0) return command(page, labels.next, nextCommand);
  const rows: string[] = [];
  const stage = record.stages.find(({ checks }) => checks.some(isFailed));
  const failed = stage?.checks.find(isFailed);
  if (stage !== undefined && failed !== undefined) {
    const which = record.stages.length > 1 ? ` --stage ${stage.stage}` : "";
    rows.push(...command(page, labels.hint, `${hintCommand} ${failed.id}${which}`));
    if (failed.failure !== undefined) rows.push(...command(page, labels.repeat, failed.failure.repeat));
  }
  if (record.exitStatus === 2) rows.push(...command(page, labels.examine, examineCommand));
  return rows;
}
