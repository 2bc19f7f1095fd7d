import { lowerCase } from "./characters.ts";

/** Fields that a message may have at most. */
export const mostFields = 100;

/** A name in lower case as bytes, to be compared with received ones. Made once for each name that the server knows. */
export class FieldName {
  readonly text: string;
  readonly bytes: Uint8Array;
  /** Its bit in the mask of {@link Fields}. */
  readonly bit: number;

  /** @param text in lower case */
  constructor(text: string) {
    this.text = text;
    this.bytes = Buffer.from(text, "latin1");
    this.bit = bitOf(this.bytes[0]!, this.bytes.length);
  }

  /** Whether the bytes from `start` to `end` are this name, in any case. */
  matches(bytes: Uint8Array, start: number, end: number): boolean {
    const name = this.bytes;
    if (end - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if (lowerCase[bytes[start + i]!] !== name[i]) return false;
    }
    return true;
  }
}

/** One of 32 bits for a name, by its first letter in any case and its length. */
function bitOf(firstByte: number, length: number): number {
  return 1 << ((firstByte ^ (length << 2)) & 31);
}

/**
 * The header fields of a message: where names and values lie in its bytes. Nothing is copied and no string is made
 * until somebody asks for one. Positions count from the start of the head, so that its bytes can move.
 */
export class Fields {
  #count = 0;
  /** The bytes that hold the head, … */
  bytes: Uint8Array = new Uint8Array(0);
  /** … and where in them it starts. */
  origin = 0;
  /** The bits of the names that there are. Most questions are for fields that are not, and are answered by this. */
  #bits = 0;
  /** Four numbers for each field: start and end of the name, start and end of the value. */
  readonly #positions = new Uint16Array(4 * mostFields);

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
    this.#bits = 0;
  }

  /** Adds a field by its positions. {@link bytes} and {@link origin} are those of its head. */
  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const at = 4 * this.#count++;
    this.#bits |= bitOf(this.bytes[this.origin + nameStart]!, nameEnd - nameStart);
    this.#positions[at] = nameStart;
    this.#positions[at + 1] = nameEnd;
    this.#positions[at + 2] = valueStart;
    this.#positions[at + 3] = valueEnd;
  }

  /** The name as it was sent. */
  name(index: number): string {
    return this.#text(4 * index);
  }

  /** Where the name lies in {@link bytes}. */
  nameStart(index: number): number {
    return this.origin + this.#positions[4 * index]!;
  }

  /** Bytes of the name. */
  nameLength(index: number): number {
    return this.#positions[4 * index + 1]! - this.#positions[4 * index]!;
  }

  /** The value without the white space around it, each byte as one character (Latin-1). */
  value(index: number): string {
    return this.#text(4 * index + 2);
  }

  /** Where the value lies in {@link bytes}. */
  valueStart(index: number): number {
    return this.origin + this.#positions[4 * index + 2]!;
  }

  /** Where the value ends in {@link bytes}. */
  valueEnd(index: number): number {
    return this.origin + this.#positions[4 * index + 3]!;
  }

  /** Whether the field has this name. */
  isNamed(index: number, name: FieldName): boolean {
    const at = 4 * index;
    return name.matches(
      this.bytes,
      this.origin + this.#positions[at]!,
      this.origin + this.#positions[at + 1]!,
    );
  }

  /** The index of the first field with this name from `from` on, or -1. */
  indexOf(name: FieldName, from = 0): number {
    if ((this.#bits & name.bit) === 0) return -1;
    for (let index = from; index < this.#count; index++) {
      if (this.isNamed(index, name)) return index;
    }
    return -1;
  }

  /** The value of a field, or `undefined`; several of the same name are one list (RFC 9110 §5.3). */
  get(name: FieldName): string | undefined {
    const first = this.indexOf(name);
    if (first === -1) return undefined;
    let value = this.value(first);
    for (let next = this.indexOf(name, first + 1); next !== -1; next = this.indexOf(name, next + 1)) {
      value += `, ${this.value(next)}`;
    }
    return value;
  }

  #text(at: number): string {
    const start = this.origin + this.#positions[at]!;
    const end = this.origin + this.#positions[at + 1]!;
    return latin1(this.bytes, start, end);
  }
}

/** Bytes as text, one character each. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, end);
}
