import { describe, expect, test } from "vitest";
import type { Failure } from "../record.ts";
import { failureReport } from "./failure.ts";
import { prettyTheme } from "./pretty.ts";
import { sampleFailure } from "./sample-record.ts";
import { layOut } from "./theme.ts";
import { textWidth } from "./width.ts";

const rows = (changes: Partial<Failure>, columns = 80) =>
  failureReport(layOut(prettyTheme(false), columns), sampleFailure(changes));

const program = (output: string) => ({ command: "node server.js", output });

test("a failure is told from what was wrong to where the transcript lies", () => {
  const failure: Failure = {
    summary: "The reply ended too soon.",
    sent: ["client 1 connected", 'client 1 sent "ab\\n"'],
    expected: '"ba\\n" (3 bytes)',
    observed: '"ba" (2 bytes)',
    difference: "first difference at byte 2 (counted from 0):\nexpected  62 61 0a\nobserved  62 61",
    why: "send() may take less\nthan it was given.",
    hint: "What does `send` return?",
    see: ["send(2)", "guides/partial-writes"],
    repeat: "npx expserver-course grade 1 --only x --seed 4f2a",
    byHand: "printf 'ab\\n' | nc 127.0.0.1 8080",
    programs: [{ command: "node server.js 20112", death: "ended with status 1", output: "one\ntwo\n" }],
    transcript: ".expserver/runs/1/x.txt",
  };
  expect(failureReport(layOut(prettyTheme(false), 80), failure)).toEqual([
    "  The reply ended too soon.",
    "",
    "  Sent        client 1 connected",
    '              client 1 sent "ab\\n"',
    '  Expected    "ba\\n" (3 bytes)',
    '  Observed    "ba" (2 bytes)',
    "",
    "  first difference at byte 2 (counted from 0):",
    "  expected  62 61 0a",
    "  observed  62 61",
    "",
    "  Why         send() may take less than it was given.",
    "  Hint        What does `send` return?",
    "  See         send(2), guides/partial-writes",
    "",
    "  Repeat      npx expserver-course grade 1 --only x --seed 4f2a",
    "  By hand     printf 'ab\\n' | nc 127.0.0.1 8080",
    "",
    "  Program     node server.js 20112",
    "              ended with status 1",
    "  │ one",
    "  │ two",
    "  Transcript  .expserver/runs/1/x.txt",
  ]);
});

describe("what can be copied", () => {
  const long = `printf '${"ab ".repeat(40)}' | nc 127.0.0.1 8080`;

  test.each([
    ["repeat", { repeat: long }],
    ["by hand", { byHand: long }],
    ["program", { programs: [{ command: long, output: "" }] }],
    ["transcript", { transcript: long }],
  ])("a long %s command is one line from the left edge", (_name, changes) => {
    expect(rows(changes)).toContain(long);
  });

  test("a command of several lines starts each at the left edge", () => {
    const shown = rows({ byHand: "nc 127.0.0.1 8080 <<END\nab\nEND" });
    expect(shown).toEqual(expect.arrayContaining(["  By hand:", "nc 127.0.0.1 8080 <<END", "ab", "END"]));
  });

  test("on a narrow terminal a command stands below its label", () => {
    const shown = rows({ repeat: "grade 1 --only x" }, 40);
    expect(shown[shown.indexOf("  Repeat:") + 1]).toBe("  grade 1 --only x");
  });

  test("a command that has no room beside its label stands indented below it", () => {
    const byHand = `printf '${"x".repeat(42)}' | nc 127.0.0.1 8080`;
    const shown = rows({ byHand });
    expect(shown[shown.indexOf("  By hand:") + 1]).toBe(`  ${byHand}`);
  });
});

describe("what does not fit", () => {
  test.each([40, 60, 80, 200])("at %i columns no prose passes the edge", (columns) => {
    const text = "many words and one averyveryverylongword ".repeat(20);
    const shown = rows(
      { summary: text, sent: [text], expected: text, observed: text, why: text, hint: text },
      columns,
    );
    const prose = shown.filter((row) => !row.includes("npx"));
    expect(Math.max(...prose.map(textWidth))).toBeLessThanOrEqual(columns);
  });

  test("a difference that is too wide to be indented is not wrapped", () => {
    const caret = `${" ".repeat(70)}^^`;
    const line = "5".repeat(79);
    const shown = rows({ difference: `${line}\n${caret}` });
    expect(shown.slice(shown.indexOf(line), shown.indexOf(line) + 2)).toEqual([line, caret]);
  });

  test("of a program's output the first two lines and the last ten are shown, with a note", () => {
    const output = Array.from({ length: 15 }, (_, index) => `line ${index + 1}\n`).join("");
    const shown = rows({ programs: [program(output)] }).map((row) => row.trim());
    const start = shown.indexOf("│ line 1");
    expect(shown.slice(start, start + 4)).toEqual(["│ line 1", "│ line 2", "… 3 more lines", "│ line 6"]);
    expect(shown.at(-1)).toBe("│ line 15");
  });

  test("twelve lines of output are shown without a note", () => {
    const shown = rows({ programs: [program("line\n".repeat(12))] });
    expect(shown.join("\n")).not.toContain("…");
  });

  test("of a stack trace only the learner's frames are shown", () => {
    const output = `listening on 8080
Error: no
    at serve (/w/src/a.ts:3:9)
    at Module._compile (node:internal/modules/cjs/loader:1554:14)
    at node:internal/main/run_main_module:36:49
    at async node:net:12:3

Node.js v20.19.0
`;
    const shown = rows({ programs: [program(output)] });
    expect(shown.slice(-3)).toEqual([
      "  │ listening on 8080",
      "  │ Error: no",
      "  │     at serve (/w/src/a.ts:3:9)",
    ]);
  });

  test("a huge line of output is cut, and says so", () => {
    const shown = rows({ programs: [program("z".repeat(1_000_000))] });
    expect(shown.at(-1)).toBe(`  │ ${"z".repeat(240)}… (999,760 more characters)`);
  });

  test("of many steps the first two and the last six are shown", () => {
    const sent = Array.from({ length: 20 }, (_, index) => `step ${index + 1}`);
    const shown = rows({ sent }).filter((row) => /step/.test(row));
    expect(shown.map((row) => row.slice(14))).toEqual([
      "step 1",
      "step 2",
      "… more steps",
      ...["step 15", "step 16", "step 17", "step 18", "step 19", "step 20"],
    ]);
  });
});

test("a program that printed nothing is said to have printed nothing", () => {
  expect(rows({ programs: [program("")] }).at(-1)).toBe("              It printed nothing.");
});

test("parts that a failure lacks leave no label behind", () => {
  expect(rows({}).join("\n")).not.toMatch(/Hint|See|By hand|Program|Transcript/);
});
