import { valueBytes } from "./characters.ts";
import { latin1 } from "./fields.ts";
import { Framing } from "./framing.ts";
import { HeadParser } from "./head-parser.ts";

const space = 0x20;
/** `HTTP/1.1 200` */
const shortestStatusLine = 12;

/** How the end of a response's body is known (RFC 9112 §6.3). */
export type ResponseBody = "none" | "framed" | "until end";

/**
 * Reads the head of a response, which an upstream sent (RFC 9112 §4). As strict as the parser of requests: what is refused here is
 * answered by 502, and nobody behind us has to guess.
 */
export class ResponseParser extends HeadParser {
  status = 0;
  reason = "";
  /** 0 for HTTP/1.0, 1 for HTTP/1.1 and all later ones of HTTP/1. */
  minorVersion = 0;
  readonly framing = new Framing();

  constructor() {
    super(valueBytes);
  }

  override reset(): void {
    super.reset();
    this.framing.reset();
  }

  /** Whether more responses to the same request follow: all of 1xx but the one that switches protocols (RFC 9110 §15.2). */
  get isInterim(): boolean {
    return this.status < 200 && this.status !== 101;
  }

  /** What follows the head of an answer to a method. */
  bodyFor(method: string): ResponseBody {
    const { status, framing } = this;
    if (method === "HEAD" || status < 200 || status === 204 || status === 304) return "none";
    return framing.isChunked || framing.contentLength >= 0 ? "framed" : "until end";
  }

  protected override readStartLine(bytes: Uint8Array, start: number, end: number): void {
    const isStatusLine =
      end - start >= shortestStatusLine &&
      latin1(bytes, start, start + 7) === "HTTP/1." &&
      [7, 9, 10, 11].every((offset) => isDigit(bytes[start + offset]!)) &&
      bytes[start + 8] === space &&
      // Without a phrase the space before it has to be there, and is often forgotten.
      (end - start === shortestStatusLine || bytes[start + shortestStatusLine] === space);
    if (!isStatusLine) {
      this.refuse(502, "the upstream does not begin its answer with a status line of HTTP/1");
      return;
    }
    this.minorVersion = bytes[start + 7] === 0x30 ? 0 : 1;
    this.status = Number(latin1(bytes, start + 9, start + 12));
    this.reason = latin1(bytes, Math.min(end, start + shortestStatusLine + 1), end);
    if (this.status < 100) this.refuse(502, "the upstream's status is below 100");
  }

  protected override readField(index: number): void {
    this.framing.readField(this.fields, index);
  }

  protected override readEnd(): void {
    const refusal = this.framing.finishResponse(this.minorVersion);
    if (refusal !== undefined) this.refuse(refusal.status, refusal.reason);
  }

  protected override refuseLongStartLine(): void {
    this.refuse(502, "the upstream's status line is too long");
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
