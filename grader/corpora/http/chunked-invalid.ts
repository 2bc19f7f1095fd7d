import { type InvalidBody, lastChunk } from "./body-case.ts";
import { hexByte } from "./request-case.ts";

const hello = "5\r\nhello\r\n";

/** Lines in the place of a chunk's size. */
const sizes: InvalidBody[] = (
  [
    ["nothing", ""],
    ["a plus sign before it", "+5"],
    ["a minus sign before it", "-5"],
    ["minus zero", "-0"],
    ["0x before it", "0x5"],
    ["an h behind it", "5h"],
    ["a letter that is no digit", "g"],
    ["an underscore within", "1_0"],
    ["a dot within", "5.0"],
    ["a comma within", "5,0"],
    ["a space before it", " 5"],
    ["a tab before it", "\t5"],
    ["a space behind it", "5 "],
    ["a tab behind it", "5\t"],
    ["a space within", "0 5"],
    ["quotes around it", '"5"'],
    ["a NUL behind it", "5\0"],
    ["a NUL before it", "\0" + "5"],
    ["a vertical tab before it", "\x0b5"],
    ["a form feed behind it", "5\x0c"],
    ["a no-break space behind it", "5\xa0"],
    ["digits of another script", "\xd9\xa5"],
    ["a word", "five"],
    ["an empty line before it", "\r\n5"],
    ["a second CR behind it", "5\r"],
  ] as [string, string][]
).map(([name, size]) => ({
  name: `a size: ${name}`,
  bytes: `${size}\r\nhello\r\n${lastChunk}`,
  status: 400,
  source: "RFC 9112 §7.1",
}));

/** Sizes that arithmetic with 32 or 64 bits takes for 5, for a negative number or for 0. */
const overflows: InvalidBody[] = [
  "10000000000000005",
  "8000000000000005",
  "ffffffffffffffff",
  "fffffffffffffffff",
  "100000000000000000000000000000005",
  "10000000000000000",
  `1${"0".repeat(100)}5`,
].map((size) => ({
  name: `a size beyond all numbers: ${size.slice(0, 33)}`,
  bytes: `${size}\r\nhello\r\n${lastChunk}`,
  status: [400, 413],
  source: "RFC 9112 §7.1",
}));

/** Bare LF and CR, which a head forgives and chunks do not. */
const lineEnds: InvalidBody[] = (
  [
    ["a bare LF behind the size", `5\nhello\r\n${lastChunk}`],
    ["a bare CR behind the size", `5\rhello\r\n${lastChunk}`],
    ["a bare LF behind the content", `5\r\nhello\n${lastChunk}`],
    ["a bare CR behind the content", `5\r\nhello\r${lastChunk}`],
    ["LF and CR behind the content", `5\r\nhello\n\r${lastChunk}`],
    ["a bare LF behind the last size", `${hello}0\n\r\n`],
    ["a bare LF as the last line", `${hello}0\r\n\n`],
    ["bare LF only", "5\nhello\n0\n\n"],
    ["a bare LF behind an extension", `5;a\nhello\r\n${lastChunk}`],
    ["a bare CR in an extension", `5;a\rb\r\nhello\r\n${lastChunk}`],
    ["a bare LF behind a trailer", `${hello}0\r\nX-A: b\n\r\n`],
    ["a bare CR in a trailer", `${hello}0\r\nX-A: b\rc\r\n\r\n`],
    ["a bare CR as the last line", `${hello}0\r\n\rX`],
  ] as [string, string][]
).map(([name, bytes]) => ({ name, bytes, status: 400, source: "RFC 9112 §2.2, §7.1" }));

const contents: InvalidBody[] = (
  [
    ["content that is longer than its size", `4\r\nhello\r\n${lastChunk}`],
    ["content that is shorter than its size", `6\r\nhello\r\n${lastChunk}`],
    ["no line end behind the content", "5\r\nhello0\r\n\r\n"],
    ["two line ends behind the content", `5\r\nhello\r\n\r\n${lastChunk}`],
    ["another byte in place of the line end", `5\r\nhelloXX${lastChunk}`],
    ["content behind the last chunk", "0\r\nhello\r\n\r\n"],
  ] as [string, string][]
).map(([name, bytes]) => ({ name, bytes, status: 400, source: "RFC 9112 §7.1" }));

const extensions: InvalidBody[] = (
  [
    ["without a name", ";"],
    ["without a name before the value", ";=b"],
    ["without a value behind the equals sign", ";a="],
    ["with an empty one among them", ";a;;b"],
    ["with a comma", ",a"],
    ["with a word and no semicolon", " a"],
    ["with a space in its name", ";a b"],
    ["with a NUL in its name", ";a\0b"],
    ["with a NUL in its value", ";a=b\0"],
    ["with a NUL in quotes", ';a="b\0"'],
    ["with a CR in quotes", ';a="b\rc"'],
    ["with a line end in quotes", ';a="b\r\nc"'],
    ["with a bare LF in quotes", ';a="b\nc"'],
    ["with an escaped LF in quotes", ';a="b\\\nc"'],
    ["with an escaped NUL in quotes", ';a="b\\\0"'],
    ["with a quote that is not closed", ';a="b'],
    ["with something behind the quotes", ';a="b"c'],
    ["with a quote in a value", ';a=b"c"'],
    ["with a name in quotes", ';"a"=b'],
    ["with a form feed", ";a\x0c"],
    ["with a DEL in quotes", ';a="\x7f"'],
    ["with a byte above 0x7F in its name", ";\xe4"],
    ["with a slash in its value", ";a=b/c"],
    ["with a space behind it", ";a "],
    ["with a tab behind it", ";a=b\t"],
  ] as [string, string][]
).map(([name, extension]) => ({
  name: `an extension ${name}`,
  bytes: `5${extension}\r\nhello\r\n${lastChunk}`,
  status: 400,
  source: "RFC 9112 §7.1.1",
}));

const trailers: InvalidBody[] = (
  [
    ["without a colon", "X-A"],
    ["without a name", ": b"],
    ["with a space before the colon", "X-A : b"],
    ["with a space in its name", "X A: b"],
    ["that begins with a space", " X-A: b"],
    ["that goes on in the next line", "X-A: b\r\n c"],
    ["with a NUL in its name", "X\0A: b"],
    ["with a NUL in its value", "X-A: b\0"],
    ["with a control character in its value", "X-A: \x1b"],
    ["with a DEL in its value", "X-A: \x7f"],
    ["with a byte above 0x7F in its name", "X-\xe4: b"],
    ["that is a request line", "GET / HTTP/1.1"],
  ] as [string, string][]
).map(([name, line]) => ({
  name: `a trailer ${name}`,
  bytes: `${hello}0\r\n${line}\r\n\r\n`,
  status: 400,
  source: "RFC 9112 §7.1.2",
}));

/** More than anybody has to take beside the content. */
const overlong: InvalidBody[] = (
  [
    ["an extension of 100,000 bytes", `5;a=${"b".repeat(100_000)}\r\nhello\r\n${lastChunk}`],
    ["an extension of 100,000 bytes in quotes", `5;a="${"b".repeat(100_000)}"\r\nhello\r\n${lastChunk}`],
    ["50,000 extensions", `5${";a".repeat(50_000)}\r\nhello\r\n${lastChunk}`],
    [
      "2,000 chunks of a byte with extensions of 50",
      `${`1;${"a".repeat(49)}\r\nx\r\n`.repeat(2_000)}${lastChunk}`,
    ],
    ["a trailer of 100,000 bytes", `${hello}0\r\nX-A: ${"b".repeat(100_000)}\r\n\r\n`],
    ["20,000 trailers", `${hello}0\r\n${"X: y\r\n".repeat(20_000)}\r\n`],
  ] as [string, string][]
).map(([name, bytes]) => ({ name, bytes, status: [400, 413, 431], source: "RFC 9112 §7.1.1, §7.1.2" }));

/** A byte in a place that has no choice, or only few: every other of the 256. */
const everyByte: InvalidBody[] = (
  [
    ["behind a size", (byte) => `5${byte}\r\nhello\r\n${lastChunk}`, /[0-9A-Fa-f]/],
    ["in place of a size", (byte) => `${byte}\r\nhello\r\n${lastChunk}`, /[0-9A-Fa-f]/],
    ["in place of the CR behind the content", (byte) => `5\r\nhello${byte}\n${lastChunk}`, /\r/],
    ["in place of the LF behind the content", (byte) => `5\r\nhello\r${byte}${lastChunk}`, /\n/],
    ["in place of the LF behind the size", (byte) => `5\r${byte}hello\r\n${lastChunk}`, /\n/],
    ["in place of the last LF", (byte) => `${hello}0\r\n\r${byte}`, /\n/],
    [
      "in an extension's name",
      (byte) => `5;a${byte}b\r\nhello\r\n${lastChunk}`,
      /[!#$%&'*+\-.^_`|~0-9A-Za-z=;]/,
    ],
    ["in quotes", (byte) => `5;a="${byte}b"\r\nhello\r\n${lastChunk}`, /[\t \x21\x23-\x7e\x80-\xff]/],
    ["in a trailer's name", (byte) => `${hello}0\r\nX${byte}Y: a\r\n\r\n`, /[!#$%&'*+\-.^_`|~0-9A-Za-z:]/],
    ["in a trailer's value", (byte) => `${hello}0\r\nX: a${byte}b\r\n\r\n`, /[\t \x21-\x7e\x80-\xff]/],
  ] as [string, (byte: string) => string, RegExp][]
).flatMap(([where, build, allowed]) =>
  Array.from({ length: 256 }, (_, byte) => byte)
    .filter((byte) => !allowed.test(String.fromCharCode(byte)))
    .map((byte) => ({
      name: `the byte ${hexByte(byte)} ${where}`,
      bytes: build(String.fromCharCode(byte)),
      status: 400,
      source: "RFC 9112 §7.1",
    })),
);

/** Malformed bodies by what is wrong with them, and all of them. */
export const invalidBodiesByTopic = { sizes, overflows, lineEnds, contents, extensions, trailers, overlong };
export const invalidBodies: InvalidBody[] = Object.values(invalidBodiesByTopic).flat();
/** The same for each byte that is wrong in a place: about 2,000 more. */
export const invalidByteBodies: InvalidBody[] = everyByte;

/** Bodies that are right as far as they go. At the end of the stream they are incomplete (RFC 9112 §8). */
export const unfinishedBodies: { name: string; bytes: string }[] = [
  { name: "nothing has come", bytes: "" },
  { name: "half a size", bytes: "1" },
  { name: "a size and no content", bytes: "5\r\n" },
  { name: "half the content", bytes: "5\r\nhel" },
  { name: "content without its line end", bytes: "5\r\nhello" },
  { name: "no last chunk", bytes: hello },
  { name: "a last chunk without its line end", bytes: `${hello}0` },
  { name: "a last chunk without the empty line", bytes: `${hello}0\r\n` },
  { name: "a last chunk and half the empty line", bytes: `${hello}0\r\n\r` },
  { name: "a trailer without the empty line", bytes: `${hello}0\r\nX-A: b\r\n` },
];
