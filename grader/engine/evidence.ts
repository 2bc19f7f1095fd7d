/** What a check saw, in the words of the report. All texts are ready to print. */
export type Evidence = {
  summary: string;
  expected: string;
  observed: string;
  difference?: string;
  /** A hint that fits what was seen better than the check's own. */
  hint?: string;
};

/** The learner's program did not do what the check asks: the outcome is `fail`. */
export class CheckFailure extends Error {
  override name = "CheckFailure";
  readonly evidence: Evidence;

  constructor(evidence: Evidence) {
    super(evidence.summary);
    this.evidence = evidence;
  }
}

/** The check does not apply here: the outcome is `skipped`, with this reason. */
export class CheckSkipped extends Error {
  override name = "CheckSkipped";
}

/**
 * Fails the check unless `condition` holds.
 * @throws CheckFailure
 */
export function assert(condition: unknown, evidence: Evidence): asserts condition {
  if (!condition) throw new CheckFailure(evidence);
}

const printable = (byte: number) => byte >= 0x20 && byte < 0x7f;
const escapes = new Map([
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);

/** Bytes as a quoted text with C's escapes, cut after `limit` bytes. */
export function quote(bytes: Uint8Array, limit = 48): string {
  const text = Array.from(bytes.subarray(0, limit), (byte) =>
    printable(byte) && !escapes.has(byte)
      ? String.fromCharCode(byte)
      : (escapes.get(byte) ?? `\\x${byte.toString(16).padStart(2, "0")}`),
  ).join("");
  return `"${text}"${bytes.length > limit ? "…" : ""}`;
}

/** `1 byte`, `9,999 bytes` */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}

/** `"hello\n" (6 bytes)`, or `nothing`. */
export function describeBytes(bytes: Uint8Array): string {
  return bytes.length === 0 ? "nothing" : `${quote(bytes)} (${count(bytes.length, "byte")})`;
}

/** The offset of the first byte in which two byte strings differ; `-1` when they are equal. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  if (Buffer.compare(a.subarray(0, shared), b.subarray(0, shared)) === 0) {
    return a.length === b.length ? -1 : shared;
  }
  let low = 0;
  while (a[low] === b[low]) low++;
  return low;
}

const shownBefore = 4;
const shownAfter = 11;

/**
 * The place where two byte strings part, as hex and as text, with a caret under the first byte that
 * differs. Each line has at most 76 columns.
 */
export function renderDifference(expected: Uint8Array, observed: Uint8Array): string | undefined {
  const at = firstDifference(expected, observed);
  if (at === -1) return undefined;
  const start = Math.max(0, at - shownBefore);
  const line = (name: string, bytes: Uint8Array) => {
    const shown = bytes.subarray(start, at + shownAfter + 1);
    const hex = Array.from(shown, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = Array.from(shown, (byte) => (printable(byte) ? String.fromCharCode(byte) : ".")).join("");
    const end = bytes.length <= at ? " (ends here)" : "";
    return `${name}  ${hex.padEnd(3 * (shownBefore + 1 + shownAfter))} ${text}${end}`.trimEnd();
  };
  const indent = " ".repeat("expected  ".length + 3 * (at - start));
  return [
    `first difference at byte ${at.toLocaleString("en-US")} (counted from 0):`,
    line("expected", expected),
    line("observed", observed),
    `${indent}^^`,
  ].join("\n");
}

/** Milliseconds as a person says them: `40 ms`, `1.2 s`. */
export function describeMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
