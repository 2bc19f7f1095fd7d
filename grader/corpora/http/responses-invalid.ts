import { chunk, lastChunk } from "./body-case.ts";
import { type InvalidResponse, okLine, response } from "./response-case.ts";

/** First lines that no response begins with. */
const firstLines: InvalidResponse[] = (
  [
    ["a status of two digits", "HTTP/1.1 20 OK"],
    ["a status of four digits", "HTTP/1.1 2000 OK"],
    ["a status that is a word", "HTTP/1.1 OK"],
    ["a status with a sign", "HTTP/1.1 +20 OK"],
    ["a status in hexadecimal", "HTTP/1.1 0xC OK"],
    ["two spaces before the status", "HTTP/1.1  200 OK"],
    ["a tab before the status", "HTTP/1.1\t200 OK"],
    ["no status", "HTTP/1.1 "],
    ["a status of 000", "HTTP/1.1 000 OK"],
    ["the version in lower case", "http/1.1 200 OK"],
    ["HTTP/2.0", "HTTP/2.0 200 OK"],
    ["a version without its minor number", "HTTP/1 200 OK"],
    ["a version of two digits", "HTTP/1.10 200 OK"],
    ["another protocol", "ICY 200 OK"],
    ["a request", "GET / HTTP/1.1"],
    ["a space before the version", " HTTP/1.1 200 OK"],
    ["a NUL in the reason", "HTTP/1.1 200 O\0K"],
    ["a bare CR in the reason", "HTTP/1.1 200 O\rK"],
    ["a control character in the reason", "HTTP/1.1 200 \x1b[31mOK"],
  ] as [string, string][]
).map(([name, line]) => ({
  name: `a first line: ${name}`,
  bytes: response([line, "Content-Length: 5"], "hello"),
  closes: true,
  outcome: "502",
  source: "RFC 9112 §4",
}));

const noResponses: InvalidResponse[] = (
  [
    ["nothing at all", ""],
    ["an empty line", "\r\n"],
    ["a page without a head", "<!doctype html><title>hello</title>"],
    ["an alert of TLS", "\x15\x03\x01\x00\x02\x02\x46"],
    ["half a first line", "HTTP/1.1 2"],
    ["a first line and nothing more", `${okLine}\r\n`],
    ["half a field", `${okLine}\r\nContent-Le`],
    ["a head without the empty line", `${okLine}\r\nContent-Length: 0\r\n`],
    ["an interim answer and nothing more", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["an interim answer and half a head", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n"],
  ] as [string, string][]
).map(([name, bytes]) => ({ name, bytes, closes: true, outcome: "502", source: "RFC 9112 §8" }));

const fields: InvalidResponse[] = (
  [
    ["without a colon", "X-A"],
    ["without a name", ": b"],
    ["with a space in its name", "X A: b"],
    ["with a NUL in its value", "X-A: b\0c"],
    ["with a NUL in its name", "X\0A: b"],
    ["with a bare CR in its value", "X-A: b\rc"],
    ["with a bare CR and what looks like a field", "X-A: b\rSet-Cookie: c=d"],
    ["with a control character in its value", "X-A: b\x1bc"],
    ["with a DEL in its value", "X-A: b\x7f"],
    ["with a byte above 0x7F in its name", "X-\xe4: b"],
    ["with a parenthesis in its name", "X(A): b"],
  ] as [string, string][]
).map(([name, line]) => ({
  name: `a field ${name}`,
  bytes: response([okLine, line, "Content-Length: 5"], "hello"),
  closes: true,
  outcome: "502",
  source: "RFC 9110 §5.5",
}));

/** What a proxy refuses or repairs, but never passes on as it is. */
const repairable: InvalidResponse[] = (
  [
    ["a value that goes on in the next line", ["X-A: b", " c"], "RFC 9112 §5.2"],
    ["a value that goes on behind a tab", ["X-A: b", "\tc"], "RFC 9112 §5.2"],
    ["a value that begins in the next line", ["X-A:", " b"], "RFC 9112 §5.2"],
    ["a space before the colon", ["X-A : b"], "RFC 9112 §5.1"],
  ] as [string, string[], string][]
).map(([name, lines, source]) => ({
  name,
  bytes: response([okLine, ...lines, "Content-Length: 5"], "hello"),
  closes: true,
  outcome: "502 or mended",
  source,
}));

/** Two readers would find the body's end in two places. */
const framings: InvalidResponse[] = (
  [
    ["a length and chunked", ["Content-Length: 5", "Transfer-Encoding: chunked"]],
    ["chunked and a length", ["Transfer-Encoding: chunked", "Content-Length: 15"]],
    ["two different lengths", ["Content-Length: 5", "Content-Length: 6"]],
    ["two different lengths in a list", ["Content-Length: 5, 6"]],
    ["a length with a sign", ["Content-Length: +5"]],
    ["a length below zero", ["Content-Length: -5"]],
    ["a length in hexadecimal", ["Content-Length: 0x5"]],
    ["a length that is a word", ["Content-Length: five"]],
    ["a length without a value", ["Content-Length:"]],
    ["a length with a space within", ["Content-Length: 1 5"]],
    ["a length that no integer holds", ["Content-Length: 18446744073709551621"]],
    ["a length hidden by a NUL", ["Content-Length: 5\0"]],
    ["chunked behind a vertical tab", ["Content-Length: 5", "Transfer-Encoding: \x0bchunked"]],
    ["chunked behind a bare CR", ["Content-Length: 5", "X-A: b\rTransfer-Encoding: chunked"]],
    ["chunked in a line that goes on, and a length", ["Content-Length: 5", "Transfer-Encoding:", " chunked"]],
  ] as [string, string[]][]
).map(([name, lines]) => ({
  name,
  bytes: response([okLine, ...lines], `${chunk("hello")}${lastChunk}`),
  closes: true,
  outcome: "502",
  source: "RFC 9112 §6.3",
}));

/** Bodies that turn out wrong when the head may have gone on already. */
const bodies: InvalidResponse[] = (
  [
    ["a body shorter than its length", ["Content-Length: 10"], "hello"],
    ["no body where a length says 5", ["Content-Length: 5"], ""],
    ["chunks without the last one", ["Transfer-Encoding: chunked"], chunk("hello")],
    ["half a chunk", ["Transfer-Encoding: chunked"], "a\r\nhello"],
    ["no chunk", ["Transfer-Encoding: chunked"], ""],
    ["a last chunk without the empty line", ["Transfer-Encoding: chunked"], `${chunk("hello")}0\r\n`],
    ["a size that is none", ["Transfer-Encoding: chunked"], `${chunk("hello")}xyz\r\n${lastChunk}`],
    ["a size with a sign", ["Transfer-Encoding: chunked"], `+5\r\nhello\r\n${lastChunk}`],
    [
      "a size that no integer holds",
      ["Transfer-Encoding: chunked"],
      `10000000000000005\r\nhello\r\n${lastChunk}`,
    ],
    ["a chunk longer than its size", ["Transfer-Encoding: chunked"], `4\r\nhello\r\n${lastChunk}`],
    ["a bare LF behind a size", ["Transfer-Encoding: chunked"], `5\nhello\r\n${lastChunk}`],
    ["a bare LF behind a chunk", ["Transfer-Encoding: chunked"], `5\r\nhello\n${lastChunk}`],
    [
      "a control character in an extension",
      ["Transfer-Encoding: chunked"],
      `5;\x01\r\nhello\r\n${lastChunk}`,
    ],
    ["a trailer without a colon", ["Transfer-Encoding: chunked"], `${chunk("hello")}0\r\nX-A\r\n\r\n`],
    ["content that is not chunked at all", ["Transfer-Encoding: chunked"], "hello"],
  ] as [string, string[], string][]
).map(([name, lines, body]) => ({
  name,
  bytes: response([okLine, ...lines], body),
  closes: true,
  outcome: "502 or cut",
  source: "RFC 9112 §8",
}));

/** More of a head than anybody has to hold. */
const overlong: InvalidResponse[] = (
  [
    ["a value of 1 MiB", [`X-A: ${"b".repeat(1_048_576)}`]],
    ["a name of 1 MiB", [`${"X".repeat(1_048_576)}: b`]],
    ["100,000 fields", Array.from({ length: 100_000 }, () => "X-A: b")],
  ] as [string, string[]][]
).map(([name, lines]) => ({
  name,
  bytes: response([okLine, ...lines, "Content-Length: 5"], "hello"),
  closes: true,
  outcome: "502",
  source: "RFC 9110 §5.4",
}));

/** Responses that a proxy has to answer for itself, by what is wrong with them, and all of them. */
export const invalidResponsesByTopic = {
  firstLines,
  noResponses,
  fields,
  repairable,
  framings,
  bodies,
  overlong,
};
export const invalidResponses: InvalidResponse[] = Object.values(invalidResponsesByTopic).flat();
