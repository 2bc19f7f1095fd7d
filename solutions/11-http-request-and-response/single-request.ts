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
    const { head } = this.#request;
    if (head.isComplete || head.refusal !== undefined) return; // what follows the request is no matter of ours
    head.parse(bytes, 0, length);
    if (!head.isComplete && head.refusal === undefined) return;
    const refusal = this.#request.prepare();
    if (refusal !== undefined) this.#response.sendError(refusal.status, refusal.reason);
    else this.#content(this.#request, this.#response);
  }

  onEnd(): void {
    if (!this.#response.isSent) this.#connection.end();
  }

  onDrain(): void {
    this.#response.drained();
  }

  onResponseEnd(): void {
    this.#connection.endGracefully();
  }

  onClose(): void {
    if (!this.#response.isEnded) this.#response.clientGone();
  }
}
