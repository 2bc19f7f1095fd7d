import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadCourse } from "../grader/course.ts";
import type { CheckDefinition, GradeListener, GradeOptions, GradeRecord } from "../grader/index.ts";
import type { ReportFormat, Writer, WriterOptions } from "../grader/report/index.ts";
import { findStage, type Stage } from "../stages/stage.ts";
import { noteProgress, readProgress, recordGrading } from "./progress.ts";
import type { Session } from "./session.ts";
import { shellWord } from "./typed-text.ts";

/** What commands need of `grader/`, which is slow to load and which tests replace. */
export type Engine = {
  grade(options: GradeOptions, listener?: GradeListener): Promise<GradeRecord>;
  loadChecks(stage: Stage): Promise<CheckDefinition[]>;
  createWriter(format: ReportFormat, out: (text: string) => void, options: WriterOptions): Writer;
};

/** The real engine. */
export async function loadEngine(): Promise<Engine> {
  const [{ grade, loadChecks }, { createWriter }] = await Promise.all([
    import("../grader/index.ts"),
    import("../grader/report/index.ts"),
  ]);
  return { grade, loadChecks, createWriter };
}

/** One listener out of several. */
function together(listeners: GradeListener[]): GradeListener {
  return {
    onStageStart: (...args) => listeners.forEach((each) => void each.onStageStart?.(...args)),
    onBuild: (...args) => listeners.forEach((each) => void each.onBuild?.(...args)),
    onCheck: (...args) => listeners.forEach((each) => void each.onCheck?.(...args)),
    onStageEnd: (...args) => listeners.forEach((each) => void each.onStageEnd?.(...args)),
  };
}

/** The command that repeats one check, as it is typed in the same place. */
export function repeatCommand(stage: Stage, checkId: string, seed: string, more: string[] = []): string {
  const words = ["npx expserver-course grade", stage.number, "--only", checkId, "--seed", seed];
  return [...words, ...more.map(shellWord)].join(" ");
}

/**
 * Runs a grading for writers and ends it well on Ctrl-C: the first one ends the programs and reports
 * what there is, the second one leaves at once.
 */
export async function runGrading(
  engine: Engine,
  options: GradeOptions,
  writers: Writer[],
): Promise<GradeRecord> {
  const abort = new AbortController();
  const onSignal = () => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    const listener = together(writers.map((writer) => writer.listener));
    const record = await engine.grade({ ...options, signal: abort.signal }, listener);
    for (const writer of writers) writer.end(record);
    return record;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

/** Whether the learner has begun a stage: grading one that lies ahead, without a program, is no start. */
function isBegun(workspace: string, slug: string): boolean {
  if (readProgress(workspace).current === slug) return true;
  const program = findStage(slug)?.program;
  if (program === undefined) return false;
  return existsSync(join(workspace, program.entry)) || loadCourse(workspace).run[program.name] !== undefined;
}

/** Keeps a grading's result in the workspace; where that cannot be written, says so and goes on. */
export function keepResult(session: Session, workspace: string, record: GradeRecord): void {
  // A stage in which the grader had trouble or was interrupted says nothing about the learner's program.
  const graded = record.stages.filter(({ checks }) => checks.every(({ outcome }) => outcome !== "error"));
  const stages = graded.filter(({ slug }) => isBegun(workspace, slug));
  if (stages.length === 0) return;
  noteProgress(session, workspace, (progress) => recordGrading(progress, { ...record, stages }));
}
