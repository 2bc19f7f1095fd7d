import { resolve } from "node:path";
import { loadCourse } from "../../grader/course.ts";
import type { StageResult } from "../../grader/record.ts";
import { UserError } from "../../grader/user-error.ts";
import { nextStage, type Stage } from "../../stages/stage.ts";
import { explainMisfits, findMisfits } from "../fit.ts";
import { type Engine, keepResult, loadEngine, repeatCommand, runGrading } from "../grading.ts";
import { currentStage, hasPassed, progressOf, readProgress, updateProgress } from "../progress.ts";
import { bold, type Session } from "../session.ts";
import { isOtherLanguage, type PlacedFile, placeSkeleton } from "../skeleton.ts";
import { stageTitle } from "../stage-names.ts";
import { createWorkspace, defaultFolder, findWorkspace, openWorkspace } from "../workspace.ts";
import { announceWorkspace } from "./init.ts";

/** `next [--anyway]`: grades the current stage and, when it passes, brings the next one's skeleton. */
export async function next(
  session: Session,
  options: { anyway?: boolean },
  engine: () => Promise<Engine> = loadEngine,
): Promise<number> {
  if (findWorkspace(session.cwd) === undefined) return firstNext(session);
  const workspace = openWorkspace(session);
  const stage = currentStage(readProgress(workspace));
  const { createWriter, ...grader } = await engine();
  const writer = createWriter(session.isTerminal ? "pretty" : "plain", session.write, {
    color: session.color,
    columns: session.columns,
    hintCommand: "npx expserver-course hint",
    commands: false, // what comes next is said below
  });
  const record = await runGrading(
    { createWriter, ...grader },
    { target: workspace, stages: [stage], commandLine: repeatCommand },
    [writer],
  );
  keepResult(session, workspace, record);
  const result = record.stages[0];
  session.say("");
  if (result === undefined || (record.exitStatus === 2 && !options.anyway)) {
    session.warn(`Stage ${stage.number} could not be graded, so nothing was changed. ${tryDoctor}`);
    return 2;
  }
  if (!hasPassed(result) && !options.anyway) {
    session.say(...notYet(stage, result));
    return 1;
  }
  return goOn(session, workspace, stage, result);
}

/** Outside of a workspace, `next` makes one. */
function firstNext(session: Session): number {
  const folder = resolve(session.cwd, defaultFolder);
  if (findWorkspace(folder) !== undefined) {
    throw new UserError(`Your workspace is in ${defaultFolder}. Go there first: cd ${defaultFolder}`);
  }
  announceWorkspace(session, createWorkspace(folder));
  return 0;
}

/** Records that a stage is done, or left, and brings the next one. */
async function goOn(session: Session, workspace: string, stage: Stage, result: StageResult): Promise<number> {
  const passed = hasPassed(result);
  const failing = result.checks
    .filter(({ outcome }) => outcome !== "pass" && outcome !== "skipped")
    .map(({ id }) => id);
  if (!passed) {
    updateProgress(workspace, (progress) => {
      progressOf(progress, stage).leftUnfinished = { at: new Date().toISOString(), failing };
    });
    session.say(
      `Going on although stage ${stage.number} has failing checks: ${failing.join(", ")}. That is on record.`,
    );
  } else {
    session.say(bold(session, `${stageTitle(stage)}: done.`));
  }

  const following = nextStage(stage);
  if (following === undefined) {
    session.say(...(passed ? [lastStageDone] : [nothingAfter]));
    return 0;
  }
  const course = loadCourse(workspace);
  const otherLanguage = isOtherLanguage(workspace, course, following, stage);
  const misfits = otherLanguage ? [] : await findMisfits(workspace, course, following);
  const begunBefore = readProgress(workspace).stages[following.slug] !== undefined;
  const placed = placeSkeleton(workspace, following, { begunBefore, otherLanguage });
  updateProgress(workspace, (progress) => {
    progressOf(progress, following);
    progress.current = following.slug;
  });
  session.say("", ...announceStage(session, following, placed));
  if (misfits.length > 0) session.say("", ...explainMisfits(following, misfits));
  return 0;
}

/** What is new, and where the lesson is. */
export function announceStage(session: Session, stage: Stage, placed: PlacedFile[]): string[] {
  const files = placed.map(({ path, outcome, at }) => {
    if (outcome === "new") return `  ${path}`;
    if (outcome === "beside") return `  ${at} (you have a ${path} already; it stays as it is)`;
    if (outcome === "kept") return `  ${path} (yours, from before; unchanged)`;
    return `  no ${path}: course.json runs programs in another language; write \`${stage.program.usage}\` in yours`;
  });
  return [
    bold(session, `${stageTitle(stage)} (about ${stage.minutes} minutes)`),
    ...stage.goals.map((goal) => `  - ${goal}`),
    "",
    ...(files.length > 0 ? ["Files:", ...files, ""] : []),
    "Read the lesson:  npx expserver-course read",
    "Then grade:       npx expserver-course grade",
  ];
}

function notYet(stage: Stage, result: StageResult): string[] {
  const failing = result.checks.filter(({ outcome }) => outcome !== "pass" && outcome !== "skipped").length;
  return [
    `Stage ${stage.number} is not done yet: ${failing} of ${result.checks.length} checks to go.`,
    "A hint for the first one:  npx expserver-course hint",
    "Go on all the same:        npx expserver-course next --anyway",
  ];
}

const tryDoctor = "Look at the machine with: npx expserver-course doctor";
const lastStageDone = `That was the last stage of this version: every program is yours now.
See your points with: npx expserver-course status`;
const nothingAfter = `There is no stage after it in this version; nothing was added.
See your points with: npx expserver-course status`;
