import { expect, test } from "vitest";
import { KeptOutput } from "./kept-output.ts";

const half = 512 * 1024;

test("up to 1 MiB everything is kept, in order", () => {
  const output = new KeptOutput();
  for (let chunk = 0; chunk < 1024; chunk++) output.add(Buffer.alloc(1024, chunk % 256));
  expect(output.total).toBe(2 * half);
  expect(output.bytes()).toEqual(
    Buffer.concat(Array.from({ length: 1024 }, (_, n) => Buffer.alloc(1024, n % 256))),
  );
  expect(output.text()).not.toContain("left out");
});

test("of more, the first and the last half MiB are kept, and a line says what is left out", () => {
  const output = new KeptOutput();
  output.add(Buffer.alloc(half, "a"));
  for (let chunk = 0; chunk < 100; chunk++) output.add(Buffer.alloc(1024, "b"));
  output.add(Buffer.alloc(half, "c"));
  expect(output.total).toBe(2 * half + 100 * 1024);
  const text = output.text();
  expect(text.startsWith("a".repeat(half))).toBe(true);
  expect(text.endsWith(`\n… ${100 * 1024} bytes left out …\n${"c".repeat(half)}`)).toBe(true);
});

test("memory stays bounded however much comes, in pieces of any size", () => {
  const output = new KeptOutput();
  for (const size of [1, 100, 65_536, 3 * half]) {
    for (let sent = 0; sent < 4 * half; sent += size * 100) {
      for (let piece = 0; piece < 100; piece++) output.add(Buffer.alloc(size));
    }
    // The oldest piece at the end may reach beyond the half MiB.
    expect(output.bytes().length).toBeLessThanOrEqual(2 * half + size);
  }
});

test("a piece that spans the end of the first half is in both", () => {
  const output = new KeptOutput();
  output.add(Buffer.alloc(half - 1, "a"));
  output.add(Buffer.from("xyz"));
  expect(output.text()).toBe(`${"a".repeat(half - 1)}xyz`);
});

test("nothing at all is an empty text", () => {
  expect(new KeptOutput().text()).toBe("");
});
