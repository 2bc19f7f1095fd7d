import { expect, test } from "vitest";
import { matchesStrongly, matchesWeakly } from "./entity-tag.ts";

test.each([
  ['"a"', '"a"', true, true],
  ['W/"a"', '"a"', false, true],
  ['"a"', 'W/"a"', false, true],
  ['W/"a"', 'W/"a"', false, true],
  ['"a"', '"b"', false, false],
  ['"x", W/"y" ,"a"', '"a"', true, true],
  [', "a",,', '"a"', true, true],
  ['"a,b"', '"a,b"', true, true],
  ["*", '"a"', true, true],
  ['""', '""', true, true],
  ["a", '"a"', false, false],
  ['"a" "b"', '"a"', false, false],
  ['"a', '"a"', false, false],
  ['w/"a"', '"a"', false, false],
  ["", '"a"', false, false],
  ['"A"', '"a"', false, false],
])("in %s, %s is found strongly: %s, weakly: %s", (list, etag, strongly, weakly) => {
  expect(matchesStrongly(list, etag)).toBe(strongly);
  expect(matchesWeakly(list, etag)).toBe(weakly);
});
