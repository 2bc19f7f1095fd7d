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
    // TODO 2a: look for line ends among the first `length` bytes. Each whole line is reversed and sent, its line end
    // last; in front of the first one belongs what was kept before. What has no line end yet is kept, as a copy.
    todo(`2a: take ${length} bytes`);
  }

  /** The stream has ended: sends the line that has no end, reversed. */
  end(): void {
    // TODO 2b: send what was kept, reversed, if there is any.
    todo(`2b: end with ${this.#unfinished.length} parts of a line`);
  }

  #keep(part: Uint8Array): void {
    // TODO 2a: a copy of the part; and no more than longestLine bytes altogether.
    todo(`2a: keep ${part.length} bytes`);
  }

  #sendUnfinished(...lineEnd: number[]): void {
    todo(`2a: send the line of ${this.#unfinishedLength} bytes, with ${lineEnd.length} bytes behind it`);
  }
}

/** Where the first newline from `start` on lies, or -1 when there is none before `length`. */
function indexOfNewline(bytes: Uint8Array, start: number, length: number): number {
  // TODO 2a: only the bytes up to `length` are of this stream; behind them lie older ones.
  return todo(`2a: a byte ${newline} from ${start} to ${length} in ${bytes.length} bytes`);
}

/** Reverses the bytes from `start` to before `end`, in place. */
function reverse(bytes: Uint8Array, start: number, end: number): void {
  todo(`2a: reverse from ${start} to ${end}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
