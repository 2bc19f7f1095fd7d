import { describe, expect, test } from "vitest";
import { createWriter } from "./index.ts";
import { report, sampleCheck, sampleFailure, sampleRecord, sampleStageResult } from "./sample-record.ts";
import { readXml, type XmlElement } from "./xml-reader.ts";

function junit(record = sampleRecord()): string {
  const pieces: string[] = [];
  report(
    createWriter("junit", (piece) => pieces.push(piece), { color: true, columns: 80 }),
    record,
  );
  expect(pieces).toHaveLength(1);
  return pieces[0]!;
}

const readStage = (changes: Parameters<typeof sampleStageResult>[0]) =>
  readXml(junit(sampleRecord([sampleStageResult(changes)]))).children[0]!;
const child = (element: XmlElement, name: string) => element.children.find((other) => other.name === name)!;
const testcases = (suite: XmlElement) => suite.children.filter(({ name }) => name === "testcase");
const properties = (element: XmlElement) =>
  Object.fromEntries(
    child(element, "properties").children.map(({ attributes }) => [attributes.name, attributes.value]),
  );

test("a document of one passed check", () => {
  expect(junit()).toBe(`\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="expserver-course" tests="1" failures="0" errors="0" skipped="0" time="3.200">
<testsuite name="01-tcp-server" tests="1" failures="0" errors="0" skipped="0" time="3.200" timestamp="2026-03-01T22:15:04">
<properties>
<property name="seed" value="4f2a9c01"/>
<property name="points.earned" value="2"/>
<property name="points.possible" value="2"/>
</properties>
<testcase classname="01-tcp-server" name="reverses one line" time="0.120">
<properties>
<property name="id" value="reverse-line"/>
<property name="points" value="2"/>
<property name="earned" value="2"/>
</properties>
</testcase>
</testsuite>
</testsuites>
`);
});

test("a run without stages is a document too", () => {
  expect(readXml(junit(sampleRecord([]))).children).toEqual([]);
});

describe("a check that", () => {
  test("failed is a failure with what was expected and observed", () => {
    const [testcase] = testcases(readStage({ checks: [sampleCheck({ outcome: "fail" })] }));
    expect(child(testcase!, "failure")).toMatchObject({
      attributes: { message: "The reply was not the line reversed.", type: "check" },
      text: 'expected "cba\\n" (4 bytes)\nobserved "abc\\n" (4 bytes)',
    });
  });

  test("failed has the whole failure in its system-out", () => {
    const [testcase] = testcases(readStage({ checks: [sampleCheck({ outcome: "fail" })] }));
    expect(child(testcase!, "system-out").text).toContain(
      "\n  Repeat      npx expserver-course grade 1 --only reverse-line --seed 4f2a9c01",
    );
  });

  test.each([
    ["blocked", "skipped", "blocked: Why not."],
    ["skipped", "skipped", "Why not."],
    ["error", "error", "Why not."],
  ] as const)("came out as %s is <%s>", (outcome, name, message) => {
    const [testcase] = testcases(readStage({ checks: [sampleCheck({ outcome, reason: "Why not." })] }));
    expect(child(testcase!, name).attributes.message).toBe(message);
  });

  test("failed tells its points", () => {
    const [testcase] = testcases(readStage({ checks: [sampleCheck({ outcome: "fail", points: 3 })] }));
    expect(properties(testcase!)).toEqual({ id: "reverse-line", points: "3", earned: "0" });
  });
});

test("a suite counts blocked checks as skipped", () => {
  const outcomes = ["pass", "fail", "blocked", "skipped", "error"] as const;
  const suite = readStage({ checks: outcomes.map((outcome) => sampleCheck({ outcome })) });
  expect(suite.attributes).toMatchObject({ tests: "5", failures: "1", errors: "1", skipped: "2" });
});

test("the whole run counts the checks of all stages", () => {
  const record = sampleRecord([
    sampleStageResult(),
    sampleStageResult({ checks: [sampleCheck({ outcome: "fail" })] }),
  ]);
  expect(readXml(junit(record)).attributes).toMatchObject({ tests: "2", failures: "1" });
});

test("a failed build's log is the suite's system-out", () => {
  const suite = readStage({ build: { ok: false, log: "a.ts:1: no such thing", warnings: [] } });
  expect(child(suite, "system-out").text).toContain("a.ts:1: no such thing");
});

describe("hostile text", () => {
  const every = Array.from({ length: 0x300 }, (_, code) => String.fromCharCode(code)).join("");
  const hostile = `${every}\ud800 \udc00\ud800 \u202e \ufffe \uffff \u{1ffff} ]]> <!-- <![CDATA[ &amp; </testcase>`;

  test("anywhere in the record leaves the document well-formed", () => {
    const failure = sampleFailure({
      summary: hostile,
      sent: [hostile],
      expected: hostile,
      observed: hostile,
      difference: hostile,
      programs: [{ command: hostile, death: hostile, output: hostile }],
    });
    const checks = (["fail", "blocked", "skipped", "error"] as const).map((outcome) =>
      sampleCheck({ id: hostile, title: hostile, outcome, reason: hostile, failure }),
    );
    const build = { ok: false, log: hostile, warnings: [hostile] };
    const record = sampleRecord([sampleStageResult({ slug: hostile, checks, build })], { seed: hostile });
    expect(testcases(readXml(junit(record)).children[0]!)).toHaveLength(4);
  });

  test("is readable in an attribute", () => {
    const suite = readStage({ checks: [sampleCheck({ title: 'a <b> "c" & ]]>\n\u0000\u001b' })] });
    expect(testcases(suite)[0]!.attributes.name).toBe('a <b> "c" & ]]>\n\\x00\\x1b');
  });
});

describe("the reader of these tests refuses", () => {
  const declared = (text: string) => () => readXml(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);

  test.each([
    ["an unclosed element", "<a>"],
    ["a wrong closing tag", "<a></b>"],
    ["a bare ampersand", "<a>x & y</a>"],
    ["]]> in text", "<a>]]></a>"],
    ["a control character", "<a>\u0007</a>"],
    ["a lone surrogate", "<a>\ud800</a>"],
    ["two roots", "<a/><b/>"],
    ["an unquoted attribute", "<a b=c/>"],
  ])("%s", (_name, text) => {
    expect(declared(text)).toThrow();
  });
});
