import type { Stage } from "../../stages/stage.ts";
import type { CheckDefinition } from "../checks.ts";
import type { CheckResult, Failure, GradeRecord, StageResult } from "../record.ts";
import { exitStatusOf, sumPoints } from "../record.ts";
import type { Writer } from "./writer.ts";

/** A stage of the course, for tests of the reports. */
export function sampleStage(changes: Partial<Stage> = {}): Stage {
  return {
    number: 1,
    slug: "01-tcp-server",
    title: "A TCP server",
    phase: 0,
    minutes: 60,
    goals: ["You can write a TCP server."],
    program: {
      name: "tcp-server",
      entry: "src/phase-0/tcp-server.ts",
      usage: "tcp-server [port]",
      ports: [8080],
    },
    contracts: [],
    folder: "/course/stages/01-tcp-server",
    ...changes,
  };
}

/** A failure with the parts that every failure has. */
export function sampleFailure(changes: Partial<Failure> = {}): Failure {
  return {
    summary: "The reply was not the line reversed.",
    sent: ["client 1 connected to 127.0.0.1:20112"],
    expected: '"cba\\n" (4 bytes)',
    observed: '"abc\\n" (4 bytes)',
    why: "A server has to work on the bytes that it got.",
    see: [],
    repeat: "npx expserver-course grade 1 --only reverse-line --seed 4f2a9c01",
    programs: [],
    ...changes,
  };
}

/** A check's result: a pass, or what `changes.outcome` says, with the points that belong to it. */
export function sampleCheck(changes: Partial<CheckResult> = {}): CheckResult {
  const points = changes.points ?? 2;
  const outcome = changes.outcome ?? "pass";
  return {
    id: "reverse-line",
    title: "reverses one line",
    outcome,
    points,
    earned: outcome === "pass" ? points : 0,
    durationMs: 120,
    ...(outcome === "fail" ? { failure: sampleFailure() } : {}),
    ...changes,
  };
}

/** A stage's result; its points are the sum of its checks'. */
export function sampleStageResult(changes: Partial<StageResult> = {}): StageResult {
  const checks = changes.checks ?? [sampleCheck()];
  return {
    stage: 1,
    slug: "01-tcp-server",
    title: "A TCP server",
    build: { ok: true, warnings: [] },
    checks,
    points: sumPoints(checks),
    durationMs: 3200,
    ...changes,
  };
}

/** A record of these stages; its points and exit status follow from them. */
export function sampleRecord(
  stages = [sampleStageResult()],
  changes: Partial<GradeRecord> = {},
): GradeRecord {
  const checks = stages.flatMap((stage) => stage.checks);
  return {
    format: "expserver-course/grade",
    version: 1,
    course: "expserver-course",
    startedAt: "2026-03-01T22:15:04.123Z",
    durationMs: 3200,
    seed: "4f2a9c01",
    target: "/home/mei/my-expserver",
    machine: { node: "20.19.0", kernel: "6.1.0-18-amd64", arch: "x64", factor: 1 },
    stages,
    points: sumPoints(checks),
    exitStatus: exitStatusOf(checks),
    ...changes,
  };
}

/** The check that has this result. */
export function definitionOf({ id, title, points }: CheckResult): CheckDefinition {
  return { id, title, points, after: [], why: "", see: [], limitMs: 1000 };
}

/** Has a writer report a record as the grader does: first all calls in their order, then the end. */
export function report(writer: Writer, record: GradeRecord): void {
  for (const result of record.stages) {
    const stage = sampleStage({ number: result.stage, slug: result.slug, title: result.title });

    writer.listener.onStageStart?.(stage, result.checks.map(definitionOf));
    // The type errors are only known at the stage's end.
    writer.listener.onBuild?.(stage, { ...result.build, warnings: [] });
    for (const check of result.checks) {
      writer.listener.onCheck?.(stage, check);
    }
    writer.listener.onStageEnd?.(stage, result);
  }
  writer.end(record);
}
