import { expect, test } from "vitest";
import { parseRange } from "./range.ts";

const of = (...ranges: [start: number, end: number][]) => ranges.map(([start, end]) => ({ start, end }));

test.each([
  ["bytes=0-0", of([0, 1])],
  ["bytes=2-5", of([2, 6])],
  ["BYTES=2-5", of([2, 6])],
  ["bytes=7-", of([7, 10])],
  ["bytes=7-1000", of([7, 10])],
  ["bytes=-3", of([7, 10])],
  ["bytes=-1000", of([0, 10])],
  ["bytes=0-1,4-5", of([0, 2], [4, 6])],
  ["bytes= 0-1 ,, 4-5 ", of([0, 2], [4, 6])],
  ["bytes=4-5,0-1", of([4, 6], [0, 2])],
  ["bytes=0-3,2-5", of([0, 6])],
  ["bytes=4-5,0-3", of([0, 6])],
  ["bytes=0-1,20-30", of([0, 2])],
  [`bytes=${"0-0,".repeat(10)}`, of([0, 1])],
])("%s of ten bytes is served", (value, ranges) => {
  expect(parseRange(value, 10)).toEqual(ranges);
});

test.each(["bytes=10-", "bytes=10-11", "bytes=-0", `bytes=${"9".repeat(400)}-`])(
  "%s of ten bytes cannot be satisfied",
  (value) => expect(parseRange(value, 10)).toEqual([]),
);

test.each([
  "bytes=5-2",
  "bytes=a-b",
  "bytes=",
  "bytes",
  "bytes=-",
  "bytes=1",
  "bytes=1-2-3",
  "bytes=1-2;3-4",
  "bytes 1-2",
  "lines=1-2",
  "bytes=0-,0-",
  `bytes=${Array.from({ length: 17 }, (_, i) => `${i}-${i}`).join()}`,
])("%s is ignored", (value) => expect(parseRange(value, 10)).toBeUndefined());

test("nothing of an empty file can be served from a position", () => {
  expect(parseRange("bytes=0-", 0)).toEqual([]);
});
