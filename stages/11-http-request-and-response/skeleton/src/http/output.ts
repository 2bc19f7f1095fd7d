import type { TcpConnection } from "../network/tcp.ts";
import { putBytes, putText } from "./bytes.ts";

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
    if (length > this.#buffer.length) connection.write(bytes.subarray(start, end));
    else this.#length = putBytes(this.#buffer, this.#length, bytes, start, end);
  }

  /** Appends text for a connection, each character as one byte. */
  writeText(connection: TcpConnection, text: string): void {
    if (text.length > this.#buffer.length) {
      this.write(connection, Buffer.from(text, "latin1"));
      return;
    }
    this.#reserve(connection, text.length);
    this.#length = putText(this.#buffer, this.#length, text);
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
