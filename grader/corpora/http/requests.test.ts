import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { RequestParser } from "../../../solutions/expserver/http/parser.ts";
import type { InvalidRequest, ParsedHead, ValidRequest } from "./request-case.ts";
import { invalidByteRequests, validByteRequests } from "./requests-every-byte.ts";
import { invalidRequests, invalidRequestsByTopic } from "./requests-invalid.ts";
import { validRequests, validRequestsByTopic } from "./requests-valid.ts";

/** At how many places a request is cut that is too long to be cut everywhere. */
const fewCuts = 40;

/** What the parser makes of a request that comes in these pieces, each at another place in its buffer. */
function outcome(bytes: Uint8Array, ends: number[]): ParsedHead | number | string {
  const parser = new RequestParser();
  const buffer = new Uint8Array(bytes.length + 16);
  let start = 0;
  let taken = 0;
  for (const end of ends) {
    // Whatever the parser keeps of the pieces before, it must have copied.
    buffer.fill(0x41);
    const at = start % 7;
    buffer.set(bytes.subarray(start, end), at);
    taken += parser.parse(buffer, at, at + end - start);
    start = end;
    if (parser.isComplete || parser.refusal !== undefined) break;
  }
  if (parser.refusal !== undefined) return parser.refusal.status;
  if (!parser.isComplete) return "unfinished";
  if (taken !== bytes.length) return `${taken} of ${bytes.length} bytes taken`;
  const { method, target, path, query, host, minorVersion, fields } = parser;
  const headers = Array.from({ length: fields.count }, (_, index): [string, string] => [
    fields.name(index),
    fields.value(index),
  ]);
  const version = minorVersion === 0 ? "1.0" : "1.1";
  return { method, target, path, query: query ?? null, version, headers, host: host ?? null };
}

/** Whole, byte by byte, and cut in two: all have to be understood alike. */
function expectAlways(text: string, isRight: (outcome: ParsedHead | number | string) => void): void {
  const bytes = Buffer.from(text, "latin1");
  const { length } = bytes;
  const whole = outcome(bytes, [length]);
  isRight(whole);
  const expectSame = (ends: number[], how: string) => {
    const inPieces = outcome(bytes, ends);
    if (!isDeepStrictEqual(inPieces, whole)) expect(inPieces, how).toEqual(whole);
  };
  const each = Array.from({ length }, (_, index) => index + 1);
  expectSame(each, "byte by byte");
  const step = length < 1_000 ? 1 : Math.ceil(length / fewCuts);
  for (let cut = 1; cut < length; cut += step) expectSame([cut, length], `cut at ${cut}`);
}

function expectParsed({ bytes, expected }: ValidRequest): void {
  expectAlways(bytes, (outcome) => expect(outcome).toEqual(expected));
}

function expectRefused({ bytes, status }: InvalidRequest): void {
  expectAlways(bytes, (outcome) => expect([status].flat()).toContain(outcome));
}

for (const [topic, requests] of Object.entries(validRequestsByTopic)) {
  describe(`the reference parses (${topic})`, () => {
    test.each(requests)("$name", expectParsed);
  });
}

for (const [topic, requests] of Object.entries(invalidRequestsByTopic)) {
  describe(`the reference refuses (${topic})`, () => {
    test.each(requests)("$name", expectRefused);
  });
}

describe("every byte in every place", () => {
  test("is parsed where the grammar has it", () => {
    for (const request of validByteRequests) expectParsed(request);
  });

  test("is refused where it has not", () => {
    for (const request of invalidByteRequests) expectRefused(request);
  });
});

describe("the corpus", () => {
  const all = [...validRequests, ...invalidRequests, ...validByteRequests, ...invalidByteRequests];

  test("gives no name and no request twice", () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    const byHand = [...validRequests, ...invalidRequests];
    expect(new Set(byHand.map(({ bytes }) => bytes)).size).toBe(byHand.length);
  });

  test("has bytes only, one for each character", () => {
    for (const { name, bytes } of all)
      expect(Buffer.from(bytes, "latin1").toString("latin1"), name).toBe(bytes);
  });
});
