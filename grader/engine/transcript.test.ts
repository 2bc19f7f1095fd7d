import { expect, test } from "vitest";
import { Transcript } from "./transcript.ts";

/** A transcript's lines without their times. */
const lines = (transcript: Transcript) =>
  transcript
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^ *[\d.]+ m?s {2}/, ""));

test("steps and bytes stand in the order in which they happened, each with its time", () => {
  const transcript = new Transcript();
  transcript.step("client 1 connected");
  transcript.bytes("client 1", "→", Buffer.from("hello\n"));
  transcript.bytes("client 1", "←", Buffer.from("olleh\n"));
  expect(lines(transcript)).toEqual([
    "--- client 1 connected",
    String.raw`client 1 → 6 "hello\n"`,
    String.raw`client 1 ← 6 "olleh\n"`,
  ]);
  expect(transcript.toString()).toMatch(/^( *[\d.]+ m?s {2}.+\n){3}$/);
});

test("of many steps the report gets the first 6 and the last 10, and the number of the others", () => {
  const transcript = new Transcript();
  for (let step = 1; step <= 100; step++) transcript.step(`step ${step}`);
  const steps = transcript.steps();
  expect(steps.slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6].map((step) => `step ${step}`));
  expect(steps[6]).toBe("… 84 more steps …");
  expect(steps.slice(7)).toEqual(Array.from({ length: 10 }, (_, step) => `step ${91 + step}`));
});

test("a line about a single step left out would take as much room as the step", () => {
  const transcript = new Transcript();
  for (let step = 1; step <= 17; step++) transcript.step(`step ${step}`);
  expect(transcript.steps()).toHaveLength(17);
  transcript.step("step 18");
  expect(transcript.steps()[6]).toBe("… 2 more steps …");
});

test("is bounded, and says where it stops", () => {
  const transcript = new Transcript();
  for (let step = 0; step < 20_000; step++) transcript.bytes("client 1", "←", Buffer.alloc(65_536, "x"));
  const text = transcript.toString();
  expect(text.length).toBeLessThan(1024 * 1024 + 1024);
  expect(text.trimEnd().endsWith("… (the rest was not kept)")).toBe(true);
  expect(text.match(/the rest was not kept/g)).toHaveLength(1);
});
