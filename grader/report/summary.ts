import { count, describeMs } from "../engine/evidence.ts";
import { type CheckResult, exitStatusOf, type GradeRecord, interrupted, type Outcome } from "../record.ts";
import { command, marked, markedIndent, oneLine } from "./rows.ts";
import type { Page } from "./theme.ts";
import { padTo } from "./width.ts";
import { wrap } from "./wrap.ts";
import type { WriterOptions } from "./writer.ts";

const defaultHintCommand = "npx expserver-course hint";
const examineCommand = "npx expserver-course doctor";
const labels = { next: "Next", hint: "Hints", repeat: "Repeat", examine: "Examine" };
const nothingRan = "No check ran.";
const graderTrouble = "What could not be graded is not scored: the reason above is not your program's fault.";
const notFinished = "The grading did not come to its end.";
const interruption = (checks: number, stage: number | undefined) =>
  `Interrupted: ${count(checks, "check")} ${checks === 1 ? "was" : "were"} not run, and nothing ${stage === undefined ? "" : `of stage ${stage} `}was recorded.`;
const outcomeWords: Record<Outcome, string> = {
  pass: "passed",
  fail: "failed",
  blocked: "blocked",
  skipped: "skipped",
  error: "not graded",
};

/** Whether a check has no result because the grading was interrupted. */
export function isInterrupted(check: CheckResult): boolean {
  return check.outcome === "error" && check.reason === interrupted;
}

/** Why there are results missing; nothing when none are. */
function missingRows(page: Page, record: GradeRecord): string[] {
  if (record.exitStatus !== 2) return [];
  const checks = record.stages.flatMap((stage) => stage.checks);
  const notRun = checks.filter(isInterrupted).length;
  // Stages that were through before are recorded.
  const stage = record.stages.length > 1 ? record.stages.at(-1)!.stage : undefined;
  const trouble = checks.some((check) => check.outcome === "error" && !isInterrupted(check));
  const sentences = [
    ...(notRun > 0 ? [interruption(notRun, stage)] : []),
    ...(trouble ? [graderTrouble] : []),
  ];
  return (sentences.length > 0 ? sentences : [notFinished]).flatMap((each) => wrap(each, page.measure));
}

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
  const all = record.stages.flatMap((stage) => stage.checks);
  const checks = all.filter((check) => !isInterrupted(check));
  const result = checks.length === 0 ? nothingRan : `${pointsRow(record.points)}: ${countOutcomes(checks)}.`;
  const circumstances = `${describeMs(record.durationMs)}, seed ${oneLine(page, record.seed)}`;
  const role = record.exitStatus === 0 ? "pass" : record.exitStatus === 1 ? "fail" : "error";
  return [
    "",
    ...stageRows(page, record),
    ...wrap(result, page.measure).map((row) => paint("heading", paint(role, row))),
    ...missingRows(page, record),
    paint("quiet", circumstances),
  ];
}

/** What to type next: the caller's command when all went well, or help with the first failure. */
export function commandsReport(page: Page, record: GradeRecord, options: WriterOptions): string[] {
  const { hintCommand = defaultHintCommand, nextCommand } = options;
  if (record.exitStatus === 0) {
    return nextCommand === undefined ? [] : command(page, labels.next, nextCommand);
  }
  const rows: string[] = [];
  const stage = record.stages.find(({ checks }) => checks.some(isFailed));
  const failed = stage?.checks.find(isFailed);
  if (stage !== undefined && failed !== undefined) {
    const { currentStage = record.stages.length > 1 ? undefined : stage.stage } = options;
    const which = stage.stage === currentStage ? "" : ` --stage ${stage.stage}`;
    rows.push(...command(page, labels.hint, `${hintCommand} ${failed.id}${which}`));
    if (failed.failure !== undefined) rows.push(...command(page, labels.repeat, failed.failure.repeat));
  }
  const checks = record.stages.flatMap((each) => each.checks);
  if (record.exitStatus === 2 && !checks.some(isInterrupted))
    rows.push(...command(page, labels.examine, examineCommand));
  return rows;
}
