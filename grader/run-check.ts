import type { Check } from "./checks.ts";
import { CheckContext, GraderTrouble } from "./engine/context.ts";
import { CheckFailure, CheckSkipped, describeMs, type Evidence } from "./engine/evidence.ts";
import type { Program } from "./engine/program.ts";
import type { StagePlan } from "./plan.ts";
import { type Failure, interrupted, type Outcome } from "./record.ts";

/** What one check found, before the report adds the words that stand beside the check. */
export type CheckReport = {
  id: string;
  outcome: Outcome;
  durationMs: number;
  reason?: string;
  evidence?: Evidence & { sent: string[]; programs: Failure["programs"] };
  /** The transcript's text; where it was written, its file. */
  transcript?: string;
};

/** Ends a check that takes longer than any correct program could make it take, or whose grading is interrupted. */
async function withLimit(check: Check, context: CheckContext, signal: AbortSignal): Promise<void> {
  const deadline = context.deadline(check.limitMs);
  let finished = false;
  const running = check.run(context).finally(() => {
    finished = true;
  });
  const overrun = deadline
    .until(() => finished, { pollMs: 100 })
    .then((done) => {
      if (done) return;
      throw new CheckFailure({
        summary: `the check was not through after ${describeMs(deadline.elapsed())}`,
        expected: `an end within ${describeMs(deadline.limitMs)}`,
        observed: "the program was still at it",
      });
    });
  let onAbort = () => {};
  const interruption = new Promise<never>((_, reject) => {
    onAbort = () => reject(new GraderTrouble(interrupted));
    signal.addEventListener("abort", onAbort);
  });
  try {
    await Promise.race([running, overrun.then(() => running), interruption]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Puts the end of a program first where one ended by itself: whatever else the check saw followed from
 * that. A gap of a skeleton is told as what it is.
 */
function withCause(evidence: Evidence, programs: Program[]): Evidence {
  const crashed = ({ exit, sent }: Program) => exit?.signal != null && !sent.has(exit.signal);
  const program = programs.find((each) => each.uncaughtError() !== undefined || crashed(each));
  const message = program?.uncaughtError();
  const cause =
    message === undefined ? program?.death() : `was ended by an error that nobody caught: ${message}`;
  if (program === undefined || cause === undefined || evidence.summary.includes(message ?? cause)) {
    return evidence;
  }
  const gap = /\bTODO\b.*/.exec(message ?? "")?.[0];
  return {
    ...evidence,
    summary: `${program.name} ${gap === undefined ? cause : `stopped at an open gap: ${gap}`}`,
    observed: `${evidence.summary}: ${evidence.observed}`,
    hint: gap && "Fill this gap first; the steps of the lesson say how: npx expserver-course read",
  };
}

/**
 * Runs one check and says what came of it. Nothing that it started is left when this resolves.
 * @param before outcomes of the checks that it builds on; `undefined` for one that was not selected
 * @param stopped whether an earlier failure ended the run (`--bail`)
 * @param signal ends the check early: the grading was interrupted
 */
export async function runCheck(
  check: Check,
  plan: StagePlan,
  before: (readonly [id: string, outcome: Outcome | undefined])[],
  stopped: boolean,
  signal: AbortSignal,
): Promise<CheckReport> {
  const { id } = check;
  const blocker = before.find(([, outcome]) => outcome !== undefined && outcome !== "pass");
  if (signal.aborted) return { id, outcome: "error", durationMs: 0, reason: interrupted };
  if (blocker !== undefined) {
    const [other, theirs] = blocker;
    const outcome = theirs === "skipped" || theirs === "error" ? theirs : "blocked";
    const reason =
      outcome === "error"
        ? `builds on the check ${other}, in which the grader had trouble`
        : `builds on the check ${other}, which did not pass`;
    return { id, outcome, durationMs: 0, reason };
  }
  if (stopped)
    return { id, outcome: "blocked", durationMs: 0, reason: "not run: --bail stops at the first failure" };

  const start = performance.now();
  const context = new CheckContext(plan, id);
  let trouble: unknown;
  try {
    await withLimit(check, context, signal);
    context.expectNothingMore();
  } catch (error) {
    trouble = error;
  }
  // Before the clearing up, which is no part of what the check did.
  const sent = context.transcript.steps();
  if (trouble instanceof CheckFailure) await context.settlePrograms();
  const programs = trouble === undefined ? [] : context.describePrograms();
  try {
    await context.close();
  } catch (error) {
    trouble ??= error;
  }
  const durationMs = Math.round(performance.now() - start);
  if (trouble === undefined) return { id, outcome: "pass", durationMs };
  if (trouble instanceof CheckSkipped) return { id, outcome: "skipped", durationMs, reason: trouble.message };
  const transcript = context.transcript.toString();
  if (trouble instanceof CheckFailure) {
    const evidence = { ...withCause(trouble.evidence, context.programs), sent, programs };
    return { id, outcome: "fail", durationMs, evidence, transcript };
  }
  const reason =
    trouble instanceof GraderTrouble ? trouble.message : ((trouble as Error).stack ?? String(trouble));
  return { id, outcome: "error", durationMs, reason, transcript };
}
