import { expect, test } from "vitest";
import { gradeRecord } from "../record.ts";
import { createWriter } from "./index.ts";
import { report, sampleCheck, sampleRecord, sampleStageResult } from "./sample-record.ts";

function json(record = sampleRecord()): string {
  const pieces: string[] = [];
  report(
    createWriter("json", (piece) => pieces.push(piece), { color: true, columns: 80 }),
    record,
  );
  expect(pieces).toHaveLength(1);
  return pieces[0]!;
}

test("the document is the record", () => {
  expect(gradeRecord.parse(JSON.parse(json()))).toEqual(sampleRecord());
});

test("the document is indented and ends in a newline", () => {
  expect(json()).toMatch(/^\{\n {2}"format": "expserver-course\/grade",\n[\s\S]*\n\}\n$/);
});

test("characters that act on a terminal are escaped and come back unharmed", () => {
  const title = "\u001b[2J \u009b31m \u007f \u202e \u2028 \ufffe \u{1fffe} é 漢";
  const text = json(sampleRecord([sampleStageResult({ checks: [sampleCheck({ title })] })]));
  expect(text).toContain('"\\u001b[2J \\u009b31m \\u007f \\u202e \\u2028 \\ufffe \\ud83f\\udffe é 漢"');
  expect(JSON.parse(text).stages[0].checks[0].title).toBe(title);
});
