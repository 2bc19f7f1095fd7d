import { stripVTControlCharacters } from "node:util";
import { Marked, type MarkedExtension, type Tokens } from "marked";
import { markedTerminal } from "marked-terminal";

/**
 * A lesson's Markdown without what only the web pages use: front matter, comments, and the `:::`
 * boxes, which become quotations with their title in bold.
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
    const opening = fence === undefined ? /^:{3,}\s*(\w[\w-]*)\s*(.*)$/.exec(line) : null;
    if (opening !== null) {
      // `code-group` only arranges its blocks as tabs.
      inBox = opening[1] !== "code-group";
      if (inBox) lines.push(`> **${opening[2] || boxTitles[opening[1]!] || opening[1]}**`, ">");
    } else if (fence === undefined && /^:{3,}\s*$/.test(line)) inBox = false;
    else lines.push(inBox ? `> ${line}`.trimEnd() : line);
  }
  return `${lines.join("\n").trim()}\n`;
}

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
function corrections(width: number): MarkedExtension {
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
    },
  };
}

/** Room for the marks and indents of a list in a list. */
const listIndent = 8;

/** Markdown as coloured text for a terminal of this many columns. */
export function renderMarkdown(markdown: string, columns: number): string {
  const width = Math.max(40, Math.min(columns, 100));
  const settings = { width, reflowText: true, showSectionPrefix: false, emoji: false, tab: 2 };
  const renderer = new Marked().use(markedTerminal(settings) as MarkedExtension, corrections(width));
  return renderer.parse(markdown, { async: false });
}
