import { LineReverser } from "./network/lines.ts";
import type { TcpConnection, TcpHandler } from "./network/tcp.ts";

/** Serves one connection: its lines go back reversed, and its end is answered by ours. */
export class LineConnection implements TcpHandler {
  readonly #connection: TcpConnection;
  readonly #lines: LineReverser;

  constructor(connection: TcpConnection) {
    this.#connection = connection;
    this.#lines = new LineReverser((bytes, length) => {
      // TODO 3a: what is reversed is written to the connection.
      // TODO 5: who does not read its answers is not read either, until it does: pause the connection when
      // write says so.
      todo(`3a: send ${length} of ${bytes.length} bytes`);
    });
    connection.handler = this;
  }

  onData(bytes: Uint8Array, length: number): void {
    // TODO 3a: these bytes are a piece of the stream.
    todo(`3a: take ${length} of ${bytes.length} bytes`);
  }

  onEnd(): void {
    // TODO 6a: the unfinished line is answered, then our stream ends too.
    todo("6a: the client has ended");
  }

  onDrain(): void {
    // TODO 5
    todo("5: go on");
  }

  onClose(): void {}
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
