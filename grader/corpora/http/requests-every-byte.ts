import {
  fieldLines,
  head,
  hexByte,
  type InvalidRequest,
  parsed,
  parsedFields,
  requestLine,
  usualHost,
  type ValidRequest,
} from "./request-case.ts";

/**
 * Every byte in every place: 256 values in the method, the target, a field's name, its value, and Host. Written out
 * from the grammars here, and not with any parser's tables.
 *
 * A byte has no entry where servers may differ: `"<>[\]^`{|}` in a target, which RFC 3986 does not allow and browsers
 * send, `%`, which decoding judges, and in Host the marks that the grammar allows and many refuse.
 */

const alphanumeric = /[0-9A-Za-z]/;
const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const inTarget = /[!$&'()*+,\-./0-9:;=?@A-Z_a-z~]/;
const doubtfulInTarget = /["<>[\\\]^`{|}%]/;
const inHost = /[-._~0-9A-Za-z]/;
const doubtfulInHost = /[!$%&'()*+,;=]/;

const everyByte = Array.from({ length: 256 }, (_, byte) => ({
  byte,
  character: String.fromCharCode(byte),
}));

/** Space, tab, what can be seen, and all from 0x80 on. */
function isInValue(byte: number): boolean {
  return byte === 0x09 || (byte >= 0x20 && byte !== 0x7f);
}

function place({ byte }: { byte: number }, where: string): string {
  return `the byte ${hexByte(byte)} ${where}`;
}

const validBytes: ValidRequest[] = everyByte.flatMap((each) => {
  const { byte, character } = each;
  const entries: ValidRequest[] = [];
  if (token.test(character)) {
    const method = `M${character}M`;
    entries.push({
      name: place(each, "in a method"),
      bytes: requestLine(`${method} / HTTP/1.1`),
      expected: parsed({ method }),
      source: "RFC 9110 §5.6.2",
    });
    const name = `${character}X`;
    entries.push({
      name: place(each, "at the start of a name"),
      bytes: fieldLines(`${name}: a`),
      expected: parsedFields([name, "a"]),
      source: "RFC 9110 §5.6.2",
    });
  }
  if (inTarget.test(character)) {
    const [path, query] = character === "?" ? ["/a", "b"] : [`/a${character}b`, null];
    entries.push({
      name: place(each, "in a target"),
      bytes: requestLine(`GET /a${character}b HTTP/1.1`),
      expected: parsed({ target: `/a${character}b`, path, query }),
      source: "RFC 3986 §3.3",
    });
  }
  if (isInValue(byte)) {
    const value = `a${character}b`;
    entries.push({
      name: place(each, "in a value"),
      bytes: fieldLines(`X-A: ${value}`),
      expected: parsedFields(["X-A", value]),
      source: "RFC 9110 §5.5",
    });
  }
  if (inHost.test(character)) {
    const host = `a${character}b.example`;
    entries.push({
      name: place(each, "in a host"),
      bytes: head("GET / HTTP/1.1", `Host: ${host}`),
      expected: parsed({ headers: [["Host", host]], host }),
      source: "RFC 3986 §3.2.2",
    });
  }
  return entries;
});

const invalidBytes: InvalidRequest[] = everyByte.flatMap((each) => {
  const { byte, character } = each;
  const entries: InvalidRequest[] = [];
  const refuse = (where: string, bytes: string, source: string) =>
    entries.push({ name: place(each, where), bytes, status: 400, source });
  if (!token.test(character)) {
    refuse("in a method", requestLine(`M${character}M / HTTP/1.1`), "RFC 9110 §5.6.2");
    if (character !== ":") refuse("in a name", fieldLines(`X${character}Y: a`), "RFC 9110 §5.6.2");
    // An empty line before the method is one that is skipped, and then only one.
    if (character !== "\r" && character !== "\n")
      refuse("before the method", `${character}${requestLine("GET / HTTP/1.1")}`, "RFC 9112 §3");
  }
  if (!inTarget.test(character) && !doubtfulInTarget.test(character))
    refuse("in a target", requestLine(`GET /a${character}b HTTP/1.1`), "RFC 3986 §2");
  if (!isInValue(byte)) refuse("in a value", fieldLines(`X-A: a${character}b`), "RFC 9110 §5.5");
  if (!inHost.test(character) && !doubtfulInHost.test(character) && character !== ":")
    refuse("in a host", head("GET / HTTP/1.1", `Host: a${character}b.example`), "RFC 3986 §3.2.2");
  if (!/[0-9]/.test(character)) {
    const where = `in place of a version's digit`;
    refuse(where, head(`GET / HTTP/1.${character}`, `Host: ${usualHost}`), "RFC 9112 §2.3");
  }
  if (!alphanumeric.test(character) && character !== " " && character !== "\t")
    refuse("in a length", fieldLines(`Content-Length: 1${character}2`), "RFC 9110 §8.6");
  return entries;
});

export const validByteRequests: ValidRequest[] = validBytes;
export const invalidByteRequests: InvalidRequest[] = invalidBytes;
