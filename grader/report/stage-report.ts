import { count, describeMs } from "../engine/evidence.ts";
import type { CheckResult, StageResult } from "../record.ts";
import { failedCheckReport } from "./failure.ts";
import { facts, marked, markedIndent, nameOf, oneLine } from "./rows.ts";
import type { Page } from "./theme.ts";
import { padTo, textWidth } from "./width.ts";
import { wrap } from "./wrap.ts";

const alsoFailed = "Also failed:";
/** The id of the check that fails when the build does: the build's own report says all there is to say of it. */
const buildCheck = "builds";
const waitForBuild = (checks: number) =>
  checks === 1 ? "1 check can't run until it builds" : `${count(checks, "check")} can't run until it builds`;

/** `4 checks build on …`; any other reason is only counted, before its further lines. */
const reasonOfSeveral = (reason: string, checks: number) =>
  /^builds on /.test(reason)
    ? reason.replace(/^builds on /, `${count(checks, "check")} build on `)
    : reason.replace(/^.*/, (line) => `${line} (these ${count(checks, "check")})`);

const pointsColumns = 6;
const timeColumns = 8;
const shortestTitle = 20;
/** An error of the grader may bring a long stack trace. */
const longestReason = 10;

/** The line above a stage's checks. */
export function stageHeader(
  page: Page,
  stage: { number: number; title: string },
  checks: { points: number }[],
): string[] {
  const title = `Stage ${stage.number}: ${oneLine(page, stage.title)}`;
  const points = checks.reduce((sum, check) => sum + check.points, 0);
  const size = `${count(checks.length, "check")}, ${count(points, "point")}`;
  const paint = page.theme.paint;
  if (textWidth(title) + textWidth(size) + 2 > page.measure) {
    return [...wrap(title, page.measure).map((row) => paint("heading", row)), paint("quiet", size)];
  }
  return [
    paint("heading", title) +
      " ".repeat(page.measure - textWidth(title) - textWidth(size)) +
      paint("quiet", size),
  ];
}

/** Points as `earned/possible`; a dash for a check that counts on neither side. */
function pointsOf(check: CheckResult): string {
  const counts = check.outcome !== "skipped" && check.outcome !== "error";
  return counts ? `${check.earned}/${check.points}` : "-";
}

/** The line of a check that has ended. */
export function checkReport(page: Page, check: CheckResult): string[] {
  const indent = markedIndent(page);
  const ran = check.outcome !== "skipped" && check.outcome !== "blocked";
  const figures =
    pointsOf(check).padStart(pointsColumns) + (ran ? describeMs(check.durationMs) : "").padStart(timeColumns);
  const titleColumns = Math.max(shortestTitle, page.measure - indent - figures.length - 1);
  const [first = "", ...rest] = wrap(oneLine(page, check.title), titleColumns);
  return [
    marked(
      page,
      check.outcome,
      `${padTo(first, titleColumns)} ${page.theme.paint("quiet", figures.trimEnd())}`,
    ),
    ...rest.map((row) => " ".repeat(indent) + row),
  ];
}

/** The reason that the checks right above share. */
export function reasonReport(page: Page, checks: CheckResult[]): string[] {
  const reason = checks[0]?.reason;
  if (reason === undefined) return [];
  const indent = markedIndent(page);
  const text = checks.length === 1 ? reason : reasonOfSeveral(reason, checks.length);
  return facts(page, text, page.measure - indent)
    .slice(0, longestReason)
    .map((row) => " ".repeat(indent) + page.theme.paint("quiet", row));
}

/** One line for all checks that a failed build has blocked. */
export function blockedByBuild(page: Page, checks: CheckResult[]): string[] {
  return checks.length === 0 ? [] : [marked(page, "blocked", waitForBuild(checks.length))];
}

/**
 * The failures of a stage: the first in full, the others in a line each. A failed build is the first
 * failure, and it was shown in full when it happened.
 */
export function failuresReport(page: Page, stage: StageResult): string[] {
  const failed = stage.checks.filter((check) => check.outcome === "fail");
  const first = stage.build.ok ? failed[0] : undefined;
  const others = failed.filter((check) => check !== first && (stage.build.ok || check.id !== buildCheck));
  const rows: string[] = [];
  if (first !== undefined) rows.push("", ...failedCheckReport(page, first));
  if (others.length > 0) {
    const indent = markedIndent(page);
    rows.push("", ...(first === undefined ? [] : [`  ${alsoFailed}`]));
    for (const check of others) {
      const text =
        check.failure === undefined ? nameOf(page, check) : `${check.id}: ${check.failure.summary}`;
      const [head = "", ...tail] = wrap(oneLine(page, text), page.measure - indent);
      rows.push(marked(page, "fail", head), ...tail.map((row) => " ".repeat(indent) + row));
    }
  }
  return rows;
}
