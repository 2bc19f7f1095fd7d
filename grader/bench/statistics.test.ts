import { expect, test } from "vitest";
import { median, ratioByRound } from "./statistics.ts";

test("the median is the middle figure, whatever the order", () => {
  expect(median([9, 1, 5])).toBe(5);
});

test("of an even number of figures the median is the mean of the two in the middle", () => {
  expect(median([4, 1, 2, 100])).toBe(3);
});

test("there is no median of nothing", () => {
  expect(median([])).toBeNaN();
});

test("a machine that gets slower from round to round does not move a ratio", () => {
  // Medians of the two by themselves: 50 and 20, so 2.5.
  expect(ratioByRound([100, 50, 20], [50, 20, 10])).toEqual({ median: 2, least: 2, most: 2.5 });
});

test("a round that one of the two did not make is left out", () => {
  expect(ratioByRound([10, 20], [10])).toEqual({ median: 1, least: 1, most: 1 });
});
