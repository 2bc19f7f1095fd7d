import { z } from "zod";

/** pass and fail are the learner's; blocked: a check it builds on failed; skipped: does not apply here; error: the grader's own trouble. */
export const outcome = z.enum(["pass", "fail", "blocked", "skipped", "error"]);
export type Outcome = z.infer<typeof outcome>;

/** The reason of the outcome `error` for checks that have no result because somebody stopped the grading. */
export const interrupted = "the grading was interrupted";

const failure = z.strictObject({
  /** One sentence: what was wrong. */
  summary: z.string(),
  /** What the probe did, one step a line. */
  sent: z.array(z.string()),
  expected: z.string(),
  observed: z.string(),
  /** The place of the first difference: offset, hex and text with a caret. Several lines. */
  difference: z.string().optional(),
  why: z.string(),
  /** The first rung of the check's hints; `hint` shows the others. */
  hint: z.string().optional(),
  see: z.array(z.string()),
  /** The command that repeats exactly this check. */
  repeat: z.string(),
  /** A command to see the same by hand. */
  byHand: z.string().optional(),
  /** The programs that ran in this check: how they were called, how they ended, what they printed last. */
  programs: z.array(
    z.strictObject({ command: z.string(), death: z.string().optional(), output: z.string() }),
  ),
  /** Where the transcript of all bytes lies. */
  transcript: z.string().optional(),
});
export type Failure = z.infer<typeof failure>;

const checkResult = z.strictObject({
  id: z.string(),
  title: z.string(),
  outcome,
  /** Points that this check can give; 0 counts for neither side when it was skipped or had an error. */
  points: z.number(),
  earned: z.number(),
  durationMs: z.number(),
  /** Why it was blocked or skipped, or what went wrong in the grader. */
  reason: z.string().optional(),
  failure: failure.optional(),
});
export type CheckResult = z.infer<typeof checkResult>;

const stageResult = z.strictObject({
  stage: z.number().int(),
  slug: z.string(),
  title: z.string(),
  build: z.strictObject({
    ok: z.boolean(),
    /** Compiler or build command output, when it failed. */
    log: z.string().optional(),
    /** Type errors as `file:line: text`; they never fail a check. */
    warnings: z.array(z.string()),
  }),
  checks: z.array(checkResult),
  points: z.strictObject({ earned: z.number(), possible: z.number() }),
  durationMs: z.number(),
});
export type StageResult = z.infer<typeof stageResult>;

/** What one run of the grader found: the one source of every report. */
export const gradeRecord = z.strictObject({
  format: z.literal("expserver-course/grade"),
  version: z.literal(1),
  course: z.string(),
  startedAt: z.iso.datetime(),
  durationMs: z.number(),
  seed: z.string(),
  target: z.string(),
  machine: z.strictObject({ node: z.string(), kernel: z.string(), arch: z.string(), factor: z.number() }),
  stages: z.array(stageResult),
  points: z.strictObject({ earned: z.number(), possible: z.number() }),
  /** 0 all passed, 1 something failed, 2 could not grade. */
  exitStatus: z.union([z.literal(0), z.literal(1), z.literal(2)]),
});
export type GradeRecord = z.infer<typeof gradeRecord>;

/** Points of some checks: what was skipped or went wrong in the grader counts on neither side. */
export function sumPoints(checks: CheckResult[]): { earned: number; possible: number } {
  const counted = checks.filter((check) => check.outcome !== "skipped" && check.outcome !== "error");
  return {
    earned: counted.reduce((sum, check) => sum + check.earned, 0),
    possible: counted.reduce((sum, check) => sum + check.points, 0),
  };
}

/** The exit status that results ask for: 2 when the grader had trouble, else 1 when anything failed or was blocked. */
export function exitStatusOf(checks: CheckResult[]): 0 | 1 | 2 {
  if (checks.some((check) => check.outcome === "error")) return 2;
  return checks.some((check) => check.outcome === "fail" || check.outcome === "blocked") ? 1 : 0;
}
