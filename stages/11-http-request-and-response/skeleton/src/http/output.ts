import type { TcpConnection } from "../network/tcp.ts";

/** Characters up to which a loop is faster than `Buffer.write`, and bytes up to which it is faster than `set`. */
const shortText = 64;
const shortCopy = 48;

/**
 * Where the heads of responses are written, and bodies that are small enough to leave in the same `send`. One for all
 * connections, since one answers at a time: whoever comes next sends what the one before has left.
 */
export class Output {
  readonly #buffer = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;
  #owner: TcpConnection | undefined;

  /** Appends bytes for a connection. */
  write(connection: TcpConnection, bytes: Uint8Array, start = 0, end = bytes.length): void {
    const length = end - start;
    this.#reserve(connection, length);
    const isWhole = start === 0 && end === bytes.length;
    const buffer = this.#buffer;
    if (length > buffer.length) {
      connection.write(isWhole ? bytes : bytes.subarray(start, end));
      return;
    }
    const at = this.#length;
    if (length > shortCopy) buffer.set(isWhole ? bytes : bytes.subarray(start, end), at);
    else for (let i = 0; i < length; i++) buffer[at + i] = bytes[start + i]!;
    this.#length = at + length;
  }

  /** Appends text for a connection, each character as one byte. */
  writeText(connection: TcpConnection, text: string): void {
    const { length } = text;
    if (length > this.#buffer.length) {
      this.write(connection, Buffer.from(text, "latin1"));
      return;
    }
    this.#reserve(connection, length);
    const buffer = this.#buffer;
    const at = this.#length;
    if (length > shortText) buffer.write(text, at, "latin1");
    else for (let i = 0; i < length; i++) buffer[at + i] = text.charCodeAt(i);
    this.#length = at + length;
  }

  /** Hands everything over to its connection. Returns false when that one should not be given more for now. */
  flush(): boolean {
    const owner = this.#owner;
    if (owner === undefined) return true;
    const length = this.#length;
    this.#owner = undefined;
    this.#length = 0;
    return owner.write(this.#buffer, length);
  }

  #reserve(connection: TcpConnection, length: number): void {
    if (this.#owner !== connection || this.#length + length > this.#buffer.length) this.flush();
    this.#owner = length > this.#buffer.length ? undefined : connection;
  }
}

/** The process's one output buffer. */
export const output = new Output();
