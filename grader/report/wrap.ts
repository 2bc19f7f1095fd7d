import { splitAt, textWidth } from "./width.ts";

/** Runs of spaces, and words; what stands between backticks is part of one word. */
const runs = / +|(?:`[^`]*`|[^ ])+/g;

/** An escape sequence, as quoted bytes and made visible characters have it: `\n`, `\x00`, `\u{202e}`. */
const escapes = /\\(?:x[0-9a-f]{2}|u\{[0-9a-f]+\}|.)/giu;

/** Parts a long word after at most `columns` columns, but never within an escape sequence. */
function splitWord(word: string, columns: number): [head: string, rest: string] {
  const [head, rest] = splitAt(word, columns);
  for (const { index, 0: sequence } of word.matchAll(escapes)) {
    if (index >= head.length) break;
    const end = index + sequence.length;
    if (end <= head.length) continue;
    const at = index > 0 ? index : end;
    return [word.slice(0, at), word.slice(at)];
  }
  return [head, rest];
}

function wrapLine(line: string, columns: number): string[] {
  if (textWidth(line) <= columns) return [line.trimEnd()];
  const rows: string[] = [];
  let row = "";
  let spaces = "";
  for (const run of line.match(runs) ?? []) {
    if (run.startsWith(" ")) {
      spaces = run;
      continue;
    }
    const longer = row + spaces + run;
    spaces = "";
    if (row === "" || textWidth(longer) <= columns) {
      row = longer;
    } else {
      rows.push(row);
      row = run;
    }
    // Code is left whole, so that it can be copied; any other word has to give way to the edge.
    while (textWidth(row) > columns && !row.includes("`")) {
      const [head, rest] = splitWord(row, columns);
      rows.push(head);
      row = rest;
    }
  }
  return row === "" ? rows : [...rows, row];
}

/** Breaks each line of a text at spaces; spaces inside a row stay as they are. */
export function wrap(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, columns));
}

const fence = /^\s*```/;
const indentedCode = /^ {4}/;
const listItem = /^\s*(?:[-*]|\d+\.) /;

/**
 * Sets Markdown prose anew: the lines of a paragraph are joined and wrapped, list items start a row,
 * code blocks stay as they are (without their fences).
 */
export function reflow(text: string, columns: number): string[] {
  const rows: string[] = [];
  let paragraph = "";
  let fenced = false;
  const endParagraph = () => {
    if (paragraph !== "") rows.push(...wrap(paragraph, columns));
    paragraph = "";
  };
  for (const line of text.trim().split("\n")) {
    if (fence.test(line)) {
      endParagraph();
      fenced = !fenced;
    } else if (fenced || (paragraph === "" && indentedCode.test(line))) {
      rows.push(line);
    } else if (line.trim() === "") {
      endParagraph();
      rows.push("");
    } else {
      if (listItem.test(line)) endParagraph();
      paragraph += (paragraph === "" ? "" : " ") + line.trim();
    }
  }
  endParagraph();
  return rows;
}
