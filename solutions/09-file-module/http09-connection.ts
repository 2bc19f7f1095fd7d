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
    this.#request = Buffer.concat([this.#request, bytes.subarray(0, length)]);
    if (this.#request.includes(newline) || this.#request.length > longestRequest) this.#answer();
  }

  onEnd(): void {
    this.#answer();
  }

  onDrain(): void {}

  onClose(): void {}

  #answer(): void {
    const path = requestedPath(this.#request.toString("utf8", 0, longestRequest));
    this.#request = Buffer.alloc(0); // a large file may be on its way for hours
    const file = path === undefined ? -1 : this.#root.open(path);
    if (typeof file !== "number") this.#connection.sendFile(file, 0, file.size);
    // The rest of what the client sends is dropped: closing with bytes unread would cut the answer short.
    this.#connection.endGracefully();
  }
}

/** The path of a request line: from its slash to the first space or the line's end. */
function requestedPath(request: string): string | undefined {
  return /^GET (\/[^ \r\n]*)/.exec(request)?.[1];
}
