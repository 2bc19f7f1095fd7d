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

/** What RFCs and the stage's contract say is in `grader/corpora/http`; here is what they leave to us. */
describe("a request is refused", () => {
  test.each([
    ["GET ftp://a/ HTTP/1.1\r\n", 400],
    ["GET / HTTP/0.9\r\n", 505],
    [`${"M".repeat(33)} / HTTP/1.1\r\n`, 501],
    [`GET /${"a".repeat(8192)} HTTP/1.1\r\n`, 414],
    ["\r\n\r\n\rGET / HTTP/1.1\r\n", 400],
  ])("for the request line %j", (line, status) => {
    expect(outcome(`${line}${fields}`)).toBe(status);
  });

  test.each([
    ["Host:\r\n", 400],
    ["Host: a:99999\r\n", 400],
    ["Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", 400],
    ["Host: a\r\nContent-Length: 1, 1\r\n", 400],
    ["Host: a\r\nContent-Length: 9999999999999999\r\n", 400],
    [`Host: a\r\nX:${"y".repeat(32_768 - 14)}\r\n`, 431],
  ])("for the fields %j", (lines, status) => {
    expect(outcome(`GET / HTTP/1.1\r\n${lines}\r\n`)).toBe(status);
  });

  test("for no byte less than the limits", () => {
    const longest = `${"M".repeat(32)} /${"a".repeat(8191)} HTTP/1.1\r\n${fields}`;
    expect(parsed(longest).parser.isComplete).toBe(true);
    // Host with its line end, the name X and its colon, and two line ends are 15 bytes.
    const largest = `GET / HTTP/1.1\r\nHost: a\r\nX:${"y".repeat(32_768 - 15)}\r\n\r\n`;
    expect(parsed(largest).parser.isComplete).toBe(true);
  });
});
