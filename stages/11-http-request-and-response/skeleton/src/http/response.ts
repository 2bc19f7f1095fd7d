import type { SharedFile } from "../disk/open-file-cache.ts";
import type { TcpConnection } from "../network/tcp.ts";
import { dateLength, formatDate } from "./date.ts";
import { output } from "./output.ts";
import type { Request } from "./request.ts";
import { ResponseFields } from "./response-fields.ts";
import { isBodiless, reasonPhrase } from "./status.ts";

/** A part of a body: bytes in memory, or a part of a file, from `start` to `end`. */
export type BodyPart =
  | { readonly bytes: Uint8Array; readonly file: undefined; readonly start: number; readonly end: number }
  | { readonly bytes: undefined; readonly file: SharedFile; readonly start: number; readonly end: number };

/** Answers a request: at once, or later by way of the response. */
export type ContentHandler = (request: Request, response: Response) => void;

/** Changes a response before its head is sent. */
export type ResponseFilter = (request: Request, response: Response) => void;

/** What a conditional request is compared with (RFC 9110 §8.8), and what ranges are cut from. */
export type Validators = {
  /** With its quotes, and `W/` where it is weak. */
  readonly etag: string;
  /** Seconds since 1970. */
  readonly modifiedAt: number;
};

/** Who is told how a response fares. */
export interface ResponseListener {
  /** The last byte was handed over. Called once for each response. */
  onResponseEnd(): void;
}

/** Who writes a body piece by piece. */
export interface BodyWriter {
  /** After a write that returned false: there is room again. */
  onDrain(): void;
  /** The client is gone; nothing more can be sent. */
  onClientGone(): void;
}

/** How the end of the body is told to the client (RFC 9112 §6). */
type Delimiter = "none" | "length" | "chunked" | "close";

/** Bytes that are not worth being copied to leave in the same `send` as what stands before them. */
const largePiece = 16 * 1024;

const noParts: readonly BodyPart[] = [];
const lineEnd = Buffer.from("\r\n");
const closeField = Buffer.from("Connection: close\r\n");
const keepAliveField = Buffer.from("Connection: keep-alive\r\n");
const chunkedField = Buffer.from("Transfer-Encoding: chunked\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

/**
 * The answer to a request. A handler sets status, fields and body and calls {@link send}; or it calls `send` with
 * {@link stream} and then {@link write} and {@link end}. Where a body ends is always told: by its length, by chunks, or, to a client of
 * HTTP/1.0, by the end of the connection.
 */
export class Response {
  readonly connection: TcpConnection;
  status = 200;
  /** What is sent besides the fields that the response makes itself: Server, Date, Content-Length, Transfer-Encoding, Connection. */
  readonly fields = new ResponseFields();
  /** More fields, rendered before, each with its line end. */
  prepared: Uint8Array | undefined;
  /** The type of the body, where filters have to know it. */
  contentType = "";
  /** Set where the content has them; filters such as ranges act on nothing else. */
  validators: Validators | undefined;
  /** Whether the connection goes on after this response. */
  persists = false;
  /** What changes the response before it is sent, in this order. */
  filters: readonly ResponseFilter[] = [];
  /** Who is told how the client fares; set by whoever answers later. */
  writer: BodyWriter | undefined;
  /** More follows at once, and all leaves together: whoever sets it flushes the output after. */
  isCorked = false;
  readonly #request: Request;
  readonly #listener: ResponseListener;
  #parts: readonly BodyPart[] = noParts;
  #contentLength = 0;
  /** Content-Length and Content-Type of this body, where somebody has rendered them before. */
  #contentFields: Uint8Array | undefined;
  #isStream = false;
  #delimiter: Delimiter = "none";
  /** Bytes of the announced length that have not been written yet. */
  #remaining = 0;
  #state: "open" | "streaming" | "ended" = "open";

  constructor(request: Request, listener: ResponseListener) {
    this.connection = request.connection;
    this.#request = request;
    this.#listener = listener;
  }

  /** Whether the head is on its way. Nothing can be changed then. */
  get isSent(): boolean {
    return this.#state !== "open";
  }

  get isEnded(): boolean {
    return this.#state === "ended";
  }

  /** Bytes of the body; -1 where nobody knows yet. */
  get contentLength(): number {
    return this.#contentLength;
  }

  /** The parts of a body that lies ready; none for one that is streamed. */
  get parts(): readonly BodyPart[] {
    return this.#parts;
  }

  /**
   * Sets a body that lies ready. The files in it are released when they are sent, or not needed.
   * @param contentFields Content-Length and Content-Type of this body, rendered with their line ends: sent in the place of a
   * Content-Length that the response makes
   */
  setBody(parts: readonly BodyPart[], contentLength: number, contentFields?: Uint8Array): void {
    // TODO 4a: what was set before is given up, then these are kept.
    todo(
      `4a: ${parts.length} parts of ${contentLength} bytes, with ${contentFields?.length} bytes of fields`,
    );
  }

  /** Sets a text as the body, with its type. */
  setText(text: string, contentType: string): void {
    // TODO 4a: one part, and the field Content-Type.
    todo(`4a: ${text} as ${contentType}`);
  }

  /**
   * Lets the body be written piece by piece.
   * @param contentLength its bytes, or -1 when that is not known
   */
  stream(writer: BodyWriter, contentLength = -1): void {
    // TODO 4f: remember who writes, and how much it will be.
    todo(`4f: ${contentLength} bytes will be written, with room told to ${writer.onDrain.name}`);
  }

  /** Gives up the body that was set. */
  dropBody(): void {
    // TODO 4a: release the files of the parts that have any, and forget parts, length and rendered fields.
    todo("4a: give up the body");
  }

  /** Gives up everything that was set, to answer something else. */
  clear(): void {
    // TODO 4a: everything that a handler can set, back to what it was at the start.
    todo("4a: give up status, fields, validators and body");
  }

  /** Sends the head, and the body where it lies ready. */
  send(): void {
    // TODO 4f: a body that is shorter than announced is cut. Chunks end with the last chunk. Then the listener is told.
    todo(`4f: end, by ${lastChunk.length} bytes where there are chunks`);
  }

  /**
   * Sends a response before the response: 100 or another of 1xx (RFC 9110 §15.2). Clients of HTTP/1.0 know none of them and
   * get nothing.
   * @param fields what it has besides the status
   */
  sendInterim(status: number, fields?: ResponseFields): void {
    const { connection } = this;
    if (this.isSent || this.#request.head.minorVersion === 0) return;
    output.writeText(connection, `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`);
    fields?.writeTo(output, connection);
    output.write(connection, lineEnd);
    output.flush();
  }

  /** Makes it a short page about an error. Fields that were set are kept. */
  setError(status: number, reason?: string): void {
    // TODO 4d: status and page. Fields that were set stay, such as Allow; validators and rendered fields belonged to the content.
    todo(`4d: ${errorPage(status, reason)}`);
  }

  /** Answers with a short page about an error. */
  sendError(status: number, reason?: string): void {
    this.setError(status, reason);
    this.send();
  }

  /**
   * Sends a piece of a streamed body.
   * @returns false when so much waits that the writer should pause until `onDrain`
   */
  write(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
    // TODO 4f: in chunks: size in hexadecimal, CRLF, the bytes, CRLF. With a length: count, and abort when it becomes too much. What is
    // small goes through the output, in one piece with its framing.
    return todo(
      `4f: ${end - start} of ${bytes.length} bytes, ${this.#remaining} remaining, ${largePiece} large`,
    );
  }

  /** Ends a streamed body. One that is shorter than announced is cut, so that nobody takes it for the whole. */
  end(): void {
    if (this.#state !== "streaming") return;
    if (this.#delimiter === "length" && this.#remaining > 0) {
      this.abort();
      return;
    }
    this.#state = "ended";
    if (this.#delimiter === "chunked") {
      output.write(this.connection, lastChunk);
      if (!this.isCorked) output.flush();
    }
    this.#listener.onResponseEnd();
  }

  /** Breaks the connection, so that the client does not take what it got for the whole. */
  abort(): void {
    this.#state = "ended";
    output.flush();
    this.connection.abort();
  }

  /** The connection has room again. */
  drained(): void {
    if (this.#state === "streaming") this.writer!.onDrain();
  }

  /** The connection is closed. */
  clientGone(): void {
    this.dropBody();
    this.#state = "ended";
    this.abandon();
  }

  /** Whoever was going to answer need not any more. */
  abandon(): void {
    const writer = this.writer;
    this.writer = undefined;
    writer?.onClientGone();
  }

  /** Makes ready for the next request. */
  reset(): void {
    this.clear();
    this.writer = undefined;
    this.persists = false;
    this.#state = "open";
  }

  #chooseDelimiter(): void {
    // TODO 4b: some responses have no body, whatever was set: HEAD's, and those of some statuses. Else the length tells its end. Where
    // nobody knows the length: chunks, or for HTTP/1.0, which has none, the end of the connection.
    todo(
      `4b: ${isBodiless(this.status)} ${this.#contentLength} ${this.#request.head.minorVersion} ${this.#delimiter}`,
    );
  }

  #writeHead(): void {
    // TODO 4c: headStart, what was rendered before, each of the fields, then what tells where the body ends, Connection where it
    // is not what the version says by itself, and an empty line. Content-Length: never with 204 and 304, but with HEAD.
    todo(`4c: ${this.prepared} ${this.#contentFields} ${closeField} ${keepAliveField} ${chunkedField}`);
  }

  #writeParts(): void {
    // TODO 4e: bytes go through the output, behind the head. Before a file is sent, the output is flushed: it would come too late else.
    todo(`4e: ${this.#parts.length} parts through ${output} with ${lineEnd.length}`);
  }
}

/** By status: the status line, Server and Date, as they are in this second. */
const headStarts: { bytes: Buffer; second: number }[] = [];

let serverField = "Server: eXpServer\r\n";

/** Sets what the Server field of all responses says (RFC 9110 §10.2.4). */
export function nameServer(name: string): void {
  serverField = `Server: ${name}\r\n`;
  headStarts.length = 0;
}

/** The status line and the fields that every response has. The date in it is written anew once a second. */
function headStart(status: number): Uint8Array {
  // TODO 4c: `HTTP/1.1`, status and phrase, Server and Date. Made once for each status, and written anew only when the second is
  // another one: a server makes it a hundred thousand times a second.
  return todo(
    `4c: ${status} ${reasonPhrase(status)} ${serverField} ${formatDate(0)} ${dateLength} ${headStarts.length}`,
  );
}

/** A page for people who look at an error in a browser. */
function errorPage(status: number, reason: string | undefined): string {
  // TODO 4d: a small valid page: status and phrase as title and heading, the reason as a paragraph.
  return todo(`4d: ${status} ${reason} ${reasonPhrase(status)}`);
}

const htmlEscapes: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text as it has to stand in HTML. */
export function escapeHtml(text: string): string {
  // TODO 4d: & < > " and ' each become an entity.
  return todo(`4d: ${text}, with ${Object.keys(htmlEscapes).length} entities`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
