import { valueBytes } from "./characters.ts";
import { Framing } from "./framing.ts";
import { HeadParser } from "./head-parser.ts";

const space = 0x20;
/** `HTTP/1.1 200` */
const shortestStatusLine = 12;

const versionStart = Buffer.from("HTTP/1.");

/** How the end of a response's body is known (RFC 9112 §6.3). */
export type ResponseBody = "none" | "framed" | "until end";

/**
 * Reads the head of a response, which an upstream sent (RFC 9112 §4). As strict as the parser of requests: what is refused here is
 * answered by 502, and nobody behind us has to guess.
 */
export class ResponseParser extends HeadParser {
  /** Its phrase is not kept: it is for people, and nobody acts on it (RFC 9112 §4). */
  status = 0;
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
    const phrase = start + shortestStatusLine;
    this.status = 100 * digit(bytes[start + 9]!) + 10 * digit(bytes[start + 10]!) + digit(bytes[start + 11]!);
    const isStatusLine =
      end >= phrase &&
      startsWith(bytes, start, versionStart) &&
      isDigit(bytes[start + 7]!) &&
      bytes[start + 8] === space &&
      this.status >= 0 &&
      // Without a phrase the space before it has to be there, and is often forgotten.
      (end === phrase || bytes[phrase] === space);
    if (!isStatusLine) {
      this.refuse(502, "the upstream does not begin its answer with a status line of HTTP/1");
      return;
    }
    this.minorVersion = bytes[start + 7] === 0x30 ? 0 : 1;
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

/** A digit's value; for anything else a number that makes every sum with it negative. */
function digit(byte: number): number {
  return isDigit(byte) ? byte - 0x30 : -1000;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function startsWith(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}
