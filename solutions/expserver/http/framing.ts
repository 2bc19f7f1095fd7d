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
    if (fields.isNamed(index, connectionName)) {
      this.#readConnection(fields.bytes, fields.valueStart(index), fields.valueEnd(index));
    } else if (fields.isNamed(index, contentLengthName)) {
      this.#readContentLength(fields.bytes, fields.valueStart(index), fields.valueEnd(index));
    } else if (fields.isNamed(index, transferEncodingName)) {
      this.#readTransferEncoding(fields.bytes, fields.valueStart(index), fields.valueEnd(index));
    }
  }

  /** Says what is wrong with a request that has these fields together; `undefined` when nothing is. */
  finishRequest(minorVersion: number): Refusal | undefined {
    if (this.#refusal !== undefined) return this.#refusal;
    if (this.#codings === 0) return undefined;
    if (minorVersion === 0) return { status: 400, reason: "HTTP/1.0 has no Transfer-Encoding" };
    if (this.contentLength !== -1) {
      return { status: 400, reason: "the request has both Content-Length and Transfer-Encoding" };
    }
    // The last coding of a request has to be chunked: nothing else says where the body ends (RFC 9112 §6.3).
    if (!this.isChunked) return { status: 400, reason: "the last transfer coding is not chunked" };
    if (this.#hasUnknownCoding)
      return { status: 501, reason: "this server knows no transfer coding but chunked" };
    return undefined;
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
    if (this.contentLength !== -1) {
      this.#refuse("there is more than one Content-Length field");
      return;
    }
    let length = 0;
    for (let i = start; i < end; i++) {
      const digit = bytes[i]! - 0x30;
      if (digit < 0 || digit > 9) {
        this.#refuse("the value of Content-Length is not a number");
        return;
      }
      length = 10 * length + digit;
    }
    if (start === end) {
      this.#refuse("Content-Length has no value");
      return;
    }
    if (end - start > mostDigits) {
      this.#refuse("the value of Content-Length is too large");
      return;
    }
    this.contentLength = length;
  }

  /** A list of codings; several fields continue it (RFC 9112 §6.1). */
  #readTransferEncoding(bytes: Uint8Array, start: number, end: number): void {
    const before = this.#codings;
    this.#eachToken(bytes, start, end, (from, to) => {
      this.#codings++;
      if (this.isChunked) {
        this.#refuse("chunked is not the last transfer coding");
        return;
      }
      if (chunkedCoding.matches(bytes, from, to)) this.isChunked = true;
      else this.#hasUnknownCoding = true;
    });
    if (this.#codings === before) this.#refuse("Transfer-Encoding has no coding");
  }

  #readConnection(bytes: Uint8Array, start: number, end: number): void {
    this.#eachToken(bytes, start, end, (from, to) => {
      if (closeOption.matches(bytes, from, to)) this.hasClose = true;
      else if (keepAliveOption.matches(bytes, from, to)) this.hasKeepAlive = true;
      else if (upgradeOption.matches(bytes, from, to)) this.hasUpgrade = true;
    });
  }

  /** Goes through a list of tokens, in which elements may be empty (RFC 9110 §5.6.1). */
  #eachToken(
    bytes: Uint8Array,
    start: number,
    end: number,
    onToken: (from: number, to: number) => void,
  ): void {
    for (let i = start; i < end; ) {
      while (i < end && (bytes[i] === space || bytes[i] === tab || bytes[i] === comma)) i++;
      const from = i;
      while (i < end && tokenBytes[bytes[i]!] === 1) i++;
      const to = i;
      while (i < end && (bytes[i] === space || bytes[i] === tab)) i++;
      if (i < end && bytes[i] !== comma) {
        this.#refuse("a list of tokens has something else in it");
        return;
      }
      if (to > from) onToken(from, to);
    }
  }
}
