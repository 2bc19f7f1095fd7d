import { type ByteSet, tokenBytes, valueBytes } from "./characters.ts";
import { Fields, mostFields } from "./fields.ts";

const tab = 0x09;
const lf = 0x0a;
const cr = 0x0d;
const space = 0x20;
const colon = 0x3a;

/** Bytes of a start line at most, line end included: room for a target of 8 KiB. */
const longestStartLine = 8 * 1024 + 256;
/** Bytes of all fields together at most, the empty line included. */
const longestFields = 32 * 1024;
const longestHead = longestStartLine + longestFields;
/** Bytes of a copied head for which the memory is kept from one message to the next. */
const keptCarry = 4 * 1024;

const nothing = new Uint8Array(0);

const strayCarriageReturn = "a carriage return is not followed by a line feed";

/** Why a message is not accepted: the status to answer it by, and a phrase that says what is wrong. */
export type Refusal = { status: number; reason: string };

/** What the next byte is part of. */
const State = {
  /** Before the start line. */
  begin: 0,
  /** Behind a CR before the start line, where LF has to come. */
  beginEnd: 1,
  startLine: 2,
  /** Behind a CR, where LF has to come. */
  startLineEnd: 3,
  /** At the start of a line: a field, or the empty line. */
  fieldStart: 4,
  name: 5,
  /** Between the colon and the value. */
  valueStart: 6,
  value: 7,
  valueEnd: 8,
  /** Behind the CR of the empty line. */
  headEnd: 9,
  done: 10,
  refused: 11,
} as const;
type State = (typeof State)[keyof typeof State];

/**
 * Reads the head of a message: the start line and the fields, up to the empty line (RFC 9112 §2). Takes the bytes in
 * pieces of any size, looks at each byte once, and makes nothing: a head that comes in one piece is parsed where it
 * lies, and only an unfinished one is copied, to be continued. One parser serves one message after the other.
 *
 * It is as strict as the grammar, because whatever two servers read differently is a way to smuggle a request past
 * one of them (RFC 9112 §11.2). The one thing it lets pass is a LF alone as the end of a line, as §2.2 allows.
 */
export abstract class HeadParser {
  /** Where the fields lie, once the head is complete. */
  readonly fields = new Fields();
  /** Why the message is refused; `undefined` for one that is not. */
  refusal: Refusal | undefined;
  readonly #startLineBytes: ByteSet;
  #state: State = State.begin;
  /** The head, copied, as far as it has come, and its length. Made when it is first needed, and grows with it. */
  #carry: Uint8Array = nothing;
  #carried = 0;
  /** Length of a complete head. */
  #length = 0;
  // Positions of what is being read, counted from the start of the head.
  #startLineLength = 0;
  /** How far the head may go at most: the limit of the start line, then that of the fields. */
  #limit = longestStartLine;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;

  /** @param startLineBytes what may stand in the start line */
  constructor(startLineBytes: ByteSet) {
    this.#startLineBytes = startLineBytes;
  }

  /** Whether the head has been read to its end. */
  get isComplete(): boolean {
    return this.#state === State.done;
  }

  /** Whether a message has begun and is not complete. */
  get isUnfinished(): boolean {
    return this.#state > State.beginEnd && this.#state < State.done;
  }

  /** Makes ready for the next message. */
  reset(): void {
    this.#state = State.begin;
    this.#carried = 0;
    // A connection that once sent a long head does not hold its memory for ever.
    if (this.#carry.length > keptCarry) this.#carry = nothing;
    this.#limit = longestStartLine;
    this.fields.clear();
    this.refusal = undefined;
  }

  /**
   * Takes the bytes from `start` to `end`, as many as belong to the head. Where the head is complete in
   * them, {@link fields} points into them, and is right for as long as they are.
   * @returns how many were taken: all of them while the head is unfinished
   */
  parse(bytes: Uint8Array, start: number, end: number): number {
    if (this.#state >= State.done) return 0;
    if (this.#carried === 0) {
      const stop = this.#read(bytes, start, start, end);
      if (this.isUnfinished) this.#keep(bytes, this.fields.origin, end);
      return stop - start;
    }
    const before = this.#carried;
    const taken = Math.min(end - start, longestHead - before);
    this.#keep(bytes, start, start + taken);
    return this.#read(this.#carry, 0, before, before + taken) - before;
  }

  /** Copies a complete head, so that {@link fields} stays right when the bytes that were parsed are gone. */
  retain(): void {
    const { bytes, origin } = this.fields;
    if (bytes === this.#carry) return;
    this.#keep(bytes, origin, origin + this.#length);
    this.fields.bytes = this.#carry;
    this.fields.origin = 0;
  }

  /** Reads the start line, which lies between two positions in the bytes. Refuses what it has to. */
  protected abstract readStartLine(bytes: Uint8Array, start: number, end: number): void;
  /** Looks at a field as it comes: the last one of {@link fields}. */
  protected abstract readField(index: number): void;
  /** Looks at the whole head. */
  protected abstract readEnd(): void;
  /** Refuses a start line that goes on at `end`. */
  protected abstract refuseLongStartLine(bytes: Uint8Array, start: number, end: number): void;

  protected refuse(status: number, reason: string): void {
    this.refusal ??= { status, reason };
  }

  /** Copies bytes behind those that have been kept. */
  #keep(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#carried + end - start;
    if (length > this.#carry.length) {
      const grown = new Uint8Array(Math.min(longestHead, Math.max(keptCarry, 2 * length)));
      grown.set(this.#carry.subarray(0, this.#carried));
      this.#carry = grown;
    }
    this.#carry.set(bytes.subarray(start, end), this.#carried);
    this.#carried += end - start;
  }

  /**
   * The state machine. Goes on at `from`, in the head that starts at `origin`.
   * @returns where it stopped: behind the head, or at `end`
   */
  #read(bytes: Uint8Array, origin: number, from: number, end: number): number {
    const { fields } = this;
    const startLineBytes = this.#startLineBytes;
    let state: State = this.#state;
    let stop = state <= State.beginEnd ? end : Math.min(end, origin + this.#limit);
    let i = from;
    while (i < stop && state < State.done) {
      switch (state) {
        case State.begin:
          // Empty lines before a request are left over from the message before (RFC 9112 §2.2).
          if (bytes[i] === cr || bytes[i] === lf) {
            if (bytes[i] === cr) state = State.beginEnd;
            i++;
            break;
          }
          origin = i;
          stop = Math.min(end, origin + this.#limit);
          state = State.startLine;
          break;

        case State.beginEnd:
          i++;
          if (bytes[i - 1] === lf) state = State.begin;
          else this.refuse(400, strayCarriageReturn);
          break;

        case State.startLine:
          i = passBytes(startLineBytes, bytes, i, stop);
          if (i === stop) break;
          this.#startLineLength = i - origin;
          state = State.startLineEnd;
          if (bytes[i] === cr) i++;
          else if (bytes[i] !== lf) this.refuse(400, "the first line has a byte that may not stand there");
          break;

        case State.startLineEnd:
          i++;
          if (bytes[i - 1] !== lf) {
            this.refuse(400, strayCarriageReturn);
            break;
          }
          this.readStartLine(bytes, origin, origin + this.#startLineLength);
          this.#limit = i - origin + longestFields;
          stop = Math.min(end, origin + this.#limit);
          state = State.fieldStart;
          break;

        case State.fieldStart:
          if (bytes[i] === cr) {
            i++;
            state = State.headEnd;
          } else if (bytes[i] === lf) {
            state = State.headEnd;
          } else if (bytes[i] === space || bytes[i] === tab) {
            this.refuse(400, "a field goes on in the next line, which is obsolete");
          } else {
            this.#nameStart = i - origin;
            state = State.name;
          }
          break;

        case State.name: {
          i = passBytes(tokenBytes, bytes, i, stop);
          if (i === stop) break;
          this.#nameEnd = i - origin;
          if (bytes[i] !== colon) this.refuse(400, "a field's name is not followed by a colon");
          else if (this.#nameEnd === this.#nameStart) this.refuse(400, "a field has no name");
          else state = State.valueStart;
          i++;
          break;
        }

        case State.valueStart:
          while (i < stop && (bytes[i] === space || bytes[i] === tab)) i++;
          if (i === stop) break;
          this.#valueStart = i - origin;
          state = State.value;
          break;

        case State.value: {
          i = passBytes(valueBytes, bytes, i, stop);
          if (i === stop) break;
          if (bytes[i] !== cr && bytes[i] !== lf) {
            this.refuse(400, "a field's value has a control character");
            break;
          }
          if (fields.count === mostFields) {
            this.refuse(431, `there are more than ${mostFields} fields`);
            break;
          }
          let valueEnd = i;
          const first = origin + this.#valueStart;
          while (valueEnd > first && (bytes[valueEnd - 1] === space || bytes[valueEnd - 1] === tab))
            valueEnd--;
          fields.bytes = bytes;
          fields.origin = origin;
          fields.add(this.#nameStart, this.#nameEnd, this.#valueStart, valueEnd - origin);
          this.readField(fields.count - 1);
          state = State.valueEnd;
          if (bytes[i] === cr) i++;
          break;
        }

        case State.valueEnd:
          i++;
          if (bytes[i - 1] === lf) state = State.fieldStart;
          else this.refuse(400, strayCarriageReturn);
          break;

        case State.headEnd:
          i++;
          if (bytes[i - 1] === lf) state = State.done;
          else this.refuse(400, strayCarriageReturn);
          break;
      }
      if (this.refusal !== undefined) state = State.refused;
    }
    fields.bytes = bytes;
    fields.origin = origin;
    this.#length = i - origin;
    if (state === State.done) this.readEnd();
    else if (state === State.startLine && i === origin + this.#limit)
      this.refuseLongStartLine(bytes, origin, i);
    else if (state < State.done && state > State.startLine && i === origin + this.#limit) {
      this.refuse(431, `the fields are longer than ${longestFields} bytes together`);
    }
    if (this.refusal !== undefined) state = State.refused;
    this.#state = state;
    return i;
  }
}

/**
 * Passes over the bytes that belong to a set. Most of a head's bytes go through here: four in a turn, in a function
 * of its own, take half the time of a loop within the state machine (0.9 ns a byte instead of 1.9).
 * @returns the index of the first byte that does not belong to it, or `stop`
 */
export function passBytes(set: ByteSet, bytes: Uint8Array, start: number, stop: number): number {
  let i = start;
  for (const last = stop - 3; i < last; i += 4) {
    if (set[bytes[i]!] === 0) return i;
    if (set[bytes[i + 1]!] === 0) return i + 1;
    if (set[bytes[i + 2]!] === 0) return i + 2;
    if (set[bytes[i + 3]!] === 0) return i + 3;
  }
  while (i < stop && set[bytes[i]!] === 1) i++;
  return i;
}
