import type { FileRoot } from "./disk/file.ts";
import type { TcpConnection, TcpHandler } from "./network/tcp.ts";

const newline = 0x0a;
/** Bytes of the request line that are looked at; no path of a file is longer (`PATH_MAX` is 4,096). */
const longestRequest = 8192;

/**
 * One HTTP/0.9 request: `GET /path`, answered by the file's bytes and the end of the stream. There is no status: what
 * cannot be served is answered by the end alone. What a later HTTP would send behind the path is ignored.
 */
export class Http09Connection implements TcpHandler {
  readonly #connection: TcpConnection;
  readonly #root: FileRoot;
  /** The request line as far as it has come. */
  #request = Buffer.alloc(0);

  constructor(connection: TcpConnection, root: FileRoot) {
    this.#connection = connection;
    this.#root = root;
    connection.handler = this;
  }

  onData(bytes: Uint8Array, length: number): void {
    // TODO 3a: keep the bytes until there is a line end among them, or too many; then answer.
    todo(
      `3a: ${length} of ${bytes.length} bytes, behind ${this.#request.length}, up to the byte ${newline} or ${longestRequest} bytes`,
    );
  }

  onEnd(): void {
    // TODO 3a: the line may end with the stream.
    todo("3a: the client has ended");
  }

  onDrain(): void {}

  onClose(): void {}

  #answer(): void {
    // TODO 3b: open what the request line names; its bytes are not needed any more then. A file is sent, from 0 to its size;
    // then, file or not, the connection ends, without a reset that would destroy the answer.
    todo(
      `3b: answer ${requestedPath(this.#request.toString("utf8"))} from ${this.#root} on ${this.#connection.peer.host}`,
    );
  }
}

/** The path of a request line: from its slash to the first space or the line's end. */
function requestedPath(request: string): string | undefined {
  // TODO 3b: GET, a space, and the path.
  return todo(`3b: the path in ${request}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
