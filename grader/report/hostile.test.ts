import { describe, expect, test } from "vitest";
import type { GradeRecord } from "../record.ts";
import { createWriter, type ReportFormat } from "./index.ts";
import { report, sampleCheck, sampleFailure, sampleRecord, sampleStageResult } from "./sample-record.ts";

const attack = "\u0000\u0007\b\r\u001b]0;title\u0007\u001b[2J\u007f\u009b2J\u202e\u2066\ufeff\ud800";

/** A record in which every text that a learner's program or file names can reach holds an attack. */
function attackedRecord(buildOk: boolean): GradeRecord {
  const failure = sampleFailure({
    summary: attack,
    sent: [attack],
    expected: attack,
    observed: attack,
    difference: attack,
    why: attack,
    hint: attack,
    see: [attack],
    repeat: attack,
    byHand: attack,
    programs: [{ command: attack, death: attack, output: attack }],
    transcript: attack,
  });
  const outcomes = ["pass", "fail", "fail", "blocked", "skipped", "error"] as const;
  const checks = outcomes.map((outcome, index) =>
    sampleCheck({ id: `${attack}${index}`, title: attack, outcome, reason: attack, failure }),
  );
  const build = { ok: buildOk, log: attack, warnings: [attack] };
  const stage = sampleStageResult({ slug: attack, title: attack, checks, build });
  return sampleRecord([stage, stage], { seed: attack, target: attack, course: attack });
}

describe.each(["pretty", "plain", "json", "junit"] satisfies ReportFormat[])("%s", (format) => {
  test.each([true, false])("never lets a hidden character through (build ok: %s)", (buildOk) => {
    let text = "";
    const out = (piece: string) => {
      text += piece;
    };
    report(createWriter(format, out, { color: false, columns: 80 }), attackedRecord(buildOk));
    expect(text.match(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}]/gu)).toBeNull();
  });
});

test.each(["pretty", "plain", "junit"] satisfies ReportFormat[])(
  "%s copes with a megabyte in one line",
  (format) => {
    const huge = "x".repeat(1 << 20);
    const programs = [{ command: "node server.js", output: huge }];
    const failure = sampleFailure({ summary: huge, sent: [huge], observed: huge, why: huge, programs });
    const checks = [sampleCheck({ title: huge, outcome: "fail", reason: huge, failure })];
    let length = 0;
    const out = (piece: string) => {
      length += piece.length;
    };
    report(
      createWriter(format, out, { color: false, columns: 80 }),
      sampleRecord([sampleStageResult({ checks })]),
    );
    expect(length).toBeLessThan(format === "junit" ? 5e6 : 20_000);
  },
);
