import { LineReverser } from "./network/lines.ts";
import type { TcpConnection, TcpHandler } from "./network/tcp.ts";

/** Serves one connection: its lines go back reversed, and its end is answered by ours. */
export class LineConnection implements TcpHandler {
  readonly #connection: TcpConnection;
  readonly #lines: LineReverser;

  constructor(connection: TcpConnection) {
    this.#connection = connection;
    this.#lines = new LineReverser((bytes, length) => {
      // Who does not read its answers is not read either, until it does.
      if (!connection.write(bytes, length)) connection.pause();
    });
    connection.handler = this;
  }

  onData(bytes: Uint8Array, length: number): void {
    this.#lines.push(bytes, length);
  }

  onEnd(): void {
    this.#lines.end();
    this.#connection.end();
  }

  onDrain(): void {
    this.#connection.resume();
  }

  onClose(): void {}
}
