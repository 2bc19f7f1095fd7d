import fc from "fast-check";

/**
 * One change of some bytes, as a fuzzer makes it. Places are shares of the length, 0 to 1, so that a change fits every text
 * and keeps its meaning while fast-check looks for a smaller counterexample.
 */
export type Mutation =
  | { kind: "set"; at: number; piece: string }
  | { kind: "insert"; at: number; piece: string }
  | { kind: "delete"; at: number; length: number }
  | { kind: "repeat"; at: number; length: number }
  | { kind: "move"; at: number; length: number; to: number };

/** What parsers stumble over: line ends in all forms, separators, controls, numbers at the border, framing fields. */
const pieces = [
  ...'\r\n\0\t :;,"\\=?#%/*@[]()\x0b\x0c\x1b\x7f\x80\xa0\xff',
  ..."09afAFghxX+-.",
  "\r\n",
  "\r\n\r\n",
  "\n\n",
  "\r\r\n",
  "\r\n ",
  "\r\n\t",
  "0\r\n\r\n",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/2.0",
  "GET / HTTP/1.1\r\n",
  "CONNECT ",
  "OPTIONS * ",
  "http://a",
  "Host: b\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 18446744073709551621\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip\r\n",
  "chunked",
  ", chunked",
  ';a="b"',
  "ffffffffffffffff",
];

const at = fc.double({ min: 0, max: 1, noNaN: true });
const length = fc.integer({ min: 1, max: 12 });
const anyByte = fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte));
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...pieces) },
  { weight: 1, arbitrary: anyByte },
);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("set"), at, piece }),
  fc.record({ kind: fc.constant("insert"), at, piece }),
  fc.record({ kind: fc.constant("delete"), at, length }),
  fc.record({ kind: fc.constant("repeat"), at, length }),
  fc.record({ kind: fc.constant("move"), at, length, to: at }),
);

function apply(text: string, change: Mutation): string {
  const start = Math.floor(change.at * text.length);
  const before = text.slice(0, start);
  if (change.kind === "insert") return before + change.piece + text.slice(start);
  if (change.kind === "set") return before + change.piece + text.slice(start + change.piece.length);
  const taken = text.slice(start, start + change.length);
  if (change.kind === "repeat") return before + taken + text.slice(start);
  const rest = before + text.slice(start + change.length);
  if (change.kind === "delete") return rest;
  const to = Math.floor(change.to * rest.length);
  return rest.slice(0, to) + taken + rest.slice(to);
}

/**
 * Some texts with up to four changes each; now and then the first half of one and the second half of another.
 * @param corpus texts, one character for each byte
 */
export function mutated(corpus: string[]): fc.Arbitrary<string> {
  const seed = fc.constantFrom(...corpus);
  const spliced = fc
    .tuple(seed, seed, at, at)
    .map(([one, other, end, start]) => one.slice(0, end * one.length) + other.slice(start * other.length));
  return fc
    .tuple(
      fc.oneof({ weight: 4, arbitrary: seed }, { weight: 1, arbitrary: spliced }),
      fc.array(mutation, { maxLength: 4 }),
    )
    .map(([text, mutations]) => mutations.reduce(apply, text));
}

/** Where a text is cut into pieces, as shares of its length. */
export const cutPlaces: fc.Arbitrary<number[]> = fc.array(at, { maxLength: 6 });

/** The ends of the pieces of a text of this length. */
export function pieceEnds(places: number[], length: number): number[] {
  const inner = places.map((place) => Math.floor(place * length));
  return [...inner.sort((one, other) => one - other), length];
}
