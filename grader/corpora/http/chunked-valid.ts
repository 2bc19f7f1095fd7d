import { chunk, lastChunk, type ValidBody } from "./body-case.ts";

const everyByte = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
const long = "0123456789abcdef".repeat(4_096);

const chunks: ValidBody[] = [
  { name: "no content", bytes: lastChunk, content: "", source: "RFC 9112 §7.1" },
  { name: "one chunk", bytes: `5\r\nhello\r\n${lastChunk}`, content: "hello", source: "RFC 9112 §7.1" },
  {
    name: "several chunks",
    bytes: `3\r\nhel\r\n1\r\nl\r\n1\r\no\r\n${lastChunk}`,
    content: "hello",
    source: "RFC 9112 §7.1",
  },
  {
    name: "a chunk for each byte",
    bytes: `${[...everyByte].map((byte) => chunk(byte)).join("")}${lastChunk}`,
    content: everyByte,
    source: "RFC 9112 §7.1",
  },
  {
    name: "a size in letters of both cases",
    bytes: `aB\r\n${"x".repeat(0xab)}\r\n${lastChunk}`,
    content: "x".repeat(0xab),
    source: "RFC 9112 §7.1",
  },
  {
    name: "a size with zeros before it",
    bytes: `0005\r\nhello\r\n${lastChunk}`,
    content: "hello",
    source: "RFC 9112 §7.1",
  },
  {
    name: "a last chunk of several zeros",
    bytes: "5\r\nhello\r\n000\r\n\r\n",
    content: "hello",
    source: "RFC 9112 §7.1",
  },
  {
    name: "content that looks like chunks",
    bytes: `${chunk("0\r\n\r\n")}${chunk("5\r\nhello\r\n")}${lastChunk}`,
    content: "0\r\n\r\n5\r\nhello\r\n",
    source: "RFC 9112 §7.1",
  },
  {
    name: "content of all bytes",
    bytes: `${chunk(everyByte)}${lastChunk}`,
    content: everyByte,
    source: "RFC 9112 §7.1",
  },
  {
    name: "content that begins and ends with line ends",
    bytes: `${chunk("\r\n\n\r")}${lastChunk}`,
    content: "\r\n\n\r",
    source: "RFC 9112 §7.1",
  },
  {
    name: "a chunk of 64 KiB",
    bytes: `${chunk(long)}${lastChunk}`,
    content: long,
    source: "RFC 9112 §7.1",
  },
  {
    name: "1,000 small chunks",
    bytes: `${chunk("abc").repeat(1_000)}${lastChunk}`,
    content: "abc".repeat(1_000),
    source: "RFC 9112 §7.1",
  },
];

/** What may stand behind a size, and is ignored. */
const extensions: ValidBody[] = (
  [
    ["a name", ";a"],
    ["a name and a value", ";a=b"],
    ["several", ";a=b;c;d=e"],
    ["of all token characters", ";!#$%&'*+-.^_`|~09AZaz=~z9"],
    ["a value in quotes", ';a="b c"'],
    ["an empty value in quotes", ';a=""'],
    ["a semicolon and an equals sign in quotes", ';a="b;c=d"'],
    ["an escaped quote in quotes", ';a="b\\"c"'],
    ["an escaped backslash before the closing quote", ';a="b\\\\"'],
    ["a tab in quotes", ';a="b\tc"'],
    ["an escaped tab and letter in quotes", ';a="\\\tb\\c"'],
    ["bytes from 0x80 on in quotes", ';a="\x80\xff"'],
    ["a number that is no size", ";5"],
    ["of 200 bytes", `;a=${"b".repeat(197)}`],
  ] as [string, string][]
).map(([name, extension]) => ({
  name: `an extension: ${name}`,
  bytes: `${chunk("hello", extension)}${chunk("!", extension)}0${extension}\r\n\r\n`,
  content: "hello!",
  source: "RFC 9112 §7.1.1",
}));

/** A reader must understand it although nobody may send it (RFC 9110 §5.6.3); a strict one may want to differ. */
const badWhiteSpace: ValidBody[] = (
  [
    ["before a semicolon", " ;a"],
    ["behind a semicolon", "; a"],
    ["around an equals sign", ";a = b"],
    ["in tabs", "\t;\ta\t=\tb"],
    ["between two extensions", ";a ; b"],
  ] as [string, string][]
).map(([name, extension]) => ({
  name: `white space ${name}`,
  bytes: `${chunk("hello", extension)}${lastChunk}`,
  content: "hello",
  source: "RFC 9112 §7.1.1",
}));

const trailers: ValidBody[] = (
  [
    ["one field", "X-A: b\r\n"],
    ["several fields", "X-A: b\r\nX-B:\r\nX-A: \tc \r\n"],
    ["a name of all token characters", "!#$%&'*+-.^_`|~09AZaz: b\r\n"],
    ["a value with bytes from 0x80 on", "X-A: \x80\xff\r\n"],
    ["a value with tabs", "X-A: b\tc\r\n"],
    ["a field that looks like a last chunk", "0: 0\r\n"],
    ["a field of 1,000 bytes", `X-A: ${"b".repeat(993)}\r\n`],
  ] as [string, string][]
).map(([name, lines]) => ({
  name: `trailers: ${name}`,
  bytes: `5\r\nhello\r\n0\r\n${lines}\r\n`,
  content: "hello",
  source: "RFC 9112 §7.1.2",
}));

/** Well-formed bodies by what they show, and all of them. */
export const validBodiesByTopic = { chunks, extensions, badWhiteSpace, trailers };
export const validBodies: ValidBody[] = Object.values(validBodiesByTopic).flat();
