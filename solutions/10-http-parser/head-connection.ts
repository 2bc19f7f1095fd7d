import { RequestParser } from "./http/parser.ts";
import { jsonResponse } from "./json-response.ts";
import type { TcpConnection, TcpHandler } from "./network/tcp.ts";

/**
 * Answers each head on a connection by what the parser made of it. The connection ends behind a refusal, and behind a
 * request that announces a body: nobody here reads bodies, and a body must not be taken for the next request.
 */
export class HeadConnection implements TcpHandler {
  readonly #connection: TcpConnection;
  readonly #parser = new RequestParser();

  constructor(connection: TcpConnection) {
    this.#connection = connection;
    connection.handler = this;
  }

  onData(bytes: Uint8Array, length: number): void {
    const parser = this.#parser;
    for (let start = 0; start < length; ) {
      start += parser.parse(bytes, start, length);
      const { refusal } = parser;
      if (refusal === undefined && !parser.isComplete) return;
      const isLast = refusal !== undefined || isLastRequest(parser);
      const status = refusal?.status ?? 200;
      this.#answer(jsonResponse(status, refusal ?? describe(parser), isLast), isLast);
      if (isLast) return;
      parser.reset();
    }
  }

  onEnd(): void {
    this.#connection.end();
  }

  onDrain(): void {
    this.#connection.resume();
  }

  onClose(): void {}

  #answer(response: Uint8Array, isLast: boolean): void {
    const mayGoOn = this.#connection.write(response);
    if (isLast) this.#connection.endGracefully();
    else if (!mayGoOn) this.#connection.pause();
  }
}

/** Whether a body follows, or the client wants or expects the connection to end (RFC 9112 §9.3). */
function isLastRequest({ framing, minorVersion }: RequestParser): boolean {
  return framing.contentLength > 0 || framing.isChunked || framing.hasClose || minorVersion === 0;
}

/** What the parser has understood. */
function describe(parser: RequestParser): object {
  const { method, target, path, query, host, minorVersion, fields } = parser;
  const headers = Array.from({ length: fields.count }, (_, index) => [
    fields.name(index),
    fields.value(index),
  ]);
  const version = minorVersion === 0 ? "1.0" : "1.1";
  return { method, target, path, query: query ?? null, version, headers, host: host ?? null };
}
