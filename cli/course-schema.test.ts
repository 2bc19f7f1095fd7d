import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { courseFile } from "../grader/course.ts";
import { packageRoot } from "../stages/package-root.ts";

/** A schema without the words for people. */
function withoutTexts(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key, text]) => {
    return !((key === "description" || key === "title") && typeof text === "string");
  });
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutTexts(inner)]));
}

test("the schema that editors read says what the course accepts", () => {
  const file = join(packageRoot, "docs", "reference", "course.schema.json");
  const published = JSON.parse(readFileSync(file, "utf8"));
  expect(withoutTexts(published)).toEqual(z.toJSONSchema(courseFile, { io: "input" }));
});

test("a new workspace's course.json points to it", () => {
  const template = JSON.parse(readFileSync(join(packageRoot, "stages", "workspace", "course.json"), "utf8"));
  expect(template.$schema).toBe("./node_modules/expserver-course/docs/reference/course.schema.json");
});
