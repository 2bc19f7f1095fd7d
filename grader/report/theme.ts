import { styleText } from "node:util";
import type { Outcome } from "../record.ts";
import { textWidth } from "./width.ts";

/** What a piece of a report is; the theme decides how that looks. */
export type Role = Outcome | "heading" | "quiet" | "command";

/** How a report for reading looks: its marks and its colours. */
export type Theme = {
  marks: Record<Outcome | "warning", string>;
  /** Stands before each line that a learner's program printed. */
  outputBar: string;
  ellipsis: string;
  /** Whether checks that are blocked by a failed build share one line. */
  groupsBlocked: boolean;
  paint(role: Role, text: string): string;
};

/** A theme and the room there is. */
export type Page = {
  theme: Theme;
  /** Columns of the terminal. */
  columns: number;
  /** Columns for prose and for the list of checks: longer rows are hard to read. */
  measure: number;
  /** Columns of the widest mark. */
  markColumns: number;
};

const longestRow = 100;
const shortestRow = 32;
const usualColumns = 80;

/** Lays out a theme on a terminal of `columns` columns. */
export function layOut(theme: Theme, columns: number): Page {
  const usable = Math.max(shortestRow, Math.floor(columns) || usualColumns);
  return {
    theme,
    columns: usable,
    measure: Math.min(usable, longestRow),
    markColumns: Math.max(...Object.values(theme.marks).map(textWidth)),
  };
}

const formats: Record<Role, Parameters<typeof styleText>[0]> = {
  pass: "green",
  fail: "red",
  blocked: "yellow",
  skipped: "dim",
  error: "magenta",
  heading: "bold",
  quiet: "dim",
  command: "cyan",
};

/** Paints with the terminal's colours, whatever the environment says of them. */
export function inColour(role: Role, text: string): string {
  return text === "" ? "" : styleText(formats[role], text, { validateStream: false });
}

/** Paints nothing. */
export function withoutColour(_role: Role, text: string): string {
  return text;
}
