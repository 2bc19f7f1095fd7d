import { didYouMean } from "../../grader/nearest.ts";
import { reflow } from "../../grader/report/wrap.ts";
import { UserError } from "../../grader/user-error.ts";
import { loadHints } from "../../stages/hints.ts";
import type { Stage } from "../../stages/stage.ts";
import { type Engine, loadEngine } from "../grading.ts";
import { currentStage, noteProgress, type Progress, progressOf, readProgress } from "../progress.ts";
import { bold, type Session } from "../session.ts";
import { parseStage } from "../stage-names.ts";
import { openWorkspace } from "../workspace.ts";

export type HintOptions = { stage?: string; all?: boolean; level?: string };

/**
 * `hint [check]`: the next rung of a check's hints. Which ones were shown is kept in the progress, so
 * that typing `hint` again gives more.
 */
export async function hint(
  session: Session,
  check: string | undefined,
  options: HintOptions,
  engine: () => Promise<Pick<Engine, "loadChecks">> = loadEngine,
): Promise<number> {
  const workspace = openWorkspace(session);
  const progress = readProgress(workspace);
  const stage = options.stage === undefined ? currentStage(progress) : parseStage(options.stage);
  const id = check ?? firstFailed(stage, progress);
  const hints = loadHints(stage).get(id) ?? [];
  if (hints.length === 0) await explainMissing(stage, id, engine);

  const shownBefore = shownSoFar(stage, id, progress);
  const level =
    options.level === undefined ? Math.min(shownBefore + 1, hints.length) : parseLevel(options.level, hints);
  const repeats = options.level === undefined && !options.all && shownBefore >= hints.length;
  const levels = options.all ? hints.map((_, index) => index + 1) : [level];
  session.say(bold(session, `Stage ${stage.number}, ${id}`));
  for (const each of levels)
    session.say("", `Hint ${each} of ${hints.length}`, ...hintLines(session, hints[each - 1]!));
  const otherStage = stage.number === currentStage(progress).number ? [] : ["--stage", stage.number];
  const again = ["npx expserver-course hint", ...(check === undefined ? [] : [check]), ...otherStage].join(
    " ",
  );
  session.say("", ...whatNext(stage, id, { more: Math.max(...levels) < hints.length, repeats, again }));

  const shown = Math.max(shownBefore, ...levels);
  if (shown > (progress.stages[stage.slug]?.hints?.[id] ?? 0)) {
    noteProgress(session, workspace, (changed) => {
      const entry = progressOf(changed, stage);
      entry.hints = { ...entry.hints, [id]: shown };
    });
  }
  return 0;
}

/** How many hints of a check the learner has seen. A report shows the first one of the first failed check. */
function shownSoFar(stage: Stage, id: string, progress: Progress): number {
  const { hints, last } = progress.stages[stage.slug] ?? {};
  return Math.max(hints?.[id] ?? 0, last?.failed[0] === id ? 1 : 0);
}

/** The check whose failure the last report showed in full. */
function firstFailed(stage: Stage, progress: Progress): string {
  const last = progress.stages[stage.slug]?.last;
  if (last === undefined) {
    throw new UserError(
      `Stage ${stage.number} was not graded yet. Type first: npx expserver-course grade ${stage.number}`,
      1,
    );
  }
  const id = last.failed[0] ?? last.blocked[0];
  if (id !== undefined) return id;
  throw new UserError(
    `Nothing failed in the last grading of stage ${stage.number}. Go on with: npx expserver-course next`,
    1,
  );
}

/** Tells a wrong check name from a check that has no hints. */
async function explainMissing(
  stage: Stage,
  id: string,
  engine: () => Promise<Pick<Engine, "loadChecks">>,
): Promise<never> {
  const ids = (await (await engine()).loadChecks(stage)).map((each) => each.id);
  if (ids.includes(id)) {
    throw new UserError(
      `The check ${id} has no hints. The lesson covers it: npx expserver-course read ${stage.number}`,
      1,
    );
  }
  throw new UserError(
    `Stage ${stage.number} has no check "${id}".${didYouMean(id, ids)} See them all: npx expserver-course list ${stage.number}`,
  );
}

function parseLevel(text: string, hints: string[]): number {
  const level = Number(text);
  if (Number.isInteger(level) && level >= 1 && level <= hints.length) return level;
  throw new UserError(
    `--level is a number from 1 to ${hints.length} here, not "${text}". See all: npx expserver-course hint --all`,
  );
}

/** A hint's text, set for the terminal's width. */
function hintLines(session: Session, text: string): string[] {
  return reflow(text, Math.min(session.columns, 100) - 2).map((line) => (line === "" ? "" : `  ${line}`));
}

function whatNext(
  stage: Stage,
  id: string,
  { more, repeats, again }: { more: boolean; repeats: boolean; again: string },
): string[] {
  const tryIt = `Try it:         npx expserver-course grade ${stage.number} --only ${id}`;
  if (more) return [tryIt, `The next hint:  ${again}`];
  return [
    repeats ? "You have seen all of its hints." : "That was the last hint for it.",
    tryIt,
    `The lesson:     npx expserver-course read ${stage.number}`,
    `The reference:  npx expserver-course solution ${stage.number}`,
  ];
}
