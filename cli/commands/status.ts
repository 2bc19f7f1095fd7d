import { allStages, nextStage } from "../../stages/stage.ts";
import { currentStage, failedLast, isDone, readProgress, type StageProgress } from "../progress.ts";
import { bold, type Session } from "../session.ts";
import { listSnapshots } from "../snapshot.ts";
import { stageTitle } from "../stage-names.ts";
import { pathForPeople } from "../typed-text.ts";
import { openWorkspace } from "../workspace.ts";

/** `status`: where the learner is, and the command to type next. */
export async function status(session: Session, options: { json?: boolean }): Promise<number> {
  const workspace = openWorkspace(session);
  const progress = readProgress(workspace);
  const snapshots = listSnapshots(workspace);
  const stage = currentStage(progress);
  const entry = progress.stages[stage.slug];
  const entries = allStages().map(({ slug }) => progress.stages[slug]);
  const passed = entries.filter((each) => each?.passed !== undefined).length;
  const points = entries.reduce((sum, each) => sum + (each?.best?.earned ?? 0), 0);
  const command = nextCommand(progress.stages[stage.slug]);
  if (options.json) {
    const { name: program, entry: file } = stage.program;
    const fields = {
      workspace,
      current: { stage: stage.number, slug: stage.slug, title: stage.title, program, file, ...entry },
      passed,
      stages: allStages().length,
      points,
      snapshots: snapshots.map(({ name, before, at }) => ({ name, before, at })),
      next: command,
    };
    session.say(JSON.stringify(fields, null, 2));
    return 0;
  }

  session.say(
    bold(session, stageTitle(stage)) + describeState(entry),
    `  program    ${stage.program.entry}`,
    `  workspace  ${pathForPeople(session.cwd, workspace) === "." ? workspace : pathForPeople(session.cwd, workspace)}`,
    `  passed     ${passed} of ${allStages().length} stages, ${points} points in all`,
  );
  if (entry?.last === undefined) session.say("  checks     not graded yet");
  else {
    const { earned, possible, failed, blocked } = entry.last;
    const open = [...failed, ...blocked.map((id) => `${id} (blocked)`)];
    session.say(
      `  checks     ${earned} of ${possible} points${open.length > 0 ? `; to do: ${open.join(", ")}` : ""}`,
    );
  }
  if (snapshots.length > 0) {
    session.say("", "Snapshots of your files (put one back: npx expserver-course reset --to <snapshot>)");
    for (const { name, before } of snapshots) session.say(`  ${name}  before \`${before}\``);
  }
  const atTheEnd = isDone(entry) && nextStage(stage) === undefined;
  session.say("", atTheEnd ? "You have finished every stage of this version." : `Next: ${command}`);
  return 0;
}

function describeState(entry: StageProgress | undefined): string {
  if (entry?.passed === undefined) return "";
  if (entry.last === undefined) return ": done before, and begun again";
  return failedLast(entry) ? ": done before, but the last grading failed" : ": done";
}

function nextCommand(entry: StageProgress | undefined): string {
  if (isDone(entry)) return "npx expserver-course next";
  if (entry?.last === undefined) return "npx expserver-course read";
  return entry.last.failed.length > 0 ? "npx expserver-course hint" : "npx expserver-course grade";
}
