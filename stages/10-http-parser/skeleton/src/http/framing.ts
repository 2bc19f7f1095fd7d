import { tokenBytes } from "./characters.ts";
import { FieldName, type Fields } from "./fields.ts";
import type { Refusal } from "./head-parser.ts";

const space = 0x20;
const tab = 0x09;
const comma = 0x2c;
/** Digits that a length may have: any number of so many is exact in JavaScript. */
const mostDigits = 15;

const contentLengthName = new FieldName("content-length");
const transferEncodingName = new FieldName("transfer-encoding");
const connectionName = new FieldName("connection");
const chunkedCoding = new FieldName("chunked");
const closeOption = new FieldName("close");
const keepAliveOption = new FieldName("keep-alive");
const upgradeOption = new FieldName("upgrade");

/**
 * How a message's body is delimited (RFC 9112 §6), and what its Connection field says. Whatever could be read in two
 * ways is refused: two lengths, a length beside a coding, a coding that two implementations spell differently.
 */
export class Framing {
  /** The value of Content-Length, or -1 where there is none. */
  contentLength = -1;
  /** Whether the body is chunked. */
  isChunked = false;
  /** Connection: close. */
  hasClose = false;
  /** Connection: keep-alive. */
  hasKeepAlive = false;
  /** Connection: upgrade. */
  hasUpgrade = false;
  #codings = 0;
  #hasUnknownCoding = false;
  #refusal: Refusal | undefined;

  reset(): void {
    this.contentLength = -1;
    this.isChunked = false;
    this.hasClose = false;
    this.hasKeepAlive = false;
    this.hasUpgrade = false;
    this.#codings = 0;
    this.#hasUnknownCoding = false;
    this.#refusal = undefined;
  }

  /** Takes note of a field, if it is one of the three. */
  readField(fields: Fields, index: number): void {
    // TODO 5c: each of the three names has its method below: bytes, where the value starts, where it ends.
    todo(
      `5c: ${fields.name(index)}, ${[contentLengthName, transferEncodingName, connectionName]}, ${[this.#readConnection, this.#readContentLength, this.#readTransferEncoding]}`,
    );
  }

  /** Says what is wrong with a request that has these fields together; `undefined` when nothing is. */
  finishRequest(minorVersion: number): Refusal | undefined {
    // TODO 5f: what a field refused comes first. Then, where there are codings: HTTP/1.0 has none (400), a length beside them (400),
    // a last one that is not chunked (400), one that nobody here knows (501).
    todo(`5f: ${minorVersion}, ${this.#codings}, ${this.#hasUnknownCoding}, ${this.#refusal}`);
  }

  /** Says what is wrong with a response that has these fields together; `undefined` when nothing is. */
  finishResponse(minorVersion: number): Refusal | undefined {
    if (this.#refusal !== undefined) return { status: 502, reason: this.#refusal.reason };
    if (this.#codings === 0) return undefined;
    if (minorVersion === 0) return { status: 502, reason: "HTTP/1.0 has no Transfer-Encoding" };
    if (this.contentLength !== -1) {
      return { status: 502, reason: "the response has both Content-Length and Transfer-Encoding" };
    }
    if (!this.isChunked || this.#hasUnknownCoding)
      return { status: 502, reason: "this server knows no transfer coding but chunked" };
    return undefined;
  }

  #refuse(reason: string): void {
    this.#refusal ??= { status: 400, reason };
  }

  /** Digits and nothing else: no sign, no list, no space within (RFC 9110 §8.6). */
  #readContentLength(bytes: Uint8Array, start: number, end: number): void {
    // TODO 5d: a second field, an empty value, anything but digits, more than mostDigits of them: each is refused.
    todo(`5d: ${bytes[start]} to ${end}, ${mostDigits}, ${this.#refuse}`);
  }

  /** A list of codings; several fields continue it (RFC 9112 §6.1). */
  #readTransferEncoding(bytes: Uint8Array, start: number, end: number): void {
    // TODO 5e: count the codings; chunked has to be the last one, in whatever case; a field without any is refused.
    todo(`5e: ${bytes[start]} to ${end}, ${chunkedCoding}, ${this.#eachToken}`);
  }

  #readConnection(bytes: Uint8Array, start: number, end: number): void {
    // TODO 5e: the three options that matter.
    todo(`5e: ${bytes[start]} to ${end}, ${[closeOption, keepAliveOption, upgradeOption]}`);
  }

  /** Goes through a list of tokens, in which elements may be empty (RFC 9110 §5.6.1). */
  #eachToken(
    bytes: Uint8Array,
    start: number,
    end: number,
    onToken: (from: number, to: number) => void,
  ): void {
    // TODO 5b: tokens between commas, with white space around them; empty elements do not count (RFC 9110 §5.6.1). Two
    // tokens without a comma between them are refused, and so is every other byte.
    todo(`5b: ${bytes[start]} to ${end}: ${[space, tab, comma]} ${tokenBytes.length} ${onToken}`);
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
