import type { TcpConnection } from "../network/tcp.ts";
import { type Fields, latin1 } from "./fields.ts";
import type { Output } from "./output.ts";

/** Whatever could end a line, or the head, early (RFC 9110 §5.5). */
const forbidden = /[^\t\x20-\x7e\x80-\xff]/;

const nothing = new Uint8Array(0);

/**
 * Header fields that are to be sent, in order. One object serves one message after the other. Those of a received head are only
 * pointed at, until somebody asks for a name or a value: a proxy's fields pass through without becoming strings.
 */
export class ResponseFields {
  /** How many there are. */
  count = 0;
  /** `undefined` for one that is pointed at and that nobody has asked for. */
  readonly #names: (string | undefined)[] = [];
  readonly #values: (string | undefined)[] = [];
  /** For each field its name's start and end and its value's start and end in {@link #received}, or -1 for one that was set as text. */
  readonly #positions: number[] = [];
  #received: Uint8Array = nothing;

  name(index: number): string {
    const at = 4 * index;
    this.#names[index] ??= this.#text(this.#positions[at]!, this.#positions[at + 1]!);
    return this.#names[index];
  }

  value(index: number): string {
    const at = 4 * index;
    this.#values[index] ??= this.#text(this.#positions[at + 2]!, this.#positions[at + 3]!);
    return this.#values[index];
  }

  /**
   * Adds a field, whether or not there is one of this name.
   * @throws {TypeError} the value has a control character, or one beyond Latin-1
   */
  add(name: string, value: string): void {
    if (forbidden.test(value))
      throw new TypeError(`the value of ${name} has a character that no field may have`);
    this.#names[this.count] = name;
    this.#values[this.count] = value;
    this.#positions[4 * this.count] = -1;
    this.count++;
  }

  /**
   * Adds a field of a received head, of which there is one at most for a message. Its bytes have to stay what they are until the
   * fields are written or {@link clear}ed. After that, whatever nobody has asked for before is empty.
   */
  addReceived(fields: Fields, index: number): void {
    const at = 4 * this.count;
    const nameStart = fields.nameStart(index);
    this.#received = fields.bytes;
    this.#positions[at] = nameStart;
    this.#positions[at + 1] = nameStart + fields.nameLength(index);
    this.#positions[at + 2] = fields.valueStart(index);
    this.#positions[at + 3] = fields.valueEnd(index);
    this.#names[this.count] = undefined;
    this.#values[this.count] = undefined;
    this.count++;
  }

  /** Adds a field in the place of all that have this name. */
  set(name: string, value: string): void {
    this.delete(name);
    this.add(name, value);
  }

  /** The value of the first field with this name, in any case; `undefined` where there is none. */
  get(name: string): string | undefined {
    const index = this.#indexOf(name, 0);
    return index === -1 ? undefined : this.value(index);
  }

  delete(name: string): void {
    for (let index = this.#indexOf(name, 0); index !== -1; index = this.#indexOf(name, index)) {
      this.#names.splice(index, 1);
      this.#values.splice(index, 1);
      this.#positions.splice(4 * index, 4);
      this.count--;
    }
  }

  clear(): void {
    this.count = 0;
    this.#received = nothing;
  }

  /** Writes all of them, each with its line end. */
  writeTo(output: Output, connection: TcpConnection): void {
    const [positions, received] = [this.#positions, this.#received];
    for (let index = 0, at = 0; index < this.count; index++, at += 4) {
      if (positions[at] === -1) {
        output.writeText(connection, this.#names[index]!);
        output.writeText(connection, ": ");
        output.writeText(connection, this.#values[index]!);
      } else {
        output.write(connection, received, positions[at]!, positions[at + 1]!);
        output.writeText(connection, ": ");
        output.write(connection, received, positions[at + 2]!, positions[at + 3]!);
      }
      output.writeText(connection, "\r\n");
    }
    this.#received = nothing;
  }

  #text(start: number, end: number): string {
    return this.#received === nothing ? "" : latin1(this.#received, start, end);
  }

  #indexOf(name: string, from: number): number {
    const wanted = name.toLowerCase();
    for (let index = from; index < this.count; index++) {
      if (this.#nameLength(index) === wanted.length && this.name(index).toLowerCase() === wanted)
        return index;
    }
    return -1;
  }

  #nameLength(index: number): number {
    const at = 4 * index;
    const start = this.#positions[at]!;
    return start === -1 ? this.#names[index]!.length : this.#positions[at + 1]! - start;
  }
}
