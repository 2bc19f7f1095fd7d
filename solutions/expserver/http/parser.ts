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
  #lastHost = "";

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
    const { bytes, origin } = this.fields;
    if (this.#authorityEnd > this.#authorityStart)
      return this.#hostAt(bytes, origin + this.#authorityStart, origin + this.#authorityEnd);
    const index = this.#hostIndex;
    if (index === -1) return undefined;
    return this.#hostAt(bytes, this.fields.valueStart(index), this.fields.valueEnd(index));
  }

  /** A host as text. On one connection it is almost always the one of the request before, whose string exists already. */
  #hostAt(bytes: Uint8Array, start: number, end: number): string {
    const last = this.#lastHost;
    let same = last.length === end - start ? 0 : -1;
    while (same >= 0 && same < last.length)
      same = bytes[start + same] === last.charCodeAt(same) ? same + 1 : -1;
    if (same === -1) this.#lastHost = latin1(bytes, start, end);
    return this.#lastHost;
  }

  protected override readStartLine(bytes: Uint8Array, start: number, end: number): void {
    let i = start;
    i = passBytes(tokenBytes, bytes, i, end);
    if (i === start || bytes[i] !== space || i === end) {
      this.refuse(400, "the request does not begin with a method and a space");
      return;
    }
    if (i - start > longestMethod) {
      this.refuse(501, `the method is longer than ${longestMethod} bytes`);
      return;
    }
    const known = knownMethodNames.findIndex((name) => hasBytes(bytes, start, i, name.bytes));
    this.method = known === -1 ? latin1(bytes, start, i) : knownMethods[known]!;
    const targetStart = i + 1;
    i = targetStart;
    i = passBytes(targetBytes, bytes, i, end);
    if (i === targetStart || bytes[i] !== space || i === end) {
      this.refuse(400, "the request line has no target and version, one space before each");
      return;
    }
    if (i - targetStart > longestTarget) {
      this.refuse(414, `the target is longer than ${longestTarget} bytes`);
      return;
    }
    this.#readVersion(bytes, i + 1, end);
    if (this.refusal === undefined) this.#readTarget(bytes, start, targetStart, i);
  }

  protected override readField(index: number): void {
    const { fields } = this;
    if (fields.isNamed(index, host)) {
      if (this.#hostIndex !== -1) this.refuse(400, "there is more than one Host field");
      this.#hostIndex = index;
      const from = fields.valueStart(index);
      if (!isHostAndPort(fields.bytes, from, fields.valueEnd(index))) {
        this.refuse(400, "the value of Host is not a host and port");
      }
    } else {
      this.framing.readField(fields, index);
    }
  }

  protected override readEnd(): void {
    if (this.minorVersion > 0 && this.#hostIndex === -1)
      this.refuse(400, "an HTTP/1.1 request has no Host field");
    const refusal = this.framing.finishRequest(this.minorVersion);
    if (refusal !== undefined) this.refuse(refusal.status, refusal.reason);
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
    const isVersion =
      end - start === 8 &&
      hasBytes(bytes, start, start + 5, httpSlash) &&
      isDigit(bytes[start + 5]!) &&
      bytes[start + 6] === 0x2e &&
      isDigit(bytes[start + 7]!);
    if (!isVersion) this.refuse(400, "the request line does not end in a version such as HTTP/1.1");
    else if (bytes[start + 5] !== 0x31) this.refuse(505, "this server speaks HTTP/1.1 and HTTP/1.0");
    else this.minorVersion = bytes[start + 7] === 0x30 ? 0 : 1;
  }

  #readTarget(bytes: Uint8Array, origin: number, start: number, end: number): void {
    this.#targetStart = start - origin;
    this.#targetEnd = end - origin;
    this.#authorityStart = this.#authorityEnd = 0;
    let path = start;
    if (this.method === "CONNECT") {
      this.form = "authority";
      this.#authorityStart = start - origin;
      this.#authorityEnd = end - origin;
      if (!isHostAndPort(bytes, start, end, { port: "required" })) {
        this.refuse(400, "the target of CONNECT is not a host and port");
      }
      path = end;
    } else if (bytes[start] === slash) {
      this.form = "origin";
    } else if (bytes[start] === asterisk && end - start === 1) {
      this.form = "asterisk";
      if (this.method !== "OPTIONS") this.refuse(400, "only OPTIONS has the target *");
    } else {
      this.form = "absolute";
      path = this.#readAuthority(bytes, origin, start, end);
    }
    this.#pathStart = path - origin;
    let query = path;
    while (query < end && bytes[query] !== question) query++;
    this.#queryStart = query - origin;
  }

  /** The scheme and authority of an absolute form. Returns where its path begins. */
  #readAuthority(bytes: Uint8Array, origin: number, start: number, end: number): number {
    const scheme = schemes.find(({ length }, index) =>
      schemeNames[index]!.matches(bytes, start, start + length),
    );
    if (scheme === undefined || start + scheme.length > end) {
      this.refuse(400, "the target is neither a path nor a URL with http:// or https://");
      return end;
    }
    const authority = start + scheme.length;
    let path = authority;
    while (path < end && bytes[path] !== slash && bytes[path] !== question) path++;
    if (!isHostAndPort(bytes, authority, path))
      this.refuse(400, "the URL of the target has no valid host and port");
    this.#authorityStart = authority - origin;
    this.#authorityEnd = path - origin;
    return path;
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
