/**
 * Characters that act on a terminal or a reader without being seen: controls (C0, DEL, C1), format
 * characters such as the bidirectional overrides, line separators, lone surrogates and
 * noncharacters. XML 1.0 allows none of those that it has to refuse outside this set. Newline and
 * tab stay, and so do the two joiners, which scripts and emoji need.
 */
export const hiddenCharacter =
  /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/gu;

/** A colour sequence (`ESC [ … m`). */
const colourSequence = new RegExp(`${String.fromCharCode(0x1b)}\\[[\\d;:]*m`, "g");

function asEscape(character: string): string {
  if (character === "\r") return "\\r";
  const code = character.codePointAt(0)!;
  const hex = code.toString(16).padStart(2, "0");
  return code < 0x100 ? `\\x${hex}` : `\\u{${hex}}`;
}

/** The text with each hidden character as an escape: `\r`, `\x1b`, `\u{202e}`. Newlines and tabs stay. */
export function visible(text: string): string {
  return text.replace(hiddenCharacter, asEscape);
}

/** As `visible`, on one line: white space of any kind becomes one space. */
export function visibleLine(text: string): string {
  return visible(text).replace(/\s+/g, " ").trim();
}

/** What a program printed, ready to show: colours are left out, everything else that is hidden is made visible. */
export function visibleOutput(text: string): string {
  return visible(text.replace(colourSequence, ""));
}
