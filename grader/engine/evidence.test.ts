import { describe, expect, test } from "vitest";
import {
  assert,
  CheckFailure,
  count,
  describeBytes,
  describeMs,
  firstDifference,
  quote,
  renderDifference,
} from "./evidence.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("bytes in quotes", () => {
  test.each([
    ["plain text", "hello", '"hello"'],
    ["nothing", "", '""'],
    ["line ends and tabs", "a\r\n\tb", String.raw`"a\r\n\tb"`],
    ["what the quoting itself uses", 'say "\\"', String.raw`"say \"\\\""`],
    ["bytes that cannot be printed", "\x00\x1b\x7f\x80\xff", String.raw`"\x00\x1b\x7f\x80\xff"`],
    ["the first and the last printable byte", " ~", '" ~"'],
  ])("%s", (_, text, quoted) => {
    expect(quote(bytes(text))).toBe(quoted);
  });

  test("are cut behind the limit, and not before it", () => {
    expect(quote(bytes("12345"), 5)).toBe('"12345"');
    expect(quote(bytes("123456"), 5)).toBe('"12345"…');
  });

  test("say how many they are", () => {
    expect(describeBytes(bytes(""))).toBe("nothing");
    expect(describeBytes(bytes("x"))).toBe('"x" (1 byte)');
    expect(describeBytes(Buffer.alloc(1234, "x"))).toBe(`"${"x".repeat(48)}"… (1,234 bytes)`);
  });
});

test("counts take the plural except for one", () => {
  expect([0, 1, 2, 10_000].map((number) => count(number, "byte"))).toEqual([
    "0 bytes",
    "1 byte",
    "2 bytes",
    "10,000 bytes",
  ]);
});

test("milliseconds become seconds from one second on", () => {
  expect([0.4, 40.4, 999, 1000, 1250, 61_000].map(describeMs)).toEqual([
    "0 ms",
    "40 ms",
    "999 ms",
    "1.0 s",
    "1.3 s",
    "61.0 s",
  ]);
});

describe("the first difference", () => {
  test.each([
    ["equal bytes", "abc", "abc", -1],
    ["both empty", "", "", -1],
    ["the first byte", "abc", "xbc", 0],
    ["the last byte", "abc", "abx", 2],
    ["one of several", "abcdef", "abXdeX", 2],
    ["too short", "abc", "ab", 2],
    ["too long", "ab", "abc", 2],
    ["nothing instead of something", "abc", "", 0],
  ])("%s", (_, one, other, at) => {
    expect(firstDifference(bytes(one), bytes(other))).toBe(at);
  });

  test("is shown in hex and as text, with a caret under it", () => {
    expect(renderDifference(bytes("hello world\n"), bytes("hello wurld\n"))).toBe(
      [
        "first difference at byte 7 (counted from 0):",
        // 16 bytes have room: the first difference, 4 before it and 11 behind it.
        `expected  ${"6c 6f 20 77 6f 72 6c 64 0a".padEnd(16 * 3)} lo world.`,
        `observed  ${"6c 6f 20 77 75 72 6c 64 0a".padEnd(16 * 3)} lo wurld.`,
        "                      ^^",
      ].join("\n"),
    );
  });

  test("at the very beginning has the caret under the first byte", () => {
    const lines = renderDifference(bytes("a"), bytes("b"))!.split("\n");
    expect(lines[3]).toBe(`${" ".repeat("expected  ".length)}^^`);
  });

  test("behind the end of what came says that it ends there", () => {
    const lines = renderDifference(bytes("abcdef"), bytes("abc"))!.split("\n");
    expect(lines[1]).toMatch(/^expected {2}61 62 63 64 65 66 +abcdef$/);
    expect(lines[2]).toMatch(/^observed {2}61 62 63 +abc \(ends here\)$/);
    // The caret stands where the fourth byte should be.
    expect(lines[3]!.indexOf("^^")).toBe(lines[1]!.indexOf("64"));
  });

  test("far behind the beginning shows 4 bytes before it and 11 behind", () => {
    const expected = Buffer.alloc(100_000, "x");
    const observed = Buffer.from(expected);
    observed[54_321] = 0x79;
    const lines = renderDifference(expected, observed)!.split("\n");
    expect(lines[0]).toBe("first difference at byte 54,321 (counted from 0):");
    expect(lines[1]!.match(/78/g)).toHaveLength(16);
    expect(lines[2]).toMatch(/xxxxyx{11}$/);
    expect(lines[3]!.indexOf("^^")).toBe(lines[2]!.indexOf("79"));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(76);
  });

  test("is not there between equal bytes", () => {
    expect(renderDifference(bytes("same"), bytes("same"))).toBeUndefined();
  });
});

test("an assertion that does not hold is a failure with its evidence", () => {
  const evidence = { summary: "wrong", expected: "right", observed: "left" };
  expect(() => assert(1 + 1 === 2, evidence)).not.toThrow();
  const failing = () => assert(false, evidence);
  expect(failing).toThrow(CheckFailure);
  expect(failing).toThrow(expect.objectContaining({ message: "wrong", evidence }));
});
