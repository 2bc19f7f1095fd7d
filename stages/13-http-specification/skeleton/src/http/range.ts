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
  // TODO 8b: the unit is `bytes`, in any case of letters; then a list, whose empty elements do not count.
  return todo(`8b: ${value} of ${size}, at most ${mostRanges}: ${readSpec.name}, then ${coalesce.name}`);
}

/** One range; an empty one where nothing of the content is in it; `undefined` when it is malformed. */
function readSpec(text: string, size: number): ByteRange | undefined {
  // TODO 8a: `0-499`, `500-`, `-500`. What reaches behind the end is cut there; what begins there is empty; the last before the first is malformed.
  return todo(`8a: ${text} of ${size} by ${spec}`);
}

/** Joins ranges that overlap or touch. Those that do not stay in the order in which they were asked for. */
function coalesce(ranges: ByteRange[]): ByteRange[] {
  // TODO 8c
  return todo(`8c: ${ranges.length} ranges`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
