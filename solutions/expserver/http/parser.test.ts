import { describe, expect, test } from "vitest";
import { FieldName } from "./fields.ts";
import { RequestParser } from "./parser.ts";

/** Gives a parser a text in pieces, each in a buffer in which other bytes lie around it. */
function parsed(text: string, cuts: number[] = []): { parser: RequestParser; taken: number } {
  const parser = new RequestParser();
  const bytes = Buffer.from(text, "latin1");
  const ends = [...cuts, bytes.length];
  let taken = 0;
  let start = 0;
  for (const end of ends) {
    const buffer = new Uint8Array(bytes.length + 20).fill(0x41);
    buffer.set(bytes.subarray(start, end), 7);
    taken += parser.parse(buffer, 7, 7 + end - start);
    start = end;
    if (parser.isComplete || parser.refusal !== undefined) break;
  }
  return { parser, taken };
}

/** What came of a text: its parts, or the status that refuses it. */
function summary({
  parser,
  taken,
}: {
  parser: RequestParser;
  taken: number;
}): object | number | "unfinished" {
  if (parser.refusal !== undefined) return parser.refusal.status;
  if (!parser.isComplete) return "unfinished";
  const { method, target, path, query, host, form, minorVersion, fields } = parser;
  const names = Array.from({ length: fields.count }, (_, index) => [fields.name(index), fields.value(index)]);
  return { taken, method, target, path, query, host, form, minorVersion, names };
}

/** The same, whole, byte by byte and cut at some places; all have to agree. */
function outcome(text: string): ReturnType<typeof summary> {
  const whole = summary(parsed(text));
  const each = Array.from({ length: Math.max(0, text.length - 1) }, (_, index) => index + 1);
  const cuts =
    text.length < 3000 ? [each, ...each.map((cut) => [cut])] : [[1], [text.length >> 1], [text.length - 1]];
  for (const places of cuts) expect(summary(parsed(text, places)), `cut at ${places}`).toEqual(whole);
  return whole;
}

const fields = "Host: a\r\n\r\n";

describe("a request head", () => {
  test("is taken apart where it lies, and what is behind it is left", () => {
    const text = "GET /a/b?c=d HTTP/1.1\r\nHost: example.org:80\r\nAccept:\t*/* \r\n\r\nrest";
    expect(outcome(text)).toEqual({
      taken: text.length - 4,
      method: "GET",
      target: "/a/b?c=d",
      path: "/a/b",
      query: "c=d",
      host: "example.org:80",
      form: "origin",
      minorVersion: 1,
      names: [
        ["Host", "example.org:80"],
        ["Accept", "*/*"],
      ],
    });
  });

  test("may have empty lines before it, and LF alone as line ends", () => {
    expect(outcome("\r\n\nGET / HTTP/1.0\n\n")).toMatchObject({
      path: "/",
      minorVersion: 0,
      host: undefined,
    });
  });

  test("in absolute form names the host itself", () => {
    expect(outcome(`GET HTTP://u.example:8080?q HTTP/1.1\r\n${fields}`)).toMatchObject({
      form: "absolute",
      host: "u.example:8080",
      path: "/",
      query: "q",
    });
  });

  test.each([
    ["CONNECT a:443 HTTP/1.1", "authority"],
    ["OPTIONS * HTTP/1.1", "asterisk"],
  ])("%s has the form %s", (line, form) => {
    expect(outcome(`${line}\r\n${fields}`)).toMatchObject({ form });
  });

  test("gives fields of one name as one list", () => {
    const { parser } = parsed("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a:\r\nX-B: 2\r\nX-A: 3\r\n\r\n");
    expect(parser.fields.get(new FieldName("x-a"))).toBe("1, , 3");
    expect(parser.fields.get(new FieldName("x-c"))).toBeUndefined();
  });

  test("is unfinished until the empty line has come", () => {
    expect(outcome("GET / HTTP/1.1\r\nHost: a\r\n")).toBe("unfinished");
    expect(parsed("\r\n\r\n").parser.isUnfinished).toBe(false);
  });

  test("leaves nothing behind for the next one", () => {
    const { parser } = parsed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
    expect(parser.framing).toMatchObject({ contentLength: 5, hasClose: true });
    parser.reset();
    const next = Buffer.from(`GET /next HTTP/1.1\r\n${fields}`);
    expect(parser.parse(next, 0, next.length)).toBe(next.length);
    expect(parser.path).toBe("/next");
    expect(parser.framing).toMatchObject({ contentLength: -1, hasClose: false, isChunked: false });
  });
});

describe("a request is refused", () => {
  test.each([
    ["GET /\r\n\r\n", 400],
    ["GET  / HTTP/1.1\r\n", 400],
    ["GET /  HTTP/1.1\r\n", 400],
    [" GET / HTTP/1.1\r\n", 400],
    ["\rGET / HTTP/1.1\r\n", 400],
    ["\r\r\nGET / HTTP/1.1\r\n", 400],
    ["G\0T / HTTP/1.1\r\n", 400],
    ["GET /\xe4 HTTP/1.1\r\n", 400],
    ["GET /#f HTTP/1.1\r\n", 400],
    ["GET x HTTP/1.1\r\n", 400],
    ["GET ftp://a/ HTTP/1.1\r\n", 400],
    ["GET http://user@a/ HTTP/1.1\r\n", 400],
    ["GET * HTTP/1.1\r\n", 400],
    ["CONNECT / HTTP/1.1\r\n", 400],
    ["GET / http/1.1\r\n", 400],
    ["GET / HTTP/1.1 \r\n", 400],
    ["GET / HTTP/2.0\r\n", 505],
    ["GET / HTTP/0.9\r\n", 505],
    ["GET / HTTP/1.1\rX", 400],
    [`${"M".repeat(33)} / HTTP/1.1\r\n`, 501],
    [`${"M".repeat(9000)} / HTTP/1.1\r\n`, 501],
    [`GET /${"a".repeat(8192)} HTTP/1.1\r\n`, 414],
    [`GET /${"a".repeat(20_000)}`, 414],
  ])("for the request line %j", (line, status) => {
    expect(outcome(`${line}${fields}`)).toBe(status);
  });

  test.each([
    ["", 400], // no Host
    ["Host: a\r\nHost: a\r\n", 400],
    ["Host: a b\r\n", 400],
    ["Host:\r\n", 400],
    ["Host: a:99999\r\n", 400],
    ["Host : a\r\n", 400],
    ["Host: a\r\n: x\r\n", 400],
    ["Host: a\r\n x\r\n", 400],
    ["Host: a\r\nX: a\0b\r\n", 400],
    ["Host: a\r\nX: a\rb\r\n", 400],
    ["Host: a\r\nX: a\x7fb\r\n", 400],
    ["Host: a\r\nX Y: a\r\n", 400],
    ["Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", 400],
    ["Host: a\r\nContent-Length: +1\r\n", 400],
    ["Host: a\r\nContent-Length: 1, 1\r\n", 400],
    ["Host: a\r\nContent-Length:\r\n", 400],
    ["Host: a\r\nContent-Length: 9999999999999999\r\n", 400],
    ["Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400],
    ["Host: a\r\nTransfer-Encoding: chunked, gzip\r\n", 400],
    ["Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400],
    ["Host: a\r\nTransfer-Encoding: identity\r\n", 400],
    ["Host: a\r\nTransfer-Encoding: chunked;x=1\r\n", 400],
    ["Host: a\r\nTransfer-Encoding:\r\n", 400],
    ["Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", 501],
    [`Host: a\r\n${"X: y\r\n".repeat(100)}`, 431],
    [`Host: a\r\nX: ${"y".repeat(32_768)}\r\n`, 431],
  ])("for the fields %j", (lines, status) => {
    expect(outcome(`GET / HTTP/1.1\r\n${lines}\r\n`)).toBe(status);
  });

  test("for Transfer-Encoding in HTTP/1.0", () => {
    expect(outcome("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")).toBe(400);
  });
});
