import { Request } from "./http/request.ts";
import { type ContentHandler, Response, type ResponseListener } from "./http/response.ts";
import type { TcpConnection, TcpHandler } from "./network/tcp.ts";

/** One request and its response; then the connection ends. */
export class SingleRequest implements TcpHandler, ResponseListener {
  readonly #connection: TcpConnection;
  readonly #request: Request;
  readonly #response: Response;
  readonly #content: ContentHandler;

  /** @param content answers the request */
  constructor(connection: TcpConnection, content: ContentHandler) {
    this.#connection = connection;
    this.#request = new Request(connection);
    this.#response = new Response(this.#request, this);
    this.#content = content;
    connection.handler = this;
  }

  onData(bytes: Uint8Array, length: number): void {
    // TODO 6: feed the parser until the head is complete or refused, then answer: a refusal by its status, a request by the content
    // handler. Nothing that comes after that is looked at.
    todo(`6: ${length} of ${bytes.length} bytes, for ${this.#content}`);
  }

  onEnd(): void {
    // TODO 6: a client that ends before its request is complete gets no answer.
    todo("6: the client has ended");
  }

  onDrain(): void {
    this.#response.drained();
  }

  onResponseEnd(): void {
    // TODO 6: one request per connection, and no byte of the answer may be lost.
    todo(`6: end ${this.#connection.peer.host}`);
  }

  onClose(): void {
    if (!this.#response.isEnded) this.#response.clientGone();
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
