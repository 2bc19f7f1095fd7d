import { describe, expect, test } from "vitest";
import { padTo, splitAt, textWidth } from "./width.ts";
import { reflow, wrap } from "./wrap.ts";

describe("textWidth", () => {
  test.each([
    ["abc", 3],
    ["漢字", 4],
    ["e\u0301", 1],
    ["👩‍👧", 2],
    ["✓ ✗ ⊘ −", 7],
    ["", 0],
  ])("of %j is %i", (text, width) => {
    expect(textWidth(text)).toBe(width);
  });
});

test("padTo counts columns, not characters", () => {
  expect(padTo("漢", 4)).toBe("漢  ");
});

test("splitAt never parts a wide character", () => {
  expect(splitAt("漢字", 3)).toEqual(["漢", "字"]);
});

describe("wrap", () => {
  test("breaks at spaces", () => {
    expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
  });

  test("leaves a text that fits exactly on one row", () => {
    expect(wrap("one two", 7)).toEqual(["one two"]);
  });

  test("keeps the lines of the text apart", () => {
    expect(wrap("one\n\ntwo", 8)).toEqual(["one", "", "two"]);
  });

  test("keeps several spaces in a row", () => {
    expect(wrap('"a   b" was the reply', 12)).toEqual(['"a   b" was', "the reply"]);
  });

  test("breaks a word that is longer than a row", () => {
    expect(wrap("see aaaaaaaaaa", 4)).toEqual(["see", "aaaa", "aaaa", "aa"]);
  });

  test.each([
    ["\\x00\\x00", 6, ["\\x00", "\\x00"]],
    ["abc\\x00d", 4, ["abc", "\\x00", "d"]],
    ["ab\\\\x00", 3, ["ab", "\\\\x", "00"]],
    ["a\\u{202e}b", 8, ["a", "\\u{202e}", "b"]],
    ["a\\nb", 2, ["a", "\\n", "b"]],
  ])("never breaks the escapes of %s at %i columns", (text, columns, expected) => {
    expect(wrap(text, columns)).toEqual(expected);
  });

  test("never breaks what stands between backticks", () => {
    expect(wrap("type `npm run it all` now", 10)).toEqual(["type", "`npm run it all`", "now"]);
  });
});

describe("reflow", () => {
  test("joins the lines of a paragraph", () => {
    expect(reflow("one\ntwo\n\nthree", 20)).toEqual(["one two", "", "three"]);
  });

  test("leaves a code block as it is, without its fences", () => {
    expect(reflow("so:\n```ts\nconst  a = `long enough to be wrapped`;\n```\nthen", 10)).toEqual([
      "so:",
      "const  a = `long enough to be wrapped`;",
      "then",
    ]);
  });

  test("starts a row with each list item", () => {
    expect(reflow("first:\n- a\n- b\n  more", 20)).toEqual(["first:", "- a", "- b more"]);
  });
});
