import { chunk, lastChunk } from "./body-case.ts";
import { okLine, response, type ValidResponse } from "./response-case.ts";

const everyByte = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
const hello = { status: 200, content: "hello", fields: [] };

const lengths: ValidResponse[] = [
  {
    name: "a length",
    bytes: response([okLine, "Content-Length: 5"], "hello"),
    closes: false,
    expected: { ...hello, fields: [["Content-Length", "5"]] },
    source: "RFC 9112 §6.3",
  },
  {
    name: "a length of 0",
    bytes: response([okLine, "Content-Length: 0"]),
    closes: false,
    expected: { status: 200, content: "", fields: [["Content-Length", "0"]] },
    source: "RFC 9112 §6.3",
  },
  {
    name: "a length, and content of all bytes",
    bytes: response([okLine, "Content-Length: 256"], everyByte),
    closes: false,
    expected: { status: 200, content: everyByte, fields: [["Content-Length", "256"]] },
    source: "RFC 9112 §6.3",
  },
  {
    name: "a length, names in lower case",
    bytes: response([okLine, "content-length:5"], "hello"),
    closes: false,
    expected: hello,
    source: "RFC 9110 §5.1",
  },
  {
    name: "bytes behind the body, which belong to nobody",
    bytes: response([okLine, "Content-Length: 5"], `hello${response([okLine, "Content-Length: 4"], "evil")}`),
    closes: true,
    expected: hello,
    source: "RFC 9112 §9.2",
  },
  {
    name: "a length in HTTP/1.0",
    bytes: response(["HTTP/1.0 200 OK", "Content-Length: 5"], "hello"),
    closes: true,
    expected: hello,
    source: "RFC 9112 §6.3",
  },
];

const chunks: ValidResponse[] = [
  {
    name: "chunks",
    bytes: response([okLine, "Transfer-Encoding: chunked"], `${chunk("hel")}${chunk("lo")}${lastChunk}`),
    closes: false,
    expected: hello,
    source: "RFC 9112 §7.1",
  },
  {
    name: "no chunk but the last",
    bytes: response([okLine, "Transfer-Encoding: chunked"], lastChunk),
    closes: false,
    expected: { ...hello, content: "" },
    source: "RFC 9112 §7.1",
  },
  {
    name: "chunks, the coding in upper case",
    bytes: response([okLine, "TRANSFER-ENCODING: CHUNKED"], `${chunk("hello")}${lastChunk}`),
    closes: false,
    expected: hello,
    source: "RFC 9112 §7",
  },
  {
    name: "chunks with extensions",
    bytes: response([okLine, "Transfer-Encoding: chunked"], `${chunk("hello", ';a="b;c"')}0;d=e\r\n\r\n`),
    closes: false,
    expected: hello,
    source: "RFC 9112 §7.1.1",
  },
  {
    name: "chunks with a trailer, which may be dropped",
    bytes: response(
      [okLine, "Transfer-Encoding: chunked", "Trailer: X-Sum"],
      `${chunk("hello")}0\r\nX-Sum: 1\r\n\r\n`,
    ),
    closes: false,
    expected: hello,
    source: "RFC 9112 §7.1.2",
  },
  {
    name: "content that looks like a last chunk",
    bytes: response([okLine, "Transfer-Encoding: chunked"], `${chunk(lastChunk)}${lastChunk}`),
    closes: false,
    expected: { ...hello, content: lastChunk },
    source: "RFC 9112 §7.1",
  },
];

const untilClose: ValidResponse[] = [
  {
    name: "a body up to the end of the stream",
    bytes: response([okLine], "hello"),
    closes: true,
    expected: hello,
    source: "RFC 9112 §6.3",
  },
  {
    name: "a body up to the end of the stream, in HTTP/1.0",
    bytes: response(["HTTP/1.0 200 OK", "Content-Type: text/plain"], "hello"),
    closes: true,
    expected: { ...hello, fields: [["Content-Type", "text/plain"]] },
    source: "RFC 9112 §6.3",
  },
  {
    name: "no body up to the end of the stream",
    bytes: response([okLine]),
    closes: true,
    expected: { ...hello, content: "" },
    source: "RFC 9112 §6.3",
  },
  {
    name: "a body up to the end of the stream that looks like chunks",
    bytes: response([okLine], `${chunk("hello")}${lastChunk}`),
    closes: true,
    expected: { ...hello, content: `${chunk("hello")}${lastChunk}` },
    source: "RFC 9112 §6.3",
  },
];

/** The status or the method says that there is no body, whatever the fields say. */
const withoutBody: ValidResponse[] = [
  ...(
    [
      ["a length", ["Content-Length: 1000"]],
      ["chunked", ["Transfer-Encoding: chunked"]],
      ["neither", []],
    ] as [string, string[]][]
  ).map(([name, lines]) => ({
    name: `an answer to HEAD with ${name}`,
    method: "HEAD" as const,
    bytes: response([okLine, ...lines]),
    closes: false,
    expected: { status: 200, content: "", fields: [] },
    source: "RFC 9112 §6.3",
  })),
  ...(
    [
      ["204 without a length", "HTTP/1.1 204 No Content", []],
      ["204 with a length, which it should not have", "HTTP/1.1 204 No Content", ["Content-Length: 5"]],
      [
        "204 with chunked, which it should not have",
        "HTTP/1.1 204 No Content",
        ["Transfer-Encoding: chunked"],
      ],
      ["304 without a length", "HTTP/1.1 304 Not Modified", ['ETag: "a"']],
      ["304 with the length of what it stands for", "HTTP/1.1 304 Not Modified", ["Content-Length: 1000"]],
      ["304 with chunked", "HTTP/1.1 304 Not Modified", ["Transfer-Encoding: chunked"]],
    ] as [string, string, string[]][]
  ).map(([name, line, lines]) => ({
    name,
    bytes: response([line, ...lines]),
    closes: false,
    expected: { status: Number(line.slice(9, 12)), content: "", fields: [] },
    source: "RFC 9112 §6.3",
  })),
];

const interim: ValidResponse[] = (
  [
    ["100 before the answer", ["HTTP/1.1 100 Continue"]],
    ["102 before the answer", ["HTTP/1.1 102 Processing"]],
    ["103 with fields before the answer", ["HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload"]],
    ["several interim answers", ["HTTP/1.1 100 Continue", "HTTP/1.1 103 Early Hints\r\nLink: </b>"]],
    ["an interim answer that nobody knows", ["HTTP/1.1 199 Wait"]],
    ["an interim answer with a length, which has no body", ["HTTP/1.1 100 Continue\r\nContent-Length: 5"]],
  ] as [string, string[]][]
).map(([name, heads]) => ({
  name,
  bytes: `${heads.map((lines) => response([lines])).join("")}${response([okLine, "Content-Length: 5"], "hello")}`,
  closes: false,
  expected: hello,
  source: "RFC 9110 §15.2",
}));

const heads: ValidResponse[] = [
  ...(
    [
      ["without a reason", "HTTP/1.1 200 "],
      ["with a reason of several words", "HTTP/1.1 200 All is well (really)"],
      ["with a reason of bytes from 0x80 on", "HTTP/1.1 200 Gr\xfc\xdfe"],
      ["with a status that nobody knows", "HTTP/1.1 299 Odd"],
      ["with a status of servers that nobody knows", "HTTP/1.1 599 Odd"],
      ["with a wrong status and reason together", "HTTP/1.1 404 OK"],
    ] as [string, string][]
  ).map(([name, line]) => ({
    name: `a first line ${name}`,
    bytes: response([line, "Content-Length: 5"], "hello"),
    closes: false,
    expected: { status: Number(line.slice(9, 12)), content: "hello", fields: [] },
    source: "RFC 9112 §4",
  })),
  {
    name: "fields arrive without the white space around them",
    bytes: response([okLine, "Content-Length: \t5\t ", "X-A:\tb  c ", "X-Empty:", "X-Latin: \xe4"], "hello"),
    closes: false,
    expected: {
      ...hello,
      fields: [
        ["X-A", "b  c"],
        ["X-Empty", ""],
        ["X-Latin", "\xe4"],
      ],
    },
    source: "RFC 9110 §5.5",
  },
  {
    name: "two cookies stay two fields",
    bytes: response([okLine, "Set-Cookie: a=1, b", "Content-Length: 5", "Set-Cookie: c=2"], "hello"),
    closes: false,
    expected: {
      ...hello,
      fields: [
        ["Set-Cookie", "a=1, b"],
        ["Set-Cookie", "c=2"],
      ],
    },
    source: "RFC 9110 §5.3",
  },
  {
    name: "all token characters in a name",
    bytes: response([okLine, "!#$%&'*+-.^_`|~09AZaz: b", "Content-Length: 5"], "hello"),
    closes: false,
    expected: { ...hello, fields: [["!#$%&'*+-.^_`|~09AZaz", "b"]] },
    source: "RFC 9110 §5.6.2",
  },
];

/** Responses that a proxy has to pass on, by what they show, and all of them. */
export const validResponsesByTopic = { lengths, chunks, untilClose, withoutBody, interim, heads };
export const validResponses: ValidResponse[] = Object.values(validResponsesByTopic).flat();
