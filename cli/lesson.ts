import { stripVTControlCharacters } from "node:util";
import chalk from "chalk";
import { Marked, type MarkedExtension, type Tokens } from "marked";
import { markedTerminal } from "marked-terminal";
import { textWidth } from "../grader/report/width.ts";

/**
 * A lesson's Markdown without what only the web pages use: front matter, comments, and the `:::`
 * boxes and `<details>`, which become quotations with their title in bold.
 */
export function plainMarkdown(source: string): string {
  const body = source.replace(/^---\n[\s\S]*?\n---\n/, "").replace(/^<!--[\s\S]*?-->\n?/gm, "");
  const lines: string[] = [];
  let inBox = false;
  let fence: string | undefined;
  for (const line of body.split("\n")) {
    const fenceMark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fenceMark !== undefined)
      fence = fence === undefined ? fenceMark : line.trim() === fence ? undefined : fence;
    const summary = fence === undefined ? detailsStart.exec(line) : null;
    const opening = fence === undefined ? /^:{3,}\s*(\w[\w-]*)\s*(.*)$/.exec(line) : null;
    if (opening !== null) {
      // `code-group` only arranges its blocks as tabs.
      inBox = opening[1] !== "code-group";
      if (inBox) lines.push(`> **${opening[2] || boxTitles[opening[1]!] || opening[1]}**`, ">");
    } else if (summary !== null) {
      inBox = true;
      if (summary[1] !== undefined) lines.push(`> **${summary[1]}:**`);
    } else if (fence === undefined && boxEnd.test(line)) inBox = false;
    else lines.push(inBox ? `> ${line}`.trimEnd() : line);
  }
  return `${lines.join("\n").trim()}\n`;
}

/** `<details>`, `<summary>…</summary>` on a line of its own, or both on one. */
const detailsStart = /^(?=<details|<summary)(?:<details[^>]*>)?\s*(?:<summary>(.*?)<\/summary>)?\s*$/;
const boxEnd = /^(?::{3,}|<\/details>)\s*$/;

const boxTitles: Record<string, string> = {
  tip: "Tip",
  info: "Note",
  warning: "Careful",
  danger: "Danger",
  details: "Details",
};

/** Languages whose colours help; in a terminal's transcript they would only mislead. */
const colouredLanguages = new Set(["ts", "typescript", "js", "javascript", "json", "c", "diff"]);

/** Breaks text with colour codes at spaces, so that no row is wider than `width`. */
function wrapColoured(text: string, width: number): string {
  const rows: string[] = [];
  let row = "";
  for (const word of text.split(" ")) {
    const longer = row === "" ? word : `${row} ${word}`;
    if (row !== "" && stripVTControlCharacters(longer).length > width) {
      rows.push(row);
      row = word;
    } else row = longer;
  }
  return [...rows, row].join("\n");
}

/** A link to another page of the course, as the command that shows it in the terminal. */
function commandOfLink(href: string): string | undefined {
  const page = /^[./\w-]*\/(?:stage-(\d+)|guides\/([\w-]+))(?:\.md|\.html)?(?:#.*)?$/.exec(href);
  if (page === null) return undefined;
  return `npx expserver-course read ${page[1] ?? page[2]}`;
}

/** What marked-terminal leaves undone: rows of the source stay rows, and list items stay as they were typed. */
function corrections(width: number, columns: number): MarkedExtension {
  return {
    walkTokens(token) {
      if (token.type === "text" || token.type === "codespan") token.text = token.text.replaceAll("\n", " ");
      if (token.type === "link") token.href = commandOfLink(token.href) ?? token.href;
      if (token.type === "code" && !colouredLanguages.has(token.lang ?? "")) token.lang = "plaintext";
    },
    renderer: {
      text(token: Tokens.Text | Tokens.Escape) {
        if (!("tokens" in token) || token.tokens === undefined) return false;
        return wrapColoured(this.parser.parseInline(token.tokens), width - listIndent);
      },
      table(token: Tokens.Table) {
        const inline = (cell: Tokens.TableCell) => plainEntities(this.parser.parseInline(cell.tokens));
        const rows = [token.header, ...token.rows].map((row) => row.map(inline));
        return tableWidth(rows) <= columns ? false : tableAsList(rows, width);
      },
    },
  };
}

const codeColon = /\*#COLON\|\*/g;

/** marked and marked-terminal leave some characters encoded until a whole block is printed. */
function plainEntities(text: string): string {
  const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text
    .replace(codeColon, ":")
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name]!);
}

const widthOf = (coloured: string) => textWidth(stripVTControlCharacters(coloured));

/** Columns of a table with its borders and the gaps beside them. */
function tableWidth(rows: string[][]): number {
  const cells = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  return cells.reduce((sum, cell) => sum + cell + 3, 1);
}

/** A table that is too wide: the first cell of a row, and below it the others with their headings. */
function tableAsList([header = [], ...rows]: string[][], width: number): string {
  const labels = Math.max(...header.slice(1).map(widthOf)) + 2;
  const entries = rows.map(([first = "", ...cells]) => {
    const texts = cells.flatMap((cell, index) => {
      const wrapped = wrapColoured(cell, width - labels - 4).split("\n");
      const label = header[index + 1] ?? "";
      const gap = " ".repeat(labels - widthOf(label));
      return cell === ""
        ? []
        : wrapped.map((row, at) => `    ${at === 0 ? label + gap : " ".repeat(labels)}${row}`);
    });
    return [`  ${first}`, ...texts].join("\n");
  });
  return `${entries.join("\n")}\n\n`;
}

const quoteIndent = 2;

/** Room for the marks and indents of a list in a list. */
const listIndent = 8;

/** Markdown as coloured text for a terminal of this many columns. */
export function renderMarkdown(markdown: string, columns: number): string {
  // The caller has decided about colour; chalk would look at the environment once more, where CI means none.
  chalk.level ||= 1;
  const width = Math.max(40, Math.min(columns, 100));
  // Quotations are indented after their lines were set.
  const settings = {
    width: width - quoteIndent,
    reflowText: true,
    showSectionPrefix: false,
    emoji: false,
    tab: quoteIndent,
  };
  const renderer = new Marked().use(markedTerminal(settings) as MarkedExtension, corrections(width, columns));
  return renderer.parse(markdown, { async: false });
}
