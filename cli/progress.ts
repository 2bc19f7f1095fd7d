import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { GradeRecord, StageResult } from "../grader/record.ts";
import { UserError } from "../grader/user-error.ts";
import { packageVersion } from "../stages/package-root.ts";
import { allStages, findStage, type Stage } from "../stages/stage.ts";
import type { Session } from "./session.ts";

const points = z.looseObject({ earned: z.number(), possible: z.number() });

const stageProgress = z.looseObject({
  /** When its skeleton came into the workspace. */
  started: z.iso.datetime(),
  /** Set when the stage began from the reference solution (`goto`), not from the learner's own work. */
  fromReference: z.boolean().optional(),
  /** When every check passed for the first time. */
  passed: z.iso.datetime().optional(),
  /** When the learner went on with failing checks (`next --anyway`), and which these were. */
  leftUnfinished: z.looseObject({ at: z.iso.datetime(), failing: z.array(z.string()) }).optional(),
  /** The best grading so far. */
  best: points.optional(),
  /** The last grading of the whole stage, with the checks that did not pass. */
  last: z
    .looseObject({
      at: z.iso.datetime(),
      seed: z.string(),
      earned: z.number(),
      possible: z.number(),
      failed: z.array(z.string()),
      blocked: z.array(z.string()),
    })
    .optional(),
  /** Check → how many of its hints were shown. */
  hints: z.record(z.string(), z.number().int().nonnegative()).optional(),
});

// Loose objects: what a later 0.x adds beside these keys survives being rewritten by this version.
const progressFile = z.looseObject({
  version: z.literal(1),
  /** The version of expserver-course that wrote the file last. */
  course: z.string(),
  /** The stage that `grade`, `hint` and the others mean when none is named. */
  current: z.string(),
  stages: z.record(z.string(), stageProgress),
});

/** What `.expserver/state.json` holds: how far the learner is. */
export type Progress = z.infer<typeof progressFile>;
export type StageProgress = z.infer<typeof stageProgress>;

/** Where a workspace's progress is kept. */
export function progressPath(workspace: string): string {
  return join(workspace, ".expserver", "state.json");
}

/** The progress of somebody who starts with `stage` now. */
export function newProgress(stage: Stage): Progress {
  return {
    version: 1,
    course: packageVersion,
    current: stage.slug,
    stages: { [stage.slug]: { started: new Date().toISOString() } },
  };
}

/**
 * Reads a workspace's progress. A missing file is made up for by what lies in `src/`: the furthest
 * stage whose program is there is the current one.
 * @throws UserError when the file is damaged or written by a newer version; it stays as it is
 */
export function readProgress(workspace: string): Progress {
  const path = progressPath(workspace);
  if (!existsSync(path)) return guessProgress(workspace);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`${path} is not valid JSON (${error.message}).\n${restoreProgress}`);
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > 1) throw new UserError(newerProgress(path, version));
  const result = progressFile.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    const key = issue.path.join(".") || "the whole file";
    throw new UserError(
      `${path} does not hold what it should: ${key}: ${issue.message}.\n${restoreProgress}`,
    );
  }
  return result.data;
}

function guessProgress(workspace: string): Progress {
  const stages = allStages();
  const reached = stages.findLast((stage) => existsSync(join(workspace, stage.program.entry)));
  return newProgress(reached ?? stages[0]!);
}

/** Writes a workspace's progress; a crash in the middle leaves the old file. */
function writeProgress(workspace: string, progress: Progress): void {
  const path = progressPath(workspace);
  const temporary = `${path}.${process.pid}.tmp`;
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(temporary, `${JSON.stringify({ ...progress, course: packageVersion }, null, 2)}\n`);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Changes a workspace's progress: reads it, lets `change` edit it, writes it.
 * @returns the progress as it is now
 */
export function updateProgress(workspace: string, change: (progress: Progress) => void): Progress {
  const progress = readProgress(workspace);
  change(progress);
  writeProgress(workspace, progress);
  return progress;
}

/** As `updateProgress`, for what is not worth failing for: where the file cannot be written, says so and goes on. */
export function noteProgress(
  session: Session,
  workspace: string,
  change: (progress: Progress) => void,
): void {
  try {
    updateProgress(workspace, change);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || !unwritable.has(code)) throw error;
    session.warn(`This was not recorded: .expserver/state.json cannot be written (${code}).`);
  }
}

const unwritable = new Set(["EACCES", "EROFS", "EPERM", "ENOSPC", "EDQUOT"]);

/** The stage at which the learner is. */
export function currentStage(progress: Progress): Stage {
  const stage = findStage(progress.current);
  if (stage !== undefined) return stage;
  throw new UserError(
    `Your workspace is at stage "${progress.current}", which this version of expserver-course does not have.\nInstall a newer one (npm install --save-dev expserver-course@latest), or go to a stage: npx expserver-course goto 1`,
  );
}

/** The entry of a stage, made when it isn't there. */
export function progressOf(progress: Progress, stage: Stage): StageProgress {
  progress.stages[stage.slug] ??= { started: new Date().toISOString() };
  return progress.stages[stage.slug]!;
}

/** Whether a stage's grading leaves nothing to be done: all checks passed or did not apply. */
export function hasPassed(result: StageResult): boolean {
  return result.checks.every(({ outcome }) => outcome === "pass" || outcome === "skipped");
}

/** Whether the last grading of a stage left something to be done. */
export function failedLast(entry: StageProgress | undefined): boolean {
  const last = entry?.last;
  return last !== undefined && last.failed.length + last.blocked.length > 0;
}

/** Whether a stage is done as it lies there: a `goto` or a failed grading after its pass opens it again. */
export function isDone(entry: StageProgress | undefined): boolean {
  return entry?.passed !== undefined && entry.last !== undefined && !failedLast(entry);
}

/** Notes a whole grading: the last result of each stage, the best one, and when it passed first. */
export function recordGrading(progress: Progress, record: GradeRecord): void {
  for (const result of record.stages) {
    const stage = findStage(result.slug);
    if (stage === undefined) continue;
    const entry = progressOf(progress, stage);
    const idsWith = (wanted: string) =>
      result.checks.filter(({ outcome }) => outcome === wanted).map(({ id }) => id);
    entry.last = {
      at: record.startedAt,
      seed: record.seed,
      ...result.points,
      failed: idsWith("fail"),
      blocked: idsWith("blocked"),
    };
    if (entry.best === undefined || result.points.earned > entry.best.earned) entry.best = result.points;
    if (hasPassed(result)) {
      entry.passed ??= record.startedAt;
      delete entry.leftUnfinished;
    }
  }
}

const restoreProgress = `Nothing was changed. Take the file back from git (git checkout -- .expserver/state.json), or delete it:
the course then starts counting again at the last stage whose program is there, and your programs stay.
Then type: npx expserver-course status`;

const newerProgress = (path: string, version: number) =>
  `${path} was written by a newer expserver-course (format ${version}; this one knows format 1). Nothing was changed.
Install the newer version: npm install --save-dev expserver-course@latest`;
