import { count } from "../engine/evidence.ts";
import type { Page, Role } from "./theme.ts";
import { visible, visibleLine, visibleOutput } from "./visible.ts";
import { padTo, textWidth } from "./width.ts";
import { reflow, wrap } from "./wrap.ts";

/** Columns of a label with the gap behind it. */
const labelColumns = 12;
const indent = "  ";
/** On a narrower page labels stand above their text. */
const narrowPage = 60;

/** Characters of one text; more help nobody on a terminal. */
const longestProse = 2000;
const longestFact = 600;
const longestLine = 240;

/** Columns for text beside a label. */
export function textColumns(page: Page): number {
  return page.columns < narrowPage
    ? page.measure - 2 * indent.length
    : page.measure - indent.length - labelColumns;
}

function cut(text: string, limit: number, page: Page): string {
  if (text.length <= limit) return text;
  const shown = [...text.slice(0, limit + 1)].slice(0, limit).join("");
  return `${shown}${page.theme.ellipsis} (${count(text.length - shown.length, "more character")})`;
}

/** Explanations and hints: Markdown that the course's authors wrote, set anew. */
export function prose(page: Page, text: string): string[] {
  return reflow(visible(cut(text, longestProse, page)), textColumns(page));
}

/** Text whose lines and spaces mean something: what was sent, expected, observed. */
export function facts(page: Page, text: string, columns = textColumns(page)): string[] {
  return wrap(visible(cut(text, longestFact, page)), columns);
}

/** A text that has to do with one line of a list or heading, which may be wrapped. */
export function oneLine(page: Page, text: string): string {
  return visibleLine(cut(text, longestLine, page));
}

/** Lines that a program or a compiler printed. They are cut when they are huge, never wrapped: columns and paths in them count. */
export function outputLines(page: Page, text: string): string[] {
  return visibleOutput(text)
    .trimEnd()
    .split("\n")
    .map((line) => cut(line.trimEnd(), longestLine, page));
}

/** Some rows with a label at their left, or above them where there is no room. */
export function labelled(page: Page, label: string, rows: string[], role?: Role): string[] {
  const painted = role === undefined ? rows : rows.map((row) => page.theme.paint(role, row));
  if (page.columns < narrowPage) {
    const above = label === "" ? [] : [indent + page.theme.paint("quiet", label)];
    return [...above, ...painted.map((row) => `${indent}${indent}${row}`.trimEnd())];
  }
  return painted.map((row, index) =>
    index === 0
      ? indent + page.theme.paint("quiet", padTo(label, labelColumns)) + row
      : `${indent}${" ".repeat(labelColumns)}${row}`.trimEnd(),
  );
}

/**
 * A command or a path with its label, in one piece so that it can be copied: if there is no room beside
 * the label it stands below, and if it is too long for that too it starts at the left edge and the
 * terminal breaks it. So do several lines, as an indent would spoil a here-document.
 */
export function command(page: Page, label: string, text: string): string[] {
  const lines = visible(text.trim()).split("\n");
  const room = page.columns - indent.length - labelColumns;
  if (page.columns >= narrowPage && lines.length === 1 && textWidth(lines[0]!) <= room) {
    return labelled(page, label, lines, "command");
  }
  const fits = lines.length === 1 && textWidth(indent + lines[0]) <= page.columns;
  return [
    indent + page.theme.paint("quiet", `${label}:`),
    ...lines.map((line) => (fits ? indent : "") + page.theme.paint("command", line)),
  ];
}

/** A row that begins with an outcome's mark. */
export function marked(page: Page, kind: keyof Page["theme"]["marks"], text: string): string {
  const role = kind === "warning" ? "error" : kind;
  return `${indent}${page.theme.paint(role, padTo(page.theme.marks[kind], page.markColumns))} ${text}`;
}

/** Columns before the text of a marked row. */
export function markedIndent(page: Page): number {
  return indent.length + page.markColumns + 1;
}

/** A check's name and title in one line, as headings and lists show it. */
export function nameOf(page: Page, check: { id: string; title: string }): string {
  return oneLine(page, `${check.id}: ${check.title}`);
}
