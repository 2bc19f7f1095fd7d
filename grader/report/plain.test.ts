import { expect, test } from "vitest";
import { createWriter } from "./index.ts";
import { report, sampleCheck, sampleFailure, sampleRecord, sampleStageResult } from "./sample-record.ts";

function plain(checks = [sampleCheck()], build = { ok: true, warnings: [] as string[] }): string {
  let text = "";
  const out = (piece: string) => {
    text += piece;
  };
  report(
    createWriter("plain", out, { color: true, columns: 70 }),
    sampleRecord([sampleStageResult({ checks, build })]),
  );
  return text;
}

test("every check has a line with its outcome as a word", () => {
  const outcomes = ["pass", "fail", "blocked", "skipped", "error"] as const;
  expect(plain(outcomes.map((outcome) => sampleCheck({ outcome, durationMs: 80 })))).toContain(`\
Stage 1: A TCP server                              5 checks, 10 points
  pass    reverses one line                                2/2   80 ms
  FAIL    reverses one line                                0/2   80 ms
  blocked reverses one line                                0/2
  skipped reverses one line                                  -
  error   reverses one line                                  -   80 ms
`);
});

test("checks that a failed build blocks are listed too", () => {
  const checks = ["x", "y"].map((id) => sampleCheck({ id, title: `${id} holds`, outcome: "blocked" }));
  expect(plain(checks, { ok: false, warnings: [] })).toMatch(
    / {2}blocked x holds +0\/2\n {2}blocked y holds +0\/2\n/,
  );
});

test("what the report itself says is ASCII and has no colours", () => {
  const sent = Array.from({ length: 20 }, () => "a step");
  const programs = [{ command: "node server.js", output: "z\n".repeat(20) }];
  const failure = sampleFailure({
    sent,
    programs,
    observed: "z".repeat(5000),
    difference: "a\nb",
    hint: "Ask.",
  });
  const checks = [
    sampleCheck(),
    sampleCheck({ outcome: "fail", failure }),
    sampleCheck({ outcome: "error" }),
  ];
  expect(plain(checks)).toMatch(/^[\n -~]+$/);
});

test("a failure is told in full", () => {
  expect(plain([sampleCheck({ outcome: "fail" })])).toContain(`
FAIL reverse-line: reverses one line

  The reply was not the line reversed.

  Sent        client 1 connected to 127.0.0.1:20112
  Expected    "cba\\n" (4 bytes)
`);
});
