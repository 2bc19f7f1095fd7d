import { describe, expect, test } from "vitest";
import { visible, visibleLine, visibleOutput } from "./visible.ts";

describe("visible", () => {
  test.each([
    ["\u0000", "\\x00"],
    ["a\rb", "a\\rb"],
    ["\u001b[2J", "\\x1b[2J"],
    ["\u007f", "\\x7f"],
    ["\u009b31m", "\\x9b31m"],
    ["\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["zero\u200bwidth", "zero\\u{200b}width"],
    ["\ufffe", "\\u{fffe}"],
    ["\ud800 alone", "\\u{d800} alone"],
    ["\u2028", "\\u{2028}"],
  ])("shows %j as %s", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test.each([["plain ASCII"], ["two\nlines\tand a tab"], ["häß 漢字"], ["👩‍👧 joined"]])(
    "leaves %j as it is",
    (text) => {
      expect(visible(text)).toBe(text);
    },
  );
});

test("visibleLine makes one line of several", () => {
  expect(visibleLine(" a\n  b\t\u0007c ")).toBe("a b \\x07c");
});

test("visibleOutput leaves out colours and shows every other escape", () => {
  expect(visibleOutput("\u001b[31;1mred\u001b[0m \u001b[2J")).toBe("red \\x1b[2J");
});
