import { existsSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { didYouMean } from "../../grader/nearest.ts";
import type { ReportFormat, Writer } from "../../grader/report/index.ts";
import { UserError } from "../../grader/user-error.ts";
import { findStage, type Stage } from "../../stages/stage.ts";
import { solutionFiles, writeWorkspace } from "../../stages/tree.ts";
import { type Engine, keepResult, loadEngine, repeatCommand, runGrading } from "../grading.ts";
import { currentStage, readProgress } from "../progress.ts";
import type { Session } from "../session.ts";
import { parseStages } from "../stage-names.ts";
import { openWorkspace } from "../workspace.ts";

export type GradeCommandOptions = {
  only?: string[];
  seed?: string;
  bail?: boolean;
  thorough?: boolean;
  format?: ReportFormat;
  /** File for the report in `format`; the terminal then shows pretty or plain. */
  out?: string;
  isolate?: boolean;
  /** Grade the reference solution instead. */
  solution?: boolean;
  /** Grade this folder instead of the workspace around. */
  target?: string;
};

/** What is graded, and where the result is kept; `workspace` only for the learner's own. */
type Subject = { folder: string; workspace?: string; repeatWith: string[]; clear(keep: boolean): void };

/** `grade [stages…]`: runs the checks. Status 0 all passed, 1 something failed, 2 could not grade. */
export async function grade(
  session: Session,
  words: string[],
  options: GradeCommandOptions,
  engine: () => Promise<Engine> = loadEngine,
): Promise<number> {
  const named = parseStages(words);
  if (options.isolate) {
    const { isIsolated, raiseLoopback, runIsolated } = await import("../../grader/isolate.ts");
    if (!isIsolated()) return runIsolated();
    raiseLoopback();
  }
  if (options.solution && options.target !== undefined) throw new UserError(solutionOrTarget);
  if (options.solution && named.length === 0) throw new UserError(solutionNeedsStage);
  const subject = options.solution ? solutionSubject(named) : learnersSubject(session, options.target);
  let keep = false;
  try {
    const stages = named.length > 0 ? named : [currentStage(readProgress(subject.folder))];
    const loaded = await engine();
    await refuseUnknownChecks(loaded, stages, options.only);
    const record = await runGrading(
      loaded,
      {
        target: subject.folder,
        stages,
        only: options.only,
        seed: options.seed,
        bail: options.bail,
        thorough: options.thorough,
        commandLine: (stage, id, seed) => repeatCommand(stage, id, seed, subject.repeatWith),
      },
      createWriters(session, loaded, stages, options, subject.workspace),
    );
    keep = record.exitStatus === 1;
    if (subject.workspace !== undefined && options.only === undefined) {
      keepResult(session, subject.workspace, record);
    }
    return record.exitStatus;
  } finally {
    subject.clear(keep);
    if (keep && options.solution) session.warn(`The graded folder was kept: ${subject.folder}`);
  }
}

function learnersSubject(session: Session, target: string | undefined): Subject {
  if (target === undefined) {
    const workspace = openWorkspace(session);
    return { folder: workspace, workspace, repeatWith: [], clear() {} };
  }
  const folder = resolve(session.cwd, target);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UserError(
      `There is no folder ${folder} to grade. Name one: npx expserver-course grade --target <folder>`,
    );
  }
  return { folder, repeatWith: ["--target", target], clear() {} };
}

/** The reference after the last of the stages, in a temporary folder; each earlier stage stays gradable in it. */
function solutionSubject(stages: Stage[]): Subject {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "expserver-solution-")));
  const clear = (keep: boolean) => {
    if (!keep) rmSync(folder, { recursive: true, force: true });
  };
  try {
    writeWorkspace(solutionFiles(stages.at(-1)!), folder);
  } catch (error) {
    clear(false);
    throw error;
  }
  return { folder, repeatWith: ["--solution"], clear };
}

async function refuseUnknownChecks(
  engine: Engine,
  stages: Stage[],
  only: string[] | undefined,
): Promise<void> {
  if (only === undefined) return;
  const known = (await Promise.all(stages.map((stage) => engine.loadChecks(stage))))
    .flat()
    .map(({ id }) => id);
  const unknown = only.find((id) => !known.includes(id));
  if (unknown === undefined) return;
  const where = stages.map(({ number }) => number).join(", ");
  throw new UserError(
    `Stage ${where} has no check "${unknown}".${didYouMean(unknown, known)} See them all: npx expserver-course list ${stages[0]!.number}`,
  );
}

function createWriters(
  session: Session,
  engine: Engine,
  stages: Stage[],
  { format, out, only }: GradeCommandOptions,
  workspace: string | undefined,
): Writer[] {
  const current = workspace === undefined ? undefined : findStage(readProgress(workspace).current);
  const settings = {
    // Hints and `next` are for the learner's own workspace.
    commands: workspace !== undefined,
    currentStage: current?.number,
    nextCommand: commandAfterPass(stages, current, only),
    color: session.color,
    columns: session.columns,
    hintCommand: "npx expserver-course hint",
  };
  const readable: ReportFormat = session.isTerminal ? "pretty" : "plain";
  if (out === undefined) return [engine.createWriter(format ?? readable, session.write, settings)];
  const file = resolve(session.cwd, out);
  writeFileSync(file, ""); // an unwritable place is found before the grading, not after it
  const report = engine.createWriter(
    format ?? formatOfName(file),
    (text) => writeFileSync(file, text, { flag: "a" }),
    { ...settings, color: false, columns: 100 },
  );
  return [engine.createWriter(readable, session.write, settings), report];
}

/** What to type when all that was graded passed: a part is followed by the whole, the current stage by the next one. */
function commandAfterPass(
  stages: Stage[],
  current: Stage | undefined,
  only: string[] | undefined,
): string | undefined {
  const isCurrent = (stage: Stage) => stage.number === current?.number;
  if (only === undefined) return stages.some(isCurrent) ? "npx expserver-course next" : undefined;
  const names = stages.every(isCurrent) ? [] : stages.map(({ number }) => number);
  return ["npx expserver-course grade", ...names].join(" ");
}

/** `--out result.json` needs no `--format`. */
function formatOfName(file: string): ReportFormat {
  if (file.endsWith(".json")) return "json";
  return file.endsWith(".xml") ? "junit" : "plain";
}

const solutionOrTarget =
  "--solution grades the reference and --target another folder: give one of them. See: npx expserver-course grade --help";
const solutionNeedsStage =
  "--solution needs to know the stage whose reference to grade, for example: npx expserver-course grade 1 --solution";
