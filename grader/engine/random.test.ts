import { describe, expect, test } from "vitest";
import { newSeed, Random } from "./random.ts";

const draw = (random: Random, times: number) => Array.from({ length: times }, () => random.next32());

test("a seed gives the same values for ever", () => {
  // Computed by a program of its own after the published sfc32, seeded with sha256("4f2a/reverse-line").
  expect(draw(new Random("4f2a", "reverse-line"), 5)).toEqual([
    0x5becdbbd, 0x42461b3e, 0xedc8e749, 0x59452487, 0x8e51883b,
  ]);
});

test("each check has its own stream, and each seed too", () => {
  const streams = ["a/x", "a/y", "b/x", "b/y"].map((name) => name.split("/") as [string, string]);
  const values = new Set(streams.flatMap(([seed, check]) => draw(new Random(seed, check), 100)));
  expect(values.size).toBe(400);
});

test("a new seed is 8 hex digits, and another one each time", () => {
  const seeds = Array.from({ length: 50 }, newSeed);
  for (const seed of seeds) expect(seed).toMatch(/^[0-9a-f]{8}$/);
  expect(new Set(seeds).size).toBe(50);
});

test("integer reaches both ends of its range and nothing beyond", () => {
  const random = new Random("seed", "integer");
  const values = Array.from({ length: 500 }, () => random.integer(-2, 3));
  expect([...new Set(values)].sort((one, other) => one - other)).toEqual([-2, -1, 0, 1, 2, 3]);
});

test("pick and shuffle take from the values and leave the list as it is", () => {
  const random = new Random("seed", "pick");
  const values = Array.from({ length: 30 }, (_, index) => index);
  const shuffled = random.shuffle(values);
  expect(values).toEqual(Array.from({ length: 30 }, (_, index) => index));
  expect(shuffled).not.toEqual(values);
  expect(shuffled.toSorted((one, other) => one - other)).toEqual(values);
  const picked = new Set(Array.from({ length: 1000 }, () => random.pick(values)));
  expect(picked.size).toBe(30);
});

describe.each([0, 1, 3, 4, 5, 1000])("%i bytes", (length) => {
  test("have that length and the same values from the same seed", () => {
    const bytes = new Random("seed", "bytes").bytes(length);
    expect(bytes).toHaveLength(length);
    expect(new Random("seed", "bytes").bytes(length)).toEqual(bytes);
  });
});

test("every byte value comes", () => {
  expect(new Set(new Random("seed", "bytes").bytes(10_000)).size).toBe(256);
});

test("words have letters and digits, and a length within the bounds", () => {
  const random = new Random("seed", "word");
  const words = Array.from({ length: 200 }, () => random.word(2, 4));
  for (const word of words) expect(word).toMatch(/^[a-zA-Z0-9]{2,4}$/);
  expect(new Set(words.map((word) => word.length))).toEqual(new Set([2, 3, 4]));
  expect(new Set(words.join("")).size).toBe(62);
  expect(random.word(17)).toHaveLength(17);
});
