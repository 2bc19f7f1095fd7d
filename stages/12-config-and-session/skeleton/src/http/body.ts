import { tokenBytes, valueBytes } from "./characters.ts";
import type { Framing } from "./framing.ts";
import type { Refusal } from "./head-parser.ts";
import { passBytes } from "./head-parser.ts";
import type { BodySink } from "./request.ts";

const tab = 0x09;
const lf = 0x0a;
const cr = 0x0d;
const space = 0x20;
const quote = 0x22;
const semicolon = 0x3b;
const equals = 0x3d;
const backslash = 0x5c;

/** Hexadecimal digits of a chunk's size: more would not be exact in JavaScript. */
const mostSizeDigits = 12;
/**
 * Bytes of extensions at most, those of small chunks: each byte of content makes up for two of them, so that a sender who
 * signs its chunks is served and one who only keeps us busy is not.
 */
const longestExtensions = 16 * 1024;
/** Bytes of all trailer fields at most. */
const longestTrailers = 8 * 1024;

/** What the next byte is part of. */
const State = {
  /** Content whose length is known. */
  content: 0,
  /** Content up to the end of the stream. */
  untilEnd: 1,
  sizeFirst: 2,
  size: 3,
  extensionStart: 4,
  extensionName: 5,
  extensionNameEnd: 6,
  extensionNamePadding: 7,
  extensionValueStart: 8,
  extensionValue: 9,
  extensionQuoted: 10,
  extensionEscape: 11,
  extensionEnd: 12,
  /** White space before an extension. */
  extensionPadding: 13,
  sizeEnd: 14,
  chunkData: 15,
  chunkCr: 16,
  chunkLf: 17,
  trailerStart: 18,
  trailerName: 19,
  trailerValue: 20,
  trailerLf: 21,
  bodyLf: 22,
  complete: 23,
  refused: 24,
} as const;
type State = (typeof State)[keyof typeof State];

/**
 * Finds the content of a body among its bytes: by its length, by chunks, or up to the end of the stream (RFC 9112 §6,
 * §7). Takes pieces of any size and copies nothing. Chunks are read by the letter: a line ends in CRLF, since a
 * bare LF here is what requests are smuggled with. Trailer fields are checked and dropped.
 */
export class BodyReader {
  /** Why the body is refused. */
  refusal: Refusal | undefined;
  /** Bytes of content so far. */
  received = 0;
  #state: State = State.complete;
  /** Bytes of content that are still to come, in this chunk or in all. */
  #remaining = 0;
  #digits = 0;
  /** Bytes of extensions or trailers so far. */
  #overhead = 0;
  #limit = Number.POSITIVE_INFINITY;

  get isComplete(): boolean {
    return this.#state === State.complete;
  }

  /** Bytes of content that are still to come; -1 when nobody knows. */
  get remaining(): number {
    if (this.#state === State.content) return this.#remaining;
    return this.isComplete ? 0 : -1;
  }

  /**
   * Begins a body.
   * @param limit bytes of content at most; a longer body is refused by 413
   */
  start(framing: Framing, limit = Number.POSITIVE_INFINITY): void {
    // TODO 6a: everything back to the start; then the first state: a chunk's size comes, or content of a known length, or nothing at all.
    todo(
      `6a: ${framing.contentLength} bytes or chunks, ${limit} at most, from ${State.sizeFirst} or ${State.content}`,
    );
  }

  /** Begins a body that ends with the stream, as only a response's can (RFC 9112 §6.3). */
  startUntilEnd(): void {
    // TODO 6a
    todo(`6a: from the state ${State.untilEnd}`);
  }

  /**
   * Takes the bytes from `start` to `end` that belong to the body, and gives their content to the sink.
   * @returns where the body's bytes stop: `end` while it is not complete
   */
  read(bytes: Uint8Array, start: number, end: number, sink: BodySink | undefined): number {
    // TODO 6b: content goes to the sink, as much of it as there is and belongs to the body; everything else is #readChunking's. When the body
    // is complete the sink hears of it, once. What follows the body is not ours.
    return todo(
      `6b: ${end - start} of ${bytes.length} bytes for ${sink} from ${this.#state}, ${this.#readChunking}`,
    );
  }

  /**
   * The stream has ended.
   * @returns whether the body is whole
   */
  endOfStream(sink: BodySink | undefined): boolean {
    // TODO 6c: for a body that ends with the stream this is the end. For others it depends.
    return todo(`6c: the stream ends in the state ${this.#state}, for ${sink}`);
  }

  /** Reads what stands between the chunks, one byte of it, or several of a kind. */
  #readChunking(bytes: Uint8Array, at: number, end: number): number {
    const byte = bytes[at]!;
    switch (this.#state) {
      case State.sizeFirst:
        this.#remaining = 0;
        this.#digits = 0;
        if (hexDigit(byte) === -1) this.#refuse("a chunk does not begin with its size");
        else this.#state = State.size;
        return at;

      case State.size: {
        const digit = hexDigit(byte);
        if (digit !== -1) {
          if (++this.#digits > mostSizeDigits) this.#refuse("the size of a chunk is too large");
          this.#remaining = 16 * this.#remaining + digit;
          return at + 1;
        }
        this.#readSizeEnd(byte);
        return this.#countExtension(at + 1, 1);
      }

      case State.extensionStart: // behind a semicolon
        if (byte === space || byte === tab) return this.#countExtension(at + 1, 1);
        if (tokenBytes[byte] === 0) this.#refuse("a chunk's extension has no name");
        else this.#state = State.extensionName;
        return at;

      case State.extensionName: {
        const stop = passBytes(tokenBytes, bytes, at, end);
        if (stop > at) return this.#countExtension(stop, stop - at);
        this.#state = State.extensionNameEnd;
        return at;
      }

      case State.extensionNameEnd:
      case State.extensionNamePadding:
        if (byte === space || byte === tab) this.#state = State.extensionNamePadding;
        else if (byte === equals) this.#state = State.extensionValueStart;
        else this.#readSizeEnd(byte);
        return this.#countExtension(at + 1, 1);

      case State.extensionValueStart:
        if (byte === space || byte === tab) return this.#countExtension(at + 1, 1);
        if (byte === quote) {
          this.#state = State.extensionQuoted;
          return this.#countExtension(at + 1, 1);
        }
        if (tokenBytes[byte] === 0) this.#refuse("a chunk's extension has no value");
        else this.#state = State.extensionValue;
        return at;

      case State.extensionValue: {
        const stop = passBytes(tokenBytes, bytes, at, end);
        if (stop > at) return this.#countExtension(stop, stop - at);
        this.#state = State.extensionEnd;
        return at;
      }

      case State.extensionQuoted:
        if (byte === quote) this.#state = State.extensionEnd;
        else if (byte === backslash) this.#state = State.extensionEscape;
        else if (valueBytes[byte] === 0) this.#refuse("a chunk's extension has a control character");
        return this.#countExtension(at + 1, 1);

      case State.extensionEscape:
        if (valueBytes[byte] === 0) this.#refuse("a chunk's extension has a control character");
        else this.#state = State.extensionQuoted;
        return this.#countExtension(at + 1, 1);

      case State.extensionEnd:
      case State.extensionPadding:
        this.#readSizeEnd(byte);
        return this.#countExtension(at + 1, 1);

      case State.sizeEnd:
        if (byte !== lf) this.#refuse("the line with a chunk's size does not end in CRLF");
        else if (this.#remaining === 0) {
          this.#state = State.trailerStart;
          this.#overhead = 0;
        } else {
          this.#state = State.chunkData;
          this.#overhead = Math.max(0, this.#overhead - 2 * this.#remaining);
          if (this.received + this.#remaining > this.#limit) this.#refuseLength();
        }
        return at + 1;

      case State.chunkCr:
        if (byte === cr) this.#state = State.chunkLf;
        else this.#refuse("a chunk is longer than its size");
        return at + 1;

      case State.chunkLf:
        if (byte === lf) this.#state = State.sizeFirst;
        else this.#refuse("a chunk does not end in CRLF");
        return at + 1;

      case State.trailerStart:
        if (byte === cr) {
          this.#state = State.bodyLf;
          return at + 1;
        }
        if (tokenBytes[byte] === 0) this.#refuse("a trailer field has no name");
        else this.#state = State.trailerName;
        return at;

      case State.trailerName: {
        const stop = passBytes(tokenBytes, bytes, at, end);
        if (stop > at) return this.#countTrailer(stop, stop - at);
        if (byte !== 0x3a) this.#refuse("a trailer field's name is not followed by a colon");
        else this.#state = State.trailerValue;
        return at + 1;
      }

      case State.trailerValue: {
        const stop = passBytes(valueBytes, bytes, at, end);
        if (stop > at) return this.#countTrailer(stop, stop - at);
        if (byte !== cr) this.#refuse("a trailer field has a control character or no CRLF");
        else this.#state = State.trailerLf;
        return at + 1;
      }

      case State.trailerLf:
        if (byte !== lf) this.#refuse("a trailer field does not end in CRLF");
        else this.#state = State.trailerStart;
        return at + 1;

      default: // State.bodyLf
        if (byte !== lf) this.#refuse("the body does not end in CRLF");
        else this.#state = State.complete;
        return at + 1;
    }
  }

  /**
   * What may follow a size or an extension: another extension, or the line's end. White space stands only before a
   * semicolon or an equals sign, where it is to be understood and never sent (RFC 9112 §7.1.1).
   */
  #readSizeEnd(byte: number): void {
    const isPadded = this.#state === State.extensionPadding || this.#state === State.extensionNamePadding;
    if (byte === semicolon) this.#state = State.extensionStart;
    else if (byte === cr && !isPadded) this.#state = State.sizeEnd;
    else if (byte === space || byte === tab) this.#state = State.extensionPadding;
    else this.#refuse("the size of a chunk is followed by something else than CRLF or an extension");
  }

  #countExtension(next: number, count: number): number {
    this.#overhead += count;
    if (this.#overhead > longestExtensions) this.#refuse("the extensions of chunks are too long");
    return next;
  }

  #countTrailer(next: number, count: number): number {
    this.#overhead += count;
    if (this.#overhead > longestTrailers) this.#refuse("the trailer fields are too long", 431);
    return next;
  }

  #refuse(reason: string, status = 400): void {
    this.refusal ??= { status, reason };
    this.#state = State.refused;
  }

  #refuseLength(): void {
    this.#refuse(`the body is longer than ${this.#limit} bytes`, 413);
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
