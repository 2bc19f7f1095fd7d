import { allStages, type Stage } from "../../stages/stage.ts";
import { type Engine, loadEngine } from "../grading.ts";
import { type Progress, readProgress } from "../progress.ts";
import { bold, dim, type Session } from "../session.ts";
import { parseStage } from "../stage-names.ts";
import { findWorkspace } from "../workspace.ts";

export type ListOptions = { json?: boolean };

const phaseNames = [
  "Linux socket programming",
  "The core, as modules",
  "HTTP",
  "Features",
  "TLS, caching, many processes",
];

/** `list [stage]`: the stages with the learner's progress, or one stage's checks with their points. */
export async function list(
  session: Session,
  name: string | undefined,
  options: ListOptions,
  engine: () => Promise<Pick<Engine, "loadChecks">> = loadEngine,
): Promise<number> {
  const workspace = findWorkspace(session.cwd);
  const progress = workspace === undefined ? undefined : readProgress(workspace);
  if (name !== undefined) return listChecks(session, parseStage(name), progress, options, engine);
  const rows = allStages().map((stage) => stageRow(stage, progress));
  if (options.json) session.say(JSON.stringify(rows, null, 2));
  else showStages(session, rows);
  return 0;
}

/** What `list --json` gives for each stage. */
type StageRow = {
  stage: number;
  slug: string;
  title: string;
  phase: number;
  minutes: number;
  program: string;
  state: "current" | "passed" | "left unfinished" | "begun" | "ahead";
  points?: { earned: number; possible: number };
};

function stageRow(stage: Stage, progress: Progress | undefined): StageRow {
  const entry = progress?.stages[stage.slug];
  const { number, slug, title, phase, minutes, program } = stage;
  const state =
    entry?.passed !== undefined
      ? "passed"
      : progress?.current === slug
        ? "current"
        : entry?.leftUnfinished !== undefined
          ? "left unfinished"
          : entry !== undefined
            ? "begun"
            : "ahead";
  return { stage: number, slug, title, phase, minutes, program: program.name, state, points: entry?.best };
}

const marks: Record<StageRow["state"], string> = {
  passed: "✓",
  current: ">",
  "left unfinished": "!",
  begun: "·",
  ahead: " ",
};

function showStages(session: Session, rows: StageRow[]): void {
  const width = Math.max(...rows.map(({ title }) => title.length));
  let phase: number | undefined;
  for (const row of rows) {
    if (row.phase !== phase) {
      session.say(
        ...(phase === undefined ? [] : [""]),
        bold(session, `Phase ${row.phase}: ${phaseNames[row.phase]}`),
      );
      phase = row.phase;
    }
    const points = row.points === undefined ? "" : `${row.points.earned}/${row.points.possible} points`;
    const line = `${marks[row.state]} ${String(row.stage).padStart(2)}  ${row.title.padEnd(width)}  ${row.program.padEnd(12)}  ${String(row.minutes).padStart(3)} min  ${points}`;
    session.say(row.state === "ahead" ? dim(session, line.trimEnd()) : line.trimEnd());
  }
  session.say("", "One stage's checks: npx expserver-course list <stage>");
}

async function listChecks(
  session: Session,
  stage: Stage,
  progress: Progress | undefined,
  { json }: ListOptions,
  engine: () => Promise<Pick<Engine, "loadChecks">>,
): Promise<number> {
  const checks = await (await engine()).loadChecks(stage);
  if (json) {
    const fields = checks.map(({ id, title, points, after }) => ({ id, title, points, after }));
    session.say(JSON.stringify(fields, null, 2));
    return 0;
  }
  const last = progress?.stages[stage.slug]?.last;
  const width = Math.max(...checks.map(({ id }) => id.length));
  const total = checks.reduce((sum, { points }) => sum + points, 0);
  session.say(
    bold(session, `Stage ${stage.number}, ${stage.title}: ${checks.length} checks, ${total} points`),
  );
  for (const { id, title, points } of checks) {
    const mark =
      last === undefined ? " " : last.failed.includes(id) ? "✗" : last.blocked.includes(id) ? "-" : "✓";
    session.say(`${mark} ${id.padEnd(width)}  ${points}  ${title}`);
  }
  session.say(
    "",
    ...(last === undefined ? [] : ["✓ passed or skipped, ✗ failed, - blocked in the last grading."]),
    `One check alone: npx expserver-course grade ${stage.number} --only <check>`,
  );
  return 0;
}
