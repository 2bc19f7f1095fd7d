import { requestLineBytes, targetBytes, tokenBytes } from "./characters.ts";
import { FieldName, latin1 } from "./fields.ts";
import { Framing } from "./framing.ts";
import { HeadParser, passBytes } from "./head-parser.ts";
import { isHostAndPort } from "./host.ts";

const space = 0x20;
const slash = 0x2f;
const question = 0x3f;
const asterisk = 0x2a;

/** Bytes of a method at most; none that anybody knows is so long (RFC 9112 §3). */
const longestMethod = 32;
/** Bytes of a request target at most. */
const longestTarget = 8 * 1024;

/** Methods that servers know: their strings exist already. */
const knownMethods = "GET HEAD POST PUT DELETE OPTIONS PATCH CONNECT TRACE".split(" ");
const knownMethodNames = knownMethods.map((method) => new FieldName(method));

/** In which of its four forms a target was sent (RFC 9112 §3.2). */
export type TargetForm = "origin" | "absolute" | "authority" | "asterisk";

const host = new FieldName("host");

/**
 * Reads the head of a request (RFC 9112 §3). Refuses what is malformed, and every framing that two readers could
 * understand differently. What a server does not support is not its matter.
 */
export class RequestParser extends HeadParser {
  method = "";
  /** Minor version: 0 for HTTP/1.0, 1 for HTTP/1.1 and all later ones of HTTP/1. */
  minorVersion = 0;
  form: TargetForm = "origin";
  /** How the body is delimited, and whether the connection may go on after it. */
  readonly framing = new Framing();
  // Positions in the target, counted from the start of the head.
  #targetStart = 0;
  #targetEnd = 0;
  #pathStart = 0;
  #queryStart = 0;
  #authorityStart = 0;
  #authorityEnd = 0;
  #hostIndex = -1;

  constructor() {
    super(requestLineBytes);
  }

  override reset(): void {
    super.reset();
    this.framing.reset();
    this.#hostIndex = -1;
  }

  /** The whole target, as it was sent. */
  get target(): string {
    return this.#text(this.#targetStart, this.#targetEnd);
  }

  /** The path, as it was sent: `/` where an absolute form has none, `*` for the asterisk form, empty for an authority. */
  get path(): string {
    if (this.form === "authority") return "";
    return this.#pathStart === this.#queryStart ? "/" : this.#text(this.#pathStart, this.#queryStart);
  }

  /** What follows the first `?`; `undefined` where there is none. */
  get query(): string | undefined {
    return this.#queryStart === this.#targetEnd
      ? undefined
      : this.#text(this.#queryStart + 1, this.#targetEnd);
  }

  /** Host and port: those of the target where it has any, else those of the Host field (RFC 9112 §3.2.2). */
  get host(): string | undefined {
    if (this.#authorityEnd > this.#authorityStart)
      return this.#text(this.#authorityStart, this.#authorityEnd);
    return this.#hostIndex === -1 ? undefined : this.fields.value(this.#hostIndex);
  }

  protected override readStartLine(bytes: Uint8Array, start: number, end: number): void {
    // TODO 1c: method, one space, target, one space, version. The method is a token (400) of no more than longestMethod bytes
    // (501); the target has targetBytes only (400), no more than longestTarget (414).
    todo(
      `1c: ${bytes[start]} to ${end}, ${tokenBytes.length} ${targetBytes.length} ${space} ${longestTarget} ${knownMethods} ${knownMethodNames} ${passBytes} ${hasBytes} ${[this.#readVersion, this.#readTarget]}`,
    );
  }

  protected override readField(index: number): void {
    // TODO 5a: a second Host is refused, and one that is no host and port. TODO 5c: the framing looks at all other fields.
    if (this.fields.isNamed(index, host)) this.#hostIndex = index;
  }

  protected override readEnd(): void {
    // TODO 5a: HTTP/1.1 needs a Host. TODO 5f: the framing has the last word.
  }

  protected override refuseLongStartLine(bytes: Uint8Array, start: number, end: number): void {
    const firstSpace = bytes.subarray(start, end).indexOf(space);
    if (firstSpace === -1 || firstSpace > longestMethod) {
      this.refuse(501, `the method is longer than ${longestMethod} bytes`);
    } else {
      this.refuse(414, `the target is longer than ${longestTarget} bytes`);
    }
  }

  /** `HTTP/` digit `.` digit, and nothing behind it. */
  #readVersion(bytes: Uint8Array, start: number, end: number): void {
    // TODO 1d: `HTTP/`, a digit, a dot, a digit, and no more (400); another major version than 1 is 505.
    todo(`1d: ${bytes[start]} to ${end}, ${httpSlash} ${isDigit}`);
  }

  #readTarget(bytes: Uint8Array, origin: number, start: number, end: number): void {
    // TODO 1e: note where the target lies, from the start of the head (`origin`); find its form, its path and its query.
    // CONNECT has an authority and nothing else has, * is for OPTIONS only; a scheme means the absolute form.
    this.#targetStart = start - origin;
    this.#targetEnd = end - origin;
    this.#authorityStart = this.#authorityEnd = 0;
    this.#pathStart = this.#queryStart = 0;
    todo(`1e: ${bytes[start]} ${slash} ${asterisk} ${question} ${isHostAndPort} ${this.#readAuthority}`);
  }

  /** The scheme and authority of an absolute form. Returns where its path begins. */
  #readAuthority(bytes: Uint8Array, origin: number, start: number, end: number): number {
    // TODO 1f: http:// or https://, in any case, then host and port up to a slash, a question mark or the end.
    return todo(`1f: ${bytes[start]} ${origin} ${end} ${schemes} ${schemeNames}`);
  }

  #text(start: number, end: number): string {
    const { bytes, origin } = this.fields;
    return latin1(bytes, origin + start, origin + end);
  }
}

const httpSlash = Buffer.from("HTTP/");
const schemes = ["http://", "https://"];
const schemeNames = schemes.map((scheme) => new FieldName(scheme));

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Whether the bytes from `start` to `end` are exactly these. */
function hasBytes(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  if (end - start !== wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) {
    if (bytes[start + i] !== wanted[i]) return false;
  }
  return true;
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
