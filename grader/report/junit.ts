import type { CheckResult, GradeRecord, StageResult } from "../record.ts";
import { buildReport, typeErrorsReport } from "./build-report.ts";
import { failureReport } from "./failure.ts";
import { plainTheme } from "./plain.ts";
import { layOut, type Page } from "./theme.ts";
import type { Out, Writer } from "./writer.ts";
import { element, text } from "./xml.ts";

/** The file's texts have this width, whatever terminal it is made on. */
const textColumns = 100;
const reportName = "expserver-course";
const blockedMessage = (reason: string) => `blocked: ${reason}`;

const seconds = (ms: number) => (ms / 1000).toFixed(3);

function properties(values: Record<string, string | number>): string {
  const all = Object.entries(values).map(([name, value]) => element("property", { name, value }));
  return element("properties", {}, all);
}

/** What came out of a check, as JUnit says it: nothing for a pass. */
function outcomeElements(page: Page, check: CheckResult): string[] {
  const reason = check.reason ?? "";
  if (check.outcome === "error") return [element("error", { message: reason, type: "grader" })];
  if (check.outcome === "skipped") return [element("skipped", { message: reason })];
  if (check.outcome === "blocked") return [element("skipped", { message: blockedMessage(reason) })];
  if (check.outcome === "pass") return [];
  if (check.failure === undefined) return [element("failure", { message: reason, type: "check" })];
  const { summary, expected, observed } = check.failure;
  return [
    element("failure", { message: summary, type: "check" }, [
      text(`expected ${expected}\nobserved ${observed}`),
    ]),
    element("system-out", {}, [text(failureReport(page, check.failure).join("\n"))]),
  ];
}

function testcase(page: Page, stage: StageResult, check: CheckResult): string {
  return element("testcase", { classname: stage.slug, name: check.title, time: seconds(check.durationMs) }, [
    properties({ id: check.id, points: check.points, earned: check.earned }),
    ...outcomeElements(page, check),
  ]);
}

/** JUnit knows no blocked tests: they count as skipped. */
function totals(checks: CheckResult[]): Record<string, number> {
  const number = (...outcomes: string[]) => checks.filter((check) => outcomes.includes(check.outcome)).length;
  return {
    tests: checks.length,
    failures: number("fail"),
    errors: number("error"),
    skipped: number("skipped", "blocked"),
  };
}

function testsuite(page: Page, record: GradeRecord, stage: StageResult): string {
  const build = [...buildReport(page, stage.build), ...typeErrorsReport(page, stage.build)].join("\n");
  const attributes = {
    name: stage.slug,
    ...totals(stage.checks),
    time: seconds(stage.durationMs),
    // The format knows no time zone; ours is always UTC.
    timestamp: record.startedAt.slice(0, "2026-01-01T00:00:00".length),
  };
  return element("testsuite", attributes, [
    properties({
      seed: record.seed,
      "points.earned": stage.points.earned,
      "points.possible": stage.points.possible,
    }),
    ...stage.checks.map((check) => testcase(page, stage, check)),
    ...(build === "" ? [] : [element("system-out", {}, [text(build)])]),
  ]);
}

/** The record as JUnit XML: a stage is a test suite, a check a test case, a failure's text its `system-out`. */
export function createJunitWriter(out: Out): Writer {
  const page = layOut(plainTheme, textColumns);
  return {
    listener: {},
    end(record) {
      const checks = record.stages.flatMap((stage) => stage.checks);
      const attributes = { name: reportName, ...totals(checks), time: seconds(record.durationMs) };
      const suites = record.stages.map((stage) => testsuite(page, record, stage));
      out(`<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", attributes, suites)}\n`);
    },
  };
}
