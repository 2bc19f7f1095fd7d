/** Bytes from `start` to `end`, the latter not among them. */
export type ByteRange = { start: number; end: number };

/** Ranges that are served at most; more are a way to make a server work, not to read a file. */
const mostRanges = 16;

const spec = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * Reads a Range field (RFC 9110 §14.2).
 * @param size bytes of the whole content
 * @returns the ranges to serve, none when no one can be; `undefined` when the field is to be ignored: malformed, another
 * unit, more than 16, or so many that they are longer than the whole
 */
export function parseRange(value: string, size: number): ByteRange[] | undefined {
  const [, list] = /^bytes=(.*)$/i.exec(value) ?? [];
  if (list === undefined) return undefined;
  const texts = list.split(",").map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));
  const specs = texts.filter((text) => text !== "");
  if (specs.length === 0 || specs.length > mostRanges) return undefined;
  const ranges: ByteRange[] = [];
  let total = 0;
  for (const text of specs) {
    const range = readSpec(text, size);
    if (range === undefined) return undefined;
    if (range.end <= range.start) continue; // cannot be satisfied
    ranges.push(range);
    total += range.end - range.start;
  }
  if (total > size) return undefined;
  return ranges.length > 1 ? coalesce(ranges) : ranges;
}

/** One range; an empty one where nothing of the content is in it; `undefined` when it is malformed. */
function readSpec(text: string, size: number): ByteRange | undefined {
  const [matched, first, last, suffix] = spec.exec(text) ?? [];
  if (matched === undefined) return undefined;
  if (first === undefined) return { start: Math.max(0, size - Number(suffix)), end: size };
  if (last === "") return { start: Number(first), end: size };
  if (Number(last) < Number(first)) return undefined;
  return { start: Number(first), end: Math.min(size, Number(last) + 1) };
}

/** Joins ranges that overlap or touch. Those that do not stay in the order in which they were asked for. */
function coalesce(ranges: ByteRange[]): ByteRange[] {
  const sorted = [...ranges].sort((one, other) => one.start - other.start);
  const joined: ByteRange[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else joined.push({ ...range });
  }
  return joined.length === ranges.length ? ranges : joined;
}
