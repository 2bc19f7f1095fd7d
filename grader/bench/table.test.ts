import { expect, test } from "vitest";
import { figure, renderTable } from "./table.ts";

test("a figure keeps about three digits, and groups thousands", () => {
  const written = [1234567.8, 123.4, 12.34, 1.234, 0.001].map(figure);
  expect(written).toEqual(["1,234,568", "123", "12.3", "1.23", "0.00"]);
});

test("what cannot be computed is a dash", () => {
  expect([Number.NaN, Number.POSITIVE_INFINITY].map(figure)).toEqual(["–", "–"]);
});

test("text stands to the left and figures to the right below their headings", () => {
  const table = {
    title: "64 connections",
    columns: ["", "per second"],
    rows: [
      ["C", "9"],
      ["node:net", "12"],
    ],
  };
  expect(renderTable(table)).toBe(
    ["64 connections", "           per second", "C                   9", "node:net           12"].join("\n"),
  );
});
