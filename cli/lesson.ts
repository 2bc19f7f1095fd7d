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

/** marked-terminal prints the text of list items as it was typed; this renders what is inside. */
const inlineInLists: MarkedExtension = {
  renderer: {
    text(token: Tokens.Text | Tokens.Escape) {
      return "tokens" in token && token.tokens !== undefined ? this.parser.parseInline(token.tokens) : false;
    },
  },
};

/** Markdown as coloured text for a terminal of this many columns. */
export function renderMarkdown(markdown: string, columns: number): string {
  const width = Math.max(40, Math.min(columns, 100));
  const settings = { width, reflowText: true, showSectionPrefix: false, emoji: false, tab: 2 };
  const renderer = new Marked().use(markedTerminal(settings) as MarkedExtension, inlineInLists);
  return renderer.parse(markdown, { async: false });
}
