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
    this.dropBody();
    this.#parts = parts;
    this.#contentLength = contentLength;
    this.#contentFields = contentFields;
  }

  /** Sets a text as the body, with its type. */
  setText(text: string, contentType: string): void {
    const bytes = Buffer.from(text);
    this.setBody([{ bytes, file: undefined, start: 0, end: bytes.length }], bytes.length);
    this.fields.set("Content-Type", contentType);
  }

  /**
   * Lets the body be written piece by piece.
   * @param contentLength its bytes, or -1 when that is not known
   */
  stream(writer: BodyWriter, contentLength = -1): void {
    this.dropBody();
    this.#isStream = true;
    this.writer = writer;
    this.#contentLength = contentLength;
  }

  /** Gives up the body that was set. */
  dropBody(): void {
    for (const part of this.#parts) part.file?.release();
    this.#parts = noParts;
    this.#contentLength = 0;
    this.#contentFields = undefined;
    this.#isStream = false;
  }

  /** Gives up everything that was set, to answer something else. */
  clear(): void {
    this.dropBody();
    this.status = 200;
    this.contentType = "";
    this.fields.clear();
    this.prepared = undefined;
    this.validators = undefined;
  }

  /** Sends the head, and the body where it lies ready. */
  send(): void {
    for (const filter of this.filters) filter(this.#request, this);
    this.#chooseDelimiter();
    this.#writeHead();
    if (this.#isStream) {
      this.#state = "streaming";
      if (!this.isCorked) output.flush();
      if (this.#delimiter === "none") this.writer!.onDrain(); // nobody waits for bytes that are not sent
      return;
    }
    this.#state = "ended";
    this.#writeParts();
    if (!this.isCorked) output.flush();
    this.#listener.onResponseEnd();
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
    this.prepared = undefined;
    this.validators = undefined;
    this.status = status;
    this.setText(errorPage(status, reason), "text/html; charset=utf-8");
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
    const length = end - start;
    if (this.#state !== "streaming" || length === 0 || this.#delimiter === "none") return true;
    if (this.#delimiter === "length") {
      this.#remaining -= length;
      if (this.#remaining < 0) {
        this.abort();
        return true;
      }
    }
    const isLarge = length > largePiece;
    if (this.#delimiter !== "chunked" && (!this.isCorked || isLarge)) {
      if (isLarge) output.flush(); // what stands before it, such as the head
      return this.connection.write(start === 0 ? bytes : bytes.subarray(start, end), length);
    }
    if (this.#delimiter === "chunked") output.writeText(this.connection, `${length.toString(16)}\r\n`);
    output.write(this.connection, bytes, start, end);
    if (this.#delimiter === "chunked") output.write(this.connection, lineEnd);
    return this.isCorked ? this.connection.isWritable : output.flush();
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
    if (isBodiless(this.status) || this.#request.isHead) {
      this.#delimiter = "none";
    } else if (this.#contentLength >= 0) {
      this.#delimiter = "length";
      this.#remaining = this.#contentLength;
    } else if (this.#request.head.minorVersion > 0) {
      this.#delimiter = "chunked";
    } else {
      this.#delimiter = "close";
      this.persists = false;
    }
  }

  #writeHead(): void {
    const { connection, fields } = this;
    output.write(connection, headStart(this.status));
    if (this.prepared !== undefined) output.write(connection, this.prepared);
    fields.writeTo(output, connection);
    // An answer to HEAD tells the length that GET would have; 204 and 304 have none to tell (RFC 9110 §8.6).
    if (this.#contentFields !== undefined) {
      output.write(connection, this.#contentFields);
    } else if (this.#contentLength >= 0 && !isBodiless(this.status)) {
      output.writeText(connection, `Content-Length: ${this.#contentLength}\r\n`);
    } else if (this.#delimiter === "chunked") {
      output.write(connection, chunkedField);
    }
    if (this.status !== 101) {
      if (!this.persists) output.write(connection, closeField);
      else if (this.#request.head.minorVersion === 0) output.write(connection, keepAliveField);
    }
    output.write(connection, lineEnd);
  }

  #writeParts(): void {
    if (this.#delimiter === "none") {
      this.dropBody();
      return;
    }
    for (const part of this.#parts) {
      if (part.bytes !== undefined) {
        output.write(this.connection, part.bytes, part.start, part.end);
      } else {
        output.flush();
        this.connection.sendFile(part.file, part.start, part.end - part.start);
      }
    }
    this.#parts = noParts;
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
  const second = Math.floor(Date.now() / 1000);
  let start = headStarts[status];
  if (start === undefined) {
    const text = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${serverField}Date: ${formatDate(second)}\r\n`;
    start = { bytes: Buffer.from(text, "latin1"), second };
    headStarts[status] = start;
  } else if (start.second !== second) {
    start.second = second;
    start.bytes.write(formatDate(second), start.bytes.length - lineEnd.length - dateLength, "latin1");
  }
  return start.bytes;
}

/** A page for people who look at an error in a browser. */
function errorPage(status: number, reason: string | undefined): string {
  const title = `${status} ${reasonPhrase(status)}`;
  const sentence = reason === undefined ? "" : `\n<p>${escapeHtml(reason)}</p>`;
  return `<!DOCTYPE html>\n<html lang="en">\n<title>${title}</title>\n<h1>${title}</h1>${sentence}\n</html>\n`;
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
  return text.replace(/[&<>"']/g, (character) => htmlEscapes[character]!);
}
