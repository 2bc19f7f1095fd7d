import { putBytes, putText } from "./bytes.ts";
import type { Fields } from "./fields.ts";

const colon = 0x3a;
const space = 0x20;
const cr = 0x0d;
const lf = 0x0a;

/** Memory that is kept from one head to the next. */
const keptBytes = 64 * 1024;

/** Writes the head of a message. One object serves one head after the other, and grows with the longest. */
export class HeadWriter {
  #buffer = Buffer.allocUnsafeSlow(keptBytes);
  #length = 0;

  /** The head, in the first {@link length} bytes. */
  get bytes(): Uint8Array {
    return this.#buffer;
  }

  get length(): number {
    return this.#length;
  }

  /** Begins with a head. */
  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > keptBytes) this.#buffer = Buffer.allocUnsafeSlow(keptBytes);
  }

  /** Appends text, each character as one byte (Latin-1). */
  text(text: string): void {
    this.#reserve(text.length);
    this.#length = putText(this.#buffer, this.#length, text);
  }

  /** Appends the bytes from `start` to `end`. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    this.#length = putBytes(this.#buffer, this.#length, bytes, start, end);
  }

  /** Appends a field of another head, with its line end. */
  field(fields: Fields, index: number): void {
    const { bytes } = fields;
    const nameStart = fields.nameStart(index);
    this.copy(bytes, nameStart, nameStart + fields.nameLength(index));
    this.#pair(colon, space);
    this.copy(bytes, fields.valueStart(index), fields.valueEnd(index));
    this.#pair(cr, lf);
  }

  #pair(one: number, other: number): void {
    this.#reserve(2);
    this.#buffer[this.#length++] = one;
    this.#buffer[this.#length++] = other;
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(2 * needed);
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
