import { describe, expect, test } from "vitest";
import { KeptOutput } from "./kept-output.ts";

const half = 512 * 1024;

/** Bytes that tell their place: no two stretches of 4 bytes at a multiple of 4 are the same. */
function numbered(length: number): Buffer {
  return Buffer.from(
    Uint32Array.from({ length: Math.ceil(length / 4) }, (_, place) => place).buffer,
    0,
    length,
  );
}

describe.each([1, 1000, 65_536, half, 3 * half])("in pieces of %i bytes", (size) => {
  /** The output after these bytes came. */
  function keep(bytes: Buffer): KeptOutput {
    const output = new KeptOutput();
    for (let at = 0; at < bytes.length; at += size) output.add(bytes.subarray(at, at + size));
    return output;
  }

  test.each([0, 1, half - 1, half, half + 1, 2 * half])("%i bytes are kept whole", (length) => {
    const bytes = numbered(length);
    const output = keep(bytes);
    expect(output.total).toBe(length);
    expect(output.bytes().equals(bytes)).toBe(true);
  });

  test.each([2 * half + 1, 3 * half - 7, 5 * half + 12_345])("of %i bytes both ends are kept", (length) => {
    const bytes = numbered(length);
    const output = keep(bytes);
    expect(output.total).toBe(length);
    const kept = output.bytes();
    expect(kept).toHaveLength(2 * half);
    expect(kept.subarray(0, half).equals(bytes.subarray(0, half))).toBe(true);
    expect(kept.subarray(half).equals(bytes.subarray(length - half))).toBe(true);
  });
});

test("a line in the text says how much is left out, and where", () => {
  const output = new KeptOutput();
  output.add(Buffer.alloc(half, "a"));
  output.add(Buffer.alloc(1000, "b"));
  output.add(Buffer.alloc(half, "c"));
  expect(output.text() === `${"a".repeat(half)}\n… 1000 bytes left out …\n${"c".repeat(half)}`).toBe(true);
});

test("a character across the two kept parts is one in the text", () => {
  const output = new KeptOutput();
  output.add(Buffer.alloc(half - 1, "a"));
  output.add(Buffer.from("é"));
  expect(output.text().slice(-2)).toBe("aé");
});

test("is settled when nothing more has come for a turn of the event loop", async () => {
  const output = new KeptOutput();
  let pieces = 0;
  const add = () => {
    output.add(Buffer.from("x"));
    if (++pieces < 20) setImmediate(add);
  };
  add();
  await output.settled();
  expect(output.total).toBe(20);
});

test("the buffer that it was given may be used again", () => {
  const output = new KeptOutput();
  const bytes = Buffer.from("kept");
  output.add(bytes);
  bytes.fill("x");
  expect(output.text()).toBe("kept");
});
