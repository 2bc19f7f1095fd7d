const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const printableAscii = /^[ -~]*$/;
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
const doubleWidth =
  /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|[\u3001-\u303e\uff01-\uff60\uffe0-\uffe6])|\ufe0f/u;

/** A tab's columns at most: no line that is measured so comes out wider. */
const tabColumns = 8;

function graphemeWidth(grapheme: string): number {
  if (grapheme === "\t") return tabColumns;
  if (zeroWidth.test(grapheme)) return 0;
  return doubleWidth.test(grapheme) ? 2 : 1;
}

/** The columns that a text without newlines takes on a terminal. */
export function textWidth(text: string): number {
  if (printableAscii.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** Fills a text up with spaces at its end. */
export function padTo(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - textWidth(text)));
}

/** Parts a text after at most `columns` columns, but never before its first character. */
export function splitAt(text: string, columns: number): [head: string, rest: string] {
  if (printableAscii.test(text))
    return [text.slice(0, Math.max(1, columns)), text.slice(Math.max(1, columns))];
  let width = 0;
  for (const { segment, index } of graphemes.segment(text)) {
    width += graphemeWidth(segment);
    if (width > columns && index > 0) return [text.slice(0, index), text.slice(index)];
  }
  return [text, ""];
}
