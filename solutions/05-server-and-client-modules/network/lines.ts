const newline = 0x0a;
/** Bytes of a line that we keep while its end has not come. Without a limit one client could take all memory. */
const longestLine = 16 * 1024 * 1024;

/** Where reversed lines go: the first `length` of the bytes, which are valid during the call only. */
export type SendLines = (bytes: Uint8Array, length: number) => void;

/**
 * Reverses the lines of one stream, however its bytes arrive. A stream has no message boundaries: what one `recv`
 * returns may be a part of a line, a line, or many. A line is reversed in place, so the bytes given are changed.
 */
export class LineReverser {
  readonly #send: SendLines;
  /** The parts of a line whose end has not come yet, copied. */
  #unfinished: Uint8Array[] = [];
  #unfinishedLength = 0;

  constructor(send: SendLines) {
    this.#send = send;
  }

  /**
   * Takes the next bytes of the stream: sends all lines that are complete now, and keeps the rest.
   * @param bytes the first `length` of them belong to the stream
   * @throws {RangeError} a line is longer than 16 MiB
   */
  push(bytes: Uint8Array, length: number): void {
    let start = 0;
    if (this.#unfinishedLength > 0) {
      const end = indexOfNewline(bytes, 0, length);
      this.#keep(bytes.subarray(0, end === -1 ? length : end));
      if (end === -1) return;
      this.#sendUnfinished(newline);
      start = end + 1;
    }
    // The lines that lie whole in these bytes stand behind one another, also when reversed: they leave in one piece.
    let next = start;
    while (next < length) {
      const end = indexOfNewline(bytes, next, length);
      if (end === -1) break;
      reverse(bytes, next, end);
      next = end + 1;
    }
    if (next > start) {
      if (start === 0) this.#send(bytes, next);
      else this.#send(bytes.subarray(start, next), next - start);
    }
    if (next < length) this.#keep(bytes.subarray(next, length));
  }

  /** The stream has ended: sends the line that has no end, reversed. */
  end(): void {
    if (this.#unfinishedLength > 0) this.#sendUnfinished();
  }

  #keep(part: Uint8Array): void {
    this.#unfinishedLength += part.length;
    if (this.#unfinishedLength > longestLine) {
      throw new RangeError(`a line is longer than ${longestLine} bytes`);
    }
    // A copy in any case: `slice` makes one of a Uint8Array, but a view of a Buffer.
    this.#unfinished.push(new Uint8Array(part));
  }

  #sendUnfinished(...lineEnd: number[]): void {
    const line = Buffer.concat([...this.#unfinished, Uint8Array.from(lineEnd)]);
    reverse(line, 0, this.#unfinishedLength);
    this.#unfinished = [];
    this.#unfinishedLength = 0;
    this.#send(line, line.length);
  }
}

/** Where the first newline from `start` on lies, or -1 when there is none before `length`. */
function indexOfNewline(bytes: Uint8Array, start: number, length: number): number {
  // A newline behind the last byte ends the search there; otherwise it would go on through what older data left.
  if (length < bytes.length) bytes[length] = newline;
  const index = bytes.indexOf(newline, start);
  return index < length ? index : -1;
}

/** Reverses the bytes from `start` to before `end`, in place. */
function reverse(bytes: Uint8Array, start: number, end: number): void {
  for (let left = start, right = end - 1; left < right; left++, right--) {
    const byte = bytes[left]!;
    bytes[left] = bytes[right]!;
    bytes[right] = byte;
  }
}
