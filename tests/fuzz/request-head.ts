import fc from "fast-check";
import { invalidRequests } from "../../grader/corpora/http/requests-invalid.ts";
import { validRequests } from "../../grader/corpora/http/requests-valid.ts";
import { RequestParser } from "../../solutions/expserver/http/parser.ts";
import { cutPlaces, mutated, pieceEnds } from "./mutation.ts";
import type { FuzzTarget } from "./target.ts";

/** What a parser has made of some bytes. */
type Head = {
  taken: number;
  method: string;
  target: string;
  path: string;
  query: string | undefined;
  host: string | undefined;
  minorVersion: number;
  contentLength: number;
  isChunked: boolean;
  headers: [name: string, value: string][];
};
type Outcome = { head: Head } | { status: number } | "unfinished";

/** Gives a parser the bytes in pieces that end at these places. */
function parse(parser: RequestParser, text: string, ends: number[]): Outcome {
  const bytes = Buffer.from(text, "latin1");
  let start = 0;
  let taken = 0;
  for (const end of ends) {
    // Each piece is a buffer of its own that is overwritten afterwards, as a receive buffer is.
    const piece = Buffer.from(bytes.subarray(start, end));
    const count = parser.parse(piece, 0, piece.length);
    if (!(count >= 0 && count <= piece.length))
      throw new Error(`${count} of ${piece.length} bytes were taken`);
    taken += count;
    start = end;
    if (parser.refusal !== undefined) return { status: parser.refusal.status };
    if (parser.isComplete) return { head: readHead(parser, taken) };
    if (count !== piece.length) throw new Error("an unfinished head did not take all bytes");
    piece.fill(0x2a);
  }
  return "unfinished";
}

function readHead(parser: RequestParser, taken: number): Head {
  const { method, target, path, query, host, minorVersion, fields, framing } = parser;
  const { contentLength, isChunked } = framing;
  const headers = Array.from({ length: fields.count }, (_, index): [string, string] => [
    fields.name(index),
    fields.value(index),
  ]);
  return { taken, method, target, path, query, host, minorVersion, contentLength, isChunked, headers };
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const grammar =
  /^(?:\r?\n)*[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e]+ HTTP\/1\.[0-9]\r?\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t \x21-\x7e\x80-\xff]*\r?\n)*\r?\n$/;

/** What must hold of a head that was accepted, whoever parsed it: here read with other means than the parser's. */
function expectSound(text: string, head: Head): void {
  const demand = (holds: boolean, what: string) => {
    if (!holds) throw new Error(`accepted, but ${what}`);
  };
  demand(grammar.test(text.slice(0, head.taken)), "its bytes are not what the grammar allows");
  demand(token.test(head.method), "the method is no token");
  demand(/^[\x21-\x7e]+$/.test(head.target), "the target has a byte that it must not have");
  for (const [name, value] of head.headers) {
    demand(token.test(name), `the name ${JSON.stringify(name)} is no token`);
    demand(/^[\t \x21-\x7e\x80-\xff]*$/.test(value), `the value of ${name} has a control character`);
    demand(value === value.replace(/^[\t ]+|[\t ]+$/g, ""), `the value of ${name} has white space around it`);
  }
  const valuesOf = (wanted: string) =>
    head.headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  const hosts = valuesOf("host");
  demand(
    hosts.length === 1 || (head.minorVersion === 0 && hosts.length === 0),
    "Host is missing or repeated",
  );
  const lengths = valuesOf("content-length");
  const codings = valuesOf("transfer-encoding");
  demand(lengths.length + codings.length <= 1, "two fields frame its body");
  demand(
    lengths.every((length) => /^[0-9]+$/.test(length)),
    "its length is no number",
  );
  demand(head.contentLength === (lengths.length === 1 ? Number(lengths[0]) : -1), "its length is another");
  demand(Number.isSafeInteger(head.contentLength), "its length is not exact");
  demand(
    codings.every((coding) => /^[\t ,]*chunked[\t ,]*$/i.test(coding)),
    "its coding is not chunked alone",
  );
  demand(codings.length === 0 || head.minorVersion > 0, "HTTP/1.0 has a transfer coding");
  demand(head.isChunked === (codings.length === 1), "it is chunked for one reader and not for another");
}

/** The head as a proxy would write it anew. */
function serialise({ method, target, minorVersion, headers }: Head): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.${minorVersion}\r\n${lines.join("")}\r\n`;
}

/** Lives through all runs, so that what one message leaves behind would show in the next. */
const used = new RequestParser();

/** Heads that the grammar allows, with what has to be found in them. */
const wellFormed = (() => {
  const letters = [..."!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"];
  const word = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 12 });
  const inTarget = [..."-._~!$&'()*+,;=:@/aZ09", "%41", "%2F"];
  const segment = fc.string({ unit: fc.constantFrom(...inTarget), maxLength: 20 });
  const inValue = [...'abc,;="\\/:? \t\x80\xe4\xff(){}[]<>@'];
  const value = fc.string({ unit: fc.constantFrom(...inValue), maxLength: 30 });
  const space = fc.string({ unit: fc.constantFrom(" ", "\t"), maxLength: 3 });
  const field = fc.record({ name: word.map((name) => `X-${name}`), before: space, value, after: space });
  return fc.record({
    method: word.map((method) => `X${method}`),
    path: segment.map((text) => `/${text}`),
    query: fc.option(segment, { nil: undefined }),
    lineEnd: fc.constantFrom("\r\n", "\n"),
    fields: fc.array(field, { maxLength: 8 }),
  });
})();

const corpus = [...validRequests, ...invalidRequests]
  .map(({ bytes }) => bytes)
  .filter(({ length }) => length < 10_000);

const anything = fc.property(mutated(corpus), cutPlaces, (text, places) => {
  const whole = parse(new RequestParser(), text, [text.length]);
  const inPieces = { "in pieces": pieceEnds(places, text.length), "byte by byte": eachByte(text) };
  for (const [how, ends] of Object.entries(inPieces)) {
    used.reset();
    expectSame(parse(used, text, ends), whole, how);
  }
  if (whole === "unfinished" || "status" in whole) return;
  expectSound(text, whole.head);
  const followed = `${text.slice(0, whole.head.taken)}\0\r\n`;
  expectSame(parse(new RequestParser(), followed, [followed.length]), whole, "with other bytes behind it");
  const anew = serialise(whole.head);
  const again = { head: { ...whole.head, taken: anew.length } };
  expectSame(parse(new RequestParser(), anew, [anew.length]), again, "serialised and parsed again");
});

const whatTheGrammarAllows = fc.property(
  wellFormed,
  cutPlaces,
  ({ method, path, query, lineEnd, fields }, places) => {
    const target = query === undefined ? path : `${path}?${query}`;
    const lines = fields.map(({ name, before, value, after }) => `${name}:${before}${value}${after}`);
    const text = `${[`${method} ${target} HTTP/1.1`, "Host: a", ...lines].join(lineEnd)}${lineEnd}${lineEnd}`;
    const outcome = parse(new RequestParser(), text, pieceEnds(places, text.length));
    const headers = fields.map(({ name, value }) => [name, value.replace(/^[\t ]+|[\t ]+$/g, "")]);
    const expected = {
      head: {
        taken: text.length,
        ...{ method, target, path, query },
        ...{ host: "a", minorVersion: 1, contentLength: -1, isChunked: false },
        headers: [["Host", "a"], ...headers],
      },
    };
    expectSame(outcome, expected, "as the grammar has it");
  },
);

function eachByte(text: string): number[] {
  return Array.from({ length: text.length }, (_, index) => index + 1);
}

function expectSame(outcome: unknown, expected: unknown, how: string): void {
  const [is, shouldBe] = [JSON.stringify(outcome), JSON.stringify(expected)];
  if (is !== shouldBe) throw new Error(`${how} it is ${is}\nand should be ${shouldBe}`);
}

export const requestHead: FuzzTarget[] = [
  { name: "a request head of any bytes", property: anything },
  { name: "a request head that the grammar allows", property: whatTheGrammarAllows },
];
