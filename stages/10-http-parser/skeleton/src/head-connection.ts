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
    // TODO 1g: parse; when the head is complete or refused, answer. There may be more heads in the same bytes: reset, and go on
    // behind what was taken. After the last answer nothing more is read.
    todo(
      `1g: ${bytes[0]} ${length} ${this.#parser} ${jsonResponse} ${[isLastRequest, describe]} ${this.#answer}`,
    );
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

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
