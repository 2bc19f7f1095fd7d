import { count } from "../engine/evidence.ts";
import type { StageResult } from "../record.ts";
import { marked, markedIndent, oneLine, outputLines } from "./rows.ts";
import type { Page } from "./theme.ts";
import { wrap } from "./wrap.ts";

const buildFailed = "The build failed:";
const noOutput = "It printed nothing.";
const failNoCheck = "; they fail no check:";
const oneFailsNoCheck = "; it fails no check:";
const linesBetween = (number: number) => `(${count(number, "more line")})`;
const andMore = (number: number) => `and ${number} more`;

/** Of a long build log: where the first error usually stands, and what the build said at last. */
const firstLogLines = 24;
const lastLogLines = 6;
const shownWarnings = 5;
/** Before the further rows of one warning. */
const hanging = "  ";

function logRows(page: Page, log: string): string[] {
  const lines = outputLines(page, log);
  // A single line is a sentence of ours or of a tool's: excerpts, whose columns count, take several.
  if (lines.length === 1) return wrap(lines[0]!, page.measure - hanging.length);
  const between = lines.length - firstLogLines - lastLogLines;
  if (between <= 1) return lines;
  const note = `${page.theme.ellipsis} ${linesBetween(between)}`;
  return [...lines.slice(0, firstLogLines), note, ...lines.slice(-lastLogLines)];
}

function warningRows(page: Page, warnings: string[]): string[] {
  const indent = " ".repeat(markedIndent(page));
  const columns = page.measure - indent.length - hanging.length;
  const shown = warnings.slice(0, shownWarnings).flatMap((warning) => {
    const [first = "", ...rest] = wrap(oneLine(page, warning), columns);
    return [first, ...rest.map((row) => hanging + row)];
  });
  const left = warnings.length - shownWarnings;
  return [...shown, ...(left > 0 ? [andMore(left)] : [])].map((row) => indent + row);
}

/** What the compiler or the build command said of a program that does not build; nothing when it does. */
export function buildReport(page: Page, build: StageResult["build"]): string[] {
  if (build.ok) return [];
  const log = build.log?.trim() ? build.log : noOutput;
  return [
    marked(page, "fail", page.theme.paint("heading", buildFailed)),
    "",
    ...logRows(page, log).map((line) => (line === "" ? "" : `  ${line}`)),
    "",
  ];
}

/**
 * The type errors of a program that builds. Of one that does not, they would say again what the build
 * has said, and they come back when it builds.
 */
export function typeErrorsReport(page: Page, { ok, warnings }: StageResult["build"]): string[] {
  if (!ok || warnings.length === 0) return [];
  const sentence = warnings.length === 1 ? oneFailsNoCheck : failNoCheck;
  return [
    marked(page, "warning", count(warnings.length, "type error") + sentence),
    ...warningRows(page, warnings),
  ];
}
