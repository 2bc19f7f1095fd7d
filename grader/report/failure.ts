import { count } from "../engine/evidence.ts";
import type { CheckResult, Failure } from "../record.ts";
import { command, facts, labelled, nameOf, outputLines, prose } from "./rows.ts";
import type { Page } from "./theme.ts";
import { visible } from "./visible.ts";
import { textWidth } from "./width.ts";

const labels = {
  sent: "Sent",
  expected: "Expected",
  observed: "Observed",
  why: "Why",
  hint: "Hint",
  see: "See",
  repeat: "Repeat",
  byHand: "By hand",
  program: "Program",
  transcript: "Transcript",
};
const printedNothing = "It printed nothing.";
const linesLeftOut = (number: number) => count(number, "more line");
const stepsBetween = "more steps";
const stepsInTranscript = "more steps, which are in the transcript";

/** Steps shown of a long list: how it began, and what led to the failure. */
const firstSteps = 2;
const lastSteps = 6;
/** Lines shown of a long output: what the program said of itself, and what it said at last. */
const firstOutputLines = 2;
const lastOutputLines = 10;

/** What Node adds to a stack trace about itself. */
const nodesOwnLine = /^\s+at .*\bnode:[\w/]+:\d+:\d+\)?$|^Node\.js v\d+\.\d+\.\d+$/;

function sentRows(page: Page, failure: Failure): string[] {
  const rowsOf = (steps: string[]) => steps.flatMap((step) => facts(page, step));
  if (failure.sent.length <= firstSteps + lastSteps + 1) return rowsOf(failure.sent);
  const note = failure.transcript === undefined ? stepsBetween : stepsInTranscript;
  return [
    ...rowsOf(failure.sent.slice(0, firstSteps)),
    `${page.theme.ellipsis} ${note}`,
    ...rowsOf(failure.sent.slice(-lastSteps)),
  ];
}

/** The difference as it was rendered: its columns line up, so it is never wrapped, rather put to the left edge. */
function differenceRows(page: Page, difference: string): string[] {
  const lines = visible(difference).trimEnd().split("\n");
  const room = page.columns - Math.max(...lines.map(textWidth));
  const rows = lines.map((line) => (room >= 2 ? `  ${line}` : line).trimEnd());
  return ["", ...rows, ""];
}

/** What a program printed, without what Node says of itself; of a long output, how it began and how it ended. */
function programOutput(page: Page, output: string): string[] {
  const own = output.split("\n").filter((line) => !nodesOwnLine.test(line.trimEnd()));
  const lines = outputLines(page, own.join("\n"));
  if (lines.every((line) => line === "")) return [];
  const rows = lines.map((line) => page.theme.outputBar + line);
  const between = rows.length - firstOutputLines - lastOutputLines;
  // A note about one line would take its room.
  if (between <= 1) return rows;
  const note = `${page.theme.ellipsis} ${linesLeftOut(between)}`;
  return [...rows.slice(0, firstOutputLines), note, ...rows.slice(-lastOutputLines)];
}

/** A program, its end, and what it printed; that stands far left, where long lines have room. */
function programRows(page: Page, program: Failure["programs"][number]): string[] {
  const printed = programOutput(page, program.output);
  const facing = [...facts(page, program.death ?? ""), ...(printed.length > 0 ? [] : [printedNothing])];
  return [
    ...command(page, labels.program, program.command),
    ...labelled(
      page,
      "",
      facing.filter((row) => row !== ""),
      "fail",
    ),
    ...printed.map((row) => `  ${row}`.trimEnd()),
  ];
}

/** Everything about a failure, the most useful first. Only commands, paths, differences and output may pass the edge. */
export function failureReport(page: Page, failure: Failure): string[] {
  const text = (label: string, rows: string[]) => (rows.join("") === "" ? [] : labelled(page, label, rows));
  return [
    ...facts(page, failure.summary, page.measure - 2).map((row) => `  ${row}`),
    "",
    ...text(labels.sent, sentRows(page, failure)),
    ...labelled(page, labels.expected, facts(page, failure.expected), "pass"),
    ...labelled(page, labels.observed, facts(page, failure.observed), "fail"),
    ...(failure.difference === undefined ? [""] : differenceRows(page, failure.difference)),
    ...text(labels.why, prose(page, failure.why)),
    ...text(labels.hint, prose(page, failure.hint ?? "")),
    ...text(labels.see, prose(page, failure.see.join(", "))),
    "",
    ...command(page, labels.repeat, failure.repeat),
    ...(failure.byHand === undefined ? [] : command(page, labels.byHand, failure.byHand)),
    ...(failure.programs.length > 0 ? [""] : []),
    ...failure.programs.flatMap((program) => programRows(page, program)),
    ...(failure.transcript === undefined ? [] : command(page, labels.transcript, failure.transcript)),
  ];
}

/** A failed check in full, under its name. */
export function failedCheckReport(page: Page, check: CheckResult): string[] {
  const { marks, paint } = page.theme;
  const heading = `${paint("fail", marks.fail)} ${paint("heading", nameOf(page, check))}`;
  return [heading, "", ...(check.failure === undefined ? [] : failureReport(page, check.failure))];
}
