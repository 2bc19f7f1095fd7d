import type { Ratio } from "./statistics.ts";

/** Rows below headings. The first column is text, the others figures. */
export type Table = { title: string; columns: string[]; rows: string[][] };

/** `1,234,567`, with as many decimals as leave about three digits that mean something. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** The table as lines of text: text to the left, figures to the right, each column as wide as it must be. */
export function renderTable({ title, columns, rows }: Table): string {
  const widths = columns.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("   ")
      .trimEnd();
  return [title, line(columns), ...rows.map(line)].join("\n");
}

/** `1.52 ±3%`: the median, and how far the rounds lie from it at most. */
export function writeRatio({ median, least, most }: Ratio): string {
  if (least === most) return figure(median);
  const spread = Math.max(most - median, median - least) / median;
  return `${figure(median)} ±${Math.round(spread * 100)}%`;
}
