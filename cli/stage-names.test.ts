import { expect, test } from "vitest";
import { UserError } from "../grader/user-error.ts";
import { allStages } from "../stages/stage.ts";
import { parseProgram, parseStage, parseStages } from "./stage-names.ts";

const numbers = (...words: string[]) => parseStages(words).map(({ number }) => number);

test.each(["1", "01", "stage-1", "Stage 1", "01-tcp-server", "tcp-server", "TCP-Server"])(
  "%s is stage 1",
  (name) => {
    expect(parseStage(name).number).toBe(1);
  },
);

test("a program is named by itself or its stage, and a mistyped one is spoken of as a program", () => {
  expect(parseProgram("tcp-server")).toBe(parseProgram("1"));
  expect(() => parseProgram("helo")).toThrow(
    /no program "helo"\. Did you mean hello\? .*programs hello, tcp-server/,
  );
});

test("several stages come in the course's order, each once", () => {
  expect(numbers("3", "1,0", "tcp-server")).toEqual([0, 1, 3]);
});

test("all and phase-0 name many", () => {
  expect(numbers("all")).toEqual(allStages().map(({ number }) => number));
  expect(numbers("phase-0")).toEqual([0, 1, 2, 3, 4]);
  expect(numbers("2", "phase 0")).toEqual([0, 1, 2, 3, 4]);
});

test("no words name no stage", () => {
  expect(numbers()).toEqual([]);
});

test.each([
  ["tcp-sever", "Did you mean tcp-server?"],
  ["phase-9", "Did you mean phase-0?"],
  ["99", "This version has the stages 0 to"],
])("%s is refused with help", (name, help) => {
  expect(() => parseStages([name])).toThrow(UserError);
  expect(() => parseStages([name])).toThrow(help);
  expect(() => parseStages([name])).toThrow("npx expserver-course list");
});
