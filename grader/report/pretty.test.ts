import { describe, expect, test } from "vitest";
import type { GradeRecord } from "../record.ts";
import { createWriter } from "./index.ts";
import {
  definitionOf,
  report,
  sampleCheck,
  sampleFailure,
  sampleRecord,
  sampleStage,
  sampleStageResult,
} from "./sample-record.ts";
import type { WriterOptions } from "./writer.ts";

type Options = Partial<WriterOptions>;

function prettyWriter(options: Options = {}) {
  const pieces: string[] = [];
  const out = (piece: string) => pieces.push(piece);
  return { pieces, writer: createWriter("pretty", out, { color: false, columns: 60, ...options }) };
}

function pretty(record: GradeRecord, options: Options = {}): string {
  const { pieces, writer } = prettyWriter(options);
  report(writer, record);
  return pieces.join("");
}

/** The lines of a report from the first that has `start` in it. */
const from = (start: string, text: string) => text.slice(text.lastIndexOf("\n", text.indexOf(start)) + 1);

const builds = sampleCheck({ id: "builds", title: "tcp-server builds", points: 1, durationMs: 80 });
const failed = sampleCheck({ outcome: "fail", durationMs: 2040 });
const blocked = (id: string, reason = '"reverses one line" failed.') =>
  sampleCheck({ id, title: `${id} holds`, outcome: "blocked", reason });
const broken = (log = "a.ts:1: no such thing\n") =>
  sampleStageResult({
    build: { ok: false, log, warnings: ["src/a.ts:1:2: No type."] },
    checks: [{ ...builds, outcome: "fail", earned: 0, failure: sampleFailure() }, blocked("x"), blocked("y")],
  });

describe("a whole report", () => {
  test("of a pass ends in the caller's next command", () => {
    const record = sampleRecord([sampleStageResult({ checks: [builds, sampleCheck()] })]);
    expect(pretty(record, { nextCommand: "npx expserver-course next" })).toBe(`\
Stage 1: A TCP server                     2 checks, 3 points
  ✓ tcp-server builds                            1/1   80 ms
  ✓ reverses one line                            2/2  120 ms

3 of 3 points: 2 checks passed.
3.2 s, seed 4f2a9c01

  Next        npx expserver-course next
`);
  });

  test("of a failure shows it in full and ends in the commands for a hint and to repeat it", () => {
    const check = { ...failed, failure: sampleFailure({ repeat: "grade 1 --only reverse-line" }) };
    expect(pretty(sampleRecord([sampleStageResult({ checks: [builds, check] })]))).toBe(`\
Stage 1: A TCP server                     2 checks, 3 points
  ✓ tcp-server builds                            1/1   80 ms
  ✗ reverses one line                            0/2   2.0 s

✗ reverse-line: reverses one line

  The reply was not the line reversed.

  Sent        client 1 connected to 127.0.0.1:20112
  Expected    "cba\\n" (4 bytes)
  Observed    "abc\\n" (4 bytes)

  Why         A server has to work on the bytes that it got.

  Repeat      grade 1 --only reverse-line

1 of 3 points: 1 passed, 1 failed.
3.2 s, seed 4f2a9c01

  Hints       npx expserver-course hint reverse-line
  Repeat      grade 1 --only reverse-line
`);
  });

  test("of a failed build shows what the compiler said first, and no check that waits for it", () => {
    expect(pretty(sampleRecord([broken()]))).toBe(`\
Stage 1: A TCP server                     3 checks, 5 points
  ✗ The build failed:

  a.ts:1: no such thing

  ✗ tcp-server builds                            0/1   80 ms
  ⊘ 2 checks can't run until it builds

0 of 5 points: 1 failed, 2 blocked.
3.2 s, seed 4f2a9c01

  Hints       npx expserver-course hint builds
  Repeat:
npx expserver-course grade 1 --only reverse-line --seed 4f2a9c01
`);
  });

  test("of several stages sums up each of them", () => {
    const second = sampleStageResult({ stage: 2, title: "A TCP client", checks: [failed] });
    expect(pretty(sampleRecord([sampleStageResult(), second]))).toContain(`
  ✓ 1: A TCP server                            2 of 2 points
  ✗ 2: A TCP client                            0 of 2 points

2 of 4 points: 1 passed, 1 failed.
`);
  });
});

describe("the line of a check", () => {
  test("appears as soon as the check has ended", () => {
    const { pieces, writer } = prettyWriter();
    writer.listener.onStageStart?.(sampleStage(), [definitionOf(builds)]);
    pieces.length = 0;
    writer.listener.onCheck?.(sampleStage(), builds);
    expect(pieces).toEqual(["  ✓ tcp-server builds                            1/1   80 ms\n"]);
  });

  test.each([
    ["blocked", "  ⊘ reverses one line                            0/2"],
    ["skipped", "  − reverses one line                              -"],
    ["error", "  ! reverses one line                              -  120 ms"],
  ] as const)("says that and why it was %s", (outcome, line) => {
    const check = sampleCheck({ outcome, reason: "Because of the weather." });
    expect(pretty(sampleRecord([sampleStageResult({ checks: [check] })]))).toContain(
      `${line}\n    Because of the weather.\n`,
    );
  });

  test("gives a reason that several checks share only once", () => {
    const text = pretty(sampleRecord([sampleStageResult({ checks: [failed, blocked("x"), blocked("y")] })]));
    expect(text.split('"reverses one line" failed.')).toHaveLength(2);
    expect(text).toMatch(/ {2}⊘ y holds .*\n {4}"reverses one line" failed\. \(these 2 checks\)\n/);
  });

  test("of several that build on one check says so for all of them, after the last", () => {
    const on = (id: string) => blocked(id, "builds on the check reverse-line, which did not pass");
    const text = pretty(
      sampleRecord([sampleStageResult({ checks: [failed, on("x"), on("y"), builds, on("z")] })]),
      { columns: 80 },
    );
    expect(text).toMatch(
      / y holds .*\n {4}2 checks build on the check reverse-line, which did not pass\n {2}✓ tcp-server builds .*\n.* z holds .*\n {4}builds on the check reverse-line, which did not pass\n/,
    );
  });

  test("wraps a long title beside its figures", () => {
    const check = sampleCheck({ title: "answers every client in the order in which they came" });
    expect(pretty(sampleRecord([sampleStageResult({ checks: [check] })]))).toContain(`
  ✓ answers every client in the order in         2/2  120 ms
    which they came
`);
  });
});

describe("failures", () => {
  test("only the first is told in full, the others in a line each", () => {
    const other = sampleCheck({
      id: "usage",
      outcome: "fail",
      failure: sampleFailure({ summary: "It took “abc” for a port." }),
    });
    const text = pretty(sampleRecord([sampleStageResult({ checks: [failed, other] })]));
    expect(from("Also failed:", text)).toMatch(
      /^ {2}Also failed:\n {2}✗ usage: It took “abc” for a port\.\n\n0 of/,
    );
  });

  test("another failure than the build's is listed when the build failed too", () => {
    const stage = broken();
    const environment = sampleCheck({ id: "environment", outcome: "fail" });
    const text = pretty(sampleRecord([{ ...stage, checks: [environment, ...stage.checks] }]));
    expect(text).toContain("\n  ✗ environment: The reply was not the line reversed.\n");
  });

  test("the caller's own hint command is shown", () => {
    const record = sampleRecord([sampleStageResult({ checks: [failed] })]);
    expect(pretty(record, { hintCommand: "npm run hint --" })).toContain("npm run hint -- reverse-line\n");
  });

  test("the hint command names the stage when several were graded", () => {
    const record = sampleRecord([sampleStageResult(), sampleStageResult({ stage: 2, checks: [failed] })]);
    expect(pretty(record)).toContain("hint reverse-line --stage 2\n");
  });

  test("the hint command names a stage that is not the current one", () => {
    const record = sampleRecord([sampleStageResult({ checks: [failed] })]);
    expect(pretty(record, { currentStage: 2 })).toContain("hint reverse-line --stage 1\n");
    expect(pretty(record, { currentStage: 1 })).toContain("hint reverse-line\n");
  });

  test("a pass after which the caller names no command ends without one", () => {
    expect(pretty(sampleRecord())).toMatch(/seed 4f2a9c01\n$/);
  });

  test("a caller that says what to type next itself gets no commands", () => {
    expect(pretty(sampleRecord(), { commands: false })).toMatch(/seed 4f2a9c01\n$/);
  });
});

describe("a build", () => {
  const warned = (number: number) =>
    pretty(
      sampleRecord([
        sampleStageResult({
          build: {
            ok: true,
            warnings: Array.from({ length: number }, (_, index) => `a.ts:${index + 1}:1: No type.`),
          },
        }),
      ]),
    );

  test("with five type errors lists them all", () => {
    expect(from("type error", warned(5))).toMatch(
      /^ {2}! 5 type errors; they fail no check:\n( {4}a\.ts:[1-5]:1: No type\.\n){5}\n/,
    );
  });

  test("with more type errors lists five and counts the rest", () => {
    expect(from("a.ts:5", warned(7))).toMatch(/^ {4}a\.ts:5:1: No type\.\n {4}and 2 more\n\n/);
  });

  test("of a second stage does not repeat the type errors of the whole workspace", () => {
    const stage = sampleStageResult({ build: { ok: true, warnings: ["a.ts:1:1: No type."] } });
    expect(pretty(sampleRecord([stage, stage])).split("No type.")).toHaveLength(2);
  });

  test("with a log of one sentence has it wrapped, commands whole", () => {
    const log =
      "src/phase-0/epoll-server.ts does not exist. `npx expserver-course goto 3` starts this stage at once.";
    expect(pretty(sampleRecord([broken(log)]))).toContain(
      "\n  src/phase-0/epoll-server.ts does not exist.\n  `npx expserver-course goto 3` starts this stage at once.\n\n",
    );
  });

  test("with a huge log shows its start and its end", () => {
    const log = Array.from({ length: 100 }, (_, index) => `log ${index + 1}\n`).join("");
    expect(pretty(sampleRecord([broken(log)]))).toContain("  log 24\n  … (70 more lines)\n  log 95\n");
  });
});

describe("when the grader had trouble", () => {
  const text = pretty(sampleRecord([sampleStageResult({ checks: [sampleCheck({ outcome: "error" })] })]));

  test("the summary says that it isn't the learner's fault", () => {
    expect(text).toMatch(/not\s+your\s+program's\s+fault/);
  });

  test("the command to type next examines the machine", () => {
    expect(text).toMatch(/\n {2}Examine {5}npx expserver-course doctor\n$/);
  });

  describe("an interruption", () => {
    const cut = (id: string) =>
      sampleCheck({
        id,
        title: `${id} holds`,
        outcome: "error",
        durationMs: 0,
        reason: "the grading was interrupted",
      });

    test("counts the checks that were not run instead of listing them", () => {
      const text = pretty(sampleRecord([sampleStageResult({ checks: [builds, cut("x"), cut("y")] })]), {
        columns: 80,
      });
      expect(text).not.toContain("holds");
      expect(text).toMatch(
        /\n1 of 1 point: 1 check passed\.\nInterrupted: 2 checks were not run, and nothing was recorded\.\n.*seed 4f2a9c01\n$/,
      );
    });

    test("in a later stage says that this one was not recorded", () => {
      const second = sampleStageResult({ stage: 2, checks: [cut("x")] });
      expect(pretty(sampleRecord([sampleStageResult(), second]), { columns: 80 })).toContain(
        "Interrupted: 1 check was not run, and nothing of stage 2 was recorded.\n",
      );
    });

    test("leaves the help with what failed before", () => {
      const text = pretty(sampleRecord([sampleStageResult({ checks: [failed, cut("x")] })]));
      expect(text).toContain("hint reverse-line\n");
      expect(text).not.toContain("doctor");
    });
  });

  test("an interrupted run is said to be unfinished", () => {
    expect(pretty(sampleRecord([], { exitStatus: 2 }))).toContain(
      "No check ran.\nThe grading did not come to its end.\n",
    );
  });
});

describe("colours", () => {
  const record = sampleRecord([sampleStageResult({ checks: [builds, failed] })]);
  const colours = /\p{Cc}\[\d+m/gu;

  test("change nothing but colours", () => {
    expect(pretty(record, { color: true }).replace(colours, "")).toBe(pretty(record));
  });

  test("are there when wanted, whatever the environment says", () => {
    expect(pretty(record, { color: true })).toContain("\u001b[32m✓\u001b[39m");
  });
});
