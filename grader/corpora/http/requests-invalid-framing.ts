import { fieldLines, head, type InvalidRequest } from "./request-case.ts";

const host = "Host: example.org";
const post = (...lines: string[]) => head("POST / HTTP/1.1", host, ...lines);

/** Lengths that two readers could understand differently. */
const lengths: InvalidRequest[] = (
  [
    ["without a value", ""],
    ["with a plus sign", "+5"],
    ["with a minus sign", "-5"],
    ["below zero by nothing", "-0"],
    ["in hexadecimal", "0x5"],
    ["with hexadecimal digits", "5a"],
    ["with an exponent", "1e1"],
    ["with a fraction", "5.0"],
    ["with a space within", "5 5"],
    ["with a tab within", "5\t5"],
    ["with an underscore", "1_000"],
    ["with a thousands separator", "1,000"],
    ["in quotes", '"5"'],
    ["with a parameter", "5;a=b"],
    ["that is a list of two", "5, 6"],
    ["that is a list with a word", "5, chunked"],
    ["with a NUL behind it", "5\0"],
    ["with a vertical tab before it", "\x0b5"],
    ["with a form feed behind it", "5\x0c"],
    ["with a no-break space behind it", "5\xa0"],
    ["in digits of another script", "\xd9\xa5"],
    ["that is a word", "five"],
    ["that goes on in the next line", "1\r\n 5"],
    ["that is a bare CR away from another", "5\r6"],
  ] as [string, string][]
).map(([name, value]) => ({
  name: `a Content-Length ${name}`,
  bytes: post(`Content-Length: ${value}`),
  status: 400,
  source: "RFC 9112 §6.3",
}));

/** Numbers that arithmetic with 64 bits takes for 5, or for one below zero. */
const overflows: InvalidRequest[] = [
  "18446744073709551621",
  "9223372036854775808",
  `1${"0".repeat(400)}`,
].map((value) => ({
  name: `a Content-Length that no integer holds: ${value.slice(0, 24)}`,
  bytes: post(`Content-Length: ${value}`),
  status: [400, 413],
  source: "RFC 9110 §8.6",
}));

const twoLengths: InvalidRequest[] = (
  [
    ["two different Content-Length fields", ["Content-Length: 5", "Content-Length: 6"]],
    ["two different Content-Length fields apart", ["content-length: 0", "X-A: b", "CONTENT-LENGTH: 44"]],
    ["a second Content-Length that is empty", ["Content-Length: 5", "Content-Length:"]],
    ["a second Content-Length that is no number", ["Content-Length: 5", "Content-Length: x"]],
    ["a list, and one of its numbers again", ["Content-Length: 5, 6", "Content-Length: 5"]],
    ["a space before the colon of Content-Length", ["Content-Length : 5"]],
    ["a tab before the colon of Content-Length", ["Content-Length\t: 5"]],
    ["a NUL in the name Content-Length", ["Content-\0Length: 5"]],
    ["a space in the name Content-Length", ["Content Length: 5"]],
    ["a Content-Length on a line that goes on", ["X-A: b", " Content-Length: 5"]],
  ] as [string, string[]][]
).map(([name, lines]) => ({ name, bytes: post(...lines), status: 400, source: "RFC 9112 §6.3" }));

const bothFramings: InvalidRequest[] = (
  [
    ["a length and chunked", ["Content-Length: 5", "Transfer-Encoding: chunked"]],
    ["chunked and a length", ["Transfer-Encoding: chunked", "Content-Length: 5"]],
    ["chunked and a length of 0", ["Transfer-Encoding: chunked", "Content-Length: 0"]],
    ["chunked and a length, names in odd case", ["tRANSFER-eNCODING: chunked", "cONTENT-lENGTH: 5"]],
    ["chunked and a length with fields between", ["Content-Length: 5", "A: b", "Transfer-Encoding: chunked"]],
    ["a length and a coding that is none", ["Content-Length: 5", "Transfer-Encoding: identity"]],
    ["a length and a coding without a value", ["Content-Length: 5", "Transfer-Encoding:"]],
    ["a length and a coding hidden by a space", ["Content-Length: 5", "Transfer-Encoding : chunked"]],
    ["a length and a coding hidden by a tab", ["Content-Length: 5", "Transfer-Encoding\t: chunked"]],
    [
      "a length and a coding hidden by a vertical tab",
      ["Content-Length: 5", "Transfer-Encoding: \x0bchunked"],
    ],
    ["a length and a coding hidden by a NUL", ["Content-Length: 5", "Transfer-Encoding\0: chunked"]],
    ["a length and a coding hidden by a fold", ["Content-Length: 5", "Transfer-Encoding:", " chunked"]],
    ["a length and a coding behind a bare CR", ["Content-Length: 5", "X-A: b\rTransfer-Encoding: chunked"]],
    ["a coding and a length behind a bare CR", ["Transfer-Encoding: chunked", "X: b\rContent-Length: 5"]],
  ] as [string, string[]][]
).map(([name, lines]) => ({ name, bytes: post(...lines), status: 400, source: "RFC 9112 §6.1" }));

const codings: InvalidRequest[] = (
  [
    ["without a value", ["Transfer-Encoding:"]],
    ["of white space", ["Transfer-Encoding: \t"]],
    ["identity", ["Transfer-Encoding: identity"]],
    ["gzip alone", ["Transfer-Encoding: gzip"]],
    ["that nobody knows", ["Transfer-Encoding: xchunked"]],
    ["that only begins like chunked", ["Transfer-Encoding: chunkedx"]],
    ["that is cut off", ["Transfer-Encoding: chunke"]],
    ["with something behind chunked", ["Transfer-Encoding: chunked, gzip"]],
    ["with identity behind chunked", ["Transfer-Encoding: chunked, identity"]],
    ["with chunked twice in a list", ["Transfer-Encoding: chunked, chunked"]],
    ["with chunked twice in two fields", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"]],
    ["with another in the next field", ["Transfer-Encoding: chunked", "transfer-encoding: gzip"]],
    ["chunked and another in a field apart", ["Transfer-Encoding: chunked", "A: b", "Transfer-Encoding: x"]],
    ["chunked with a parameter", ["Transfer-Encoding: chunked;a=b"]],
    ["chunked with an empty parameter", ["Transfer-Encoding: chunked;"]],
    ["chunked in quotes", ['Transfer-Encoding: "chunked"']],
    ["chunked in single quotes", ["Transfer-Encoding: 'chunked'"]],
    ["with a space within chunked", ["Transfer-Encoding: chun ked"]],
    ["chunked with a word behind it", ["Transfer-Encoding: chunked gzip"]],
    ["chunked with a NUL behind it", ["Transfer-Encoding: chunked\0"]],
    ["chunked with a vertical tab before it", ["Transfer-Encoding: \x0bchunked"]],
    ["chunked with a form feed behind it", ["Transfer-Encoding: chunked\x0c"]],
    ["chunked with a no-break space behind it", ["Transfer-Encoding: chunked\xa0"]],
    ["chunked with a semicolon before it", ["Transfer-Encoding: ;chunked"]],
    ["chunked with a dot behind it", ["Transfer-Encoding: chunked."]],
    ["chunked in the next line", ["Transfer-Encoding:", " chunked"]],
    ["chunked behind a bare CR", ["Transfer-Encoding: \rchunked"]],
    ["with a space before the colon", ["Transfer-Encoding : chunked"]],
    ["with a tab before the colon", ["Transfer-Encoding\t: chunked"]],
    ["with a space before its name", [" Transfer-Encoding: chunked"]],
    ["with a space in its name", ["Transfer Encoding: chunked"]],
  ] as [string, string[]][]
).map(([name, lines]) => ({
  name: `a transfer coding ${name}`,
  bytes: post(...lines),
  status: 400,
  source: "RFC 9112 §6.3",
}));

const unsupported: InvalidRequest[] = [
  {
    name: "chunked in HTTP/1.0",
    bytes: head("POST / HTTP/1.0", host, "Transfer-Encoding: chunked"),
    status: 400,
    source: "RFC 9112 §6.1",
  },
  {
    name: "chunked and a length in HTTP/1.0",
    bytes: head("POST / HTTP/1.0", host, "Transfer-Encoding: chunked", "Content-Length: 5"),
    status: 400,
    source: "RFC 9112 §6.1",
  },
  {
    name: "gzip in HTTP/1.0",
    bytes: head("POST / HTTP/1.0", host, "Transfer-Encoding: gzip"),
    status: 400,
    source: "RFC 9112 §6.1",
  },
  {
    name: "gzip before chunked, which nobody has to know",
    bytes: post("Transfer-Encoding: gzip, chunked"),
    status: 501,
    source: "RFC 9112 §6.1",
  },
  {
    name: "gzip before chunked in a field of its own",
    bytes: post("Transfer-Encoding: gzip", "Transfer-Encoding: chunked"),
    status: 501,
    source: "RFC 9112 §6.1",
  },
  {
    name: "a malformed length with GET, whose body nobody wants",
    bytes: fieldLines("Content-Length: x"),
    status: 400,
    source: "RFC 9112 §6.3",
  },
  {
    name: "a length and chunked with GET",
    bytes: fieldLines("Content-Length: 5", "Transfer-Encoding: chunked"),
    status: 400,
    source: "RFC 9112 §6.1",
  },
];

/** Heads that leave in doubt where the body ends: what requests are smuggled with (RFC 9112 §11.2). */
export const invalidFramings: InvalidRequest[] = [
  ...lengths,
  ...overflows,
  ...twoLengths,
  ...bothFramings,
  ...codings,
  ...unsupported,
];
