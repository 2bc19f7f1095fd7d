import { expect, test } from "vitest";
import { dateLength, formatDate } from "./date.ts";
import { parseDate } from "./parse-date.ts";

// The example of RFC 9110 §5.6.7 in its three formats.
const example = Date.UTC(1994, 10, 6, 8, 49, 37) / 1000;

test("a time is written as IMF-fixdate, always as long", () => {
  expect(formatDate(example)).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
  for (const seconds of [0, example, Date.UTC(2099, 11, 31) / 1000]) {
    expect(formatDate(seconds)).toBe(new Date(1000 * seconds).toUTCString());
    expect(formatDate(seconds)).toHaveLength(dateLength);
  }
});

test.each(["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])(
  "%s is read",
  (text) => expect(parseDate(text)).toBe(example),
);

test("what was written is read again", () => {
  for (const seconds of [0, 951_782_400, 1_709_164_800, example])
    expect(parseDate(formatDate(seconds))).toBe(seconds);
});

test("two digits of a year lie at most 50 years ahead", () => {
  const year = new Date().getUTCFullYear();
  const yearOf = (digits: number) => {
    const text = `Monday, 01-Jan-${String(digits % 100).padStart(2, "0")} 00:00:00 GMT`;
    return new Date(1000 * parseDate(text)!).getUTCFullYear();
  };
  expect(yearOf(year + 50)).toBe(year + 50);
  expect(yearOf(year + 51)).toBe(year - 49);
});

test.each([
  "",
  "yesterday",
  "Sun, 06 Nov 1994 08:49:37",
  "Sun, 06 Nov 1994 08:49:37 UTC",
  "Sun, 6 Nov 1994 08:49:37 GMT",
  "Sun, 31 Feb 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 24:00:00 GMT",
  "Sun, 06 Nov 1994 08:60:00 GMT",
  "sun, 06 nov 1994 08:49:37 gmt",
  "784111777",
])("%j is no date", (text) => expect(parseDate(text)).toBeUndefined());
