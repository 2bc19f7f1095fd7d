import { loadCourse } from "../../grader/course.ts";
import { previousStage } from "../../stages/stage.ts";
import { skeletonFiles } from "../../stages/tree.ts";
import { currentStage, readProgress, updateProgress } from "../progress.ts";
import { differingFiles, howToUndo, replaceFiles } from "../replacement.ts";
import type { Session } from "../session.ts";
import { isOtherLanguage } from "../skeleton.ts";
import { findSnapshot, restoreSnapshot, takeSnapshot } from "../snapshot.ts";
import { stageTitle } from "../stage-names.ts";
import { openWorkspace } from "../workspace.ts";

/** `reset`: the current stage's skeleton as it came; `reset --to <snapshot>`: the files of a snapshot. */
export async function reset(session: Session, options: { to?: string }): Promise<number> {
  const workspace = openWorkspace(session);
  return options.to === undefined ? resetStage(session, workspace) : restore(session, workspace, options.to);
}

function resetStage(session: Session, workspace: string): number {
  const stage = currentStage(readProgress(workspace));
  const otherLanguage = isOtherLanguage(workspace, loadCourse(workspace), stage, previousStage(stage));
  const skeleton = skeletonFiles(stage).filter(({ path }) => !(otherLanguage && path.endsWith(".ts")));
  const differing = differingFiles(workspace, skeleton);
  if (differing.length === 0) {
    session.say(
      `${stageTitle(stage)} is as the skeleton came; there is nothing to reset.`,
      "The lesson: npx expserver-course read",
    );
    return 0;
  }
  const files = skeleton.filter(({ path }) => differing.includes(path));
  const { snapshot } = replaceFiles(workspace, files, "reset", stage.slug);
  session.say(`Back to the skeleton of ${stageTitle(stage)}:`, ...differing.map((path) => `  ${path}`));
  session.say(...howToUndo(snapshot));
  return 0;
}

function restore(session: Session, workspace: string, name: string): number {
  const wanted = findSnapshot(workspace, name);
  const { current } = readProgress(workspace);
  const now = takeSnapshot(workspace, `reset --to ${wanted.name}`, current, wanted.paths);
  restoreSnapshot(workspace, wanted);
  updateProgress(workspace, (progress) => {
    progress.current = wanted.current;
  });
  session.say(`Your files are as they were before \`${wanted.before}\` (${wanted.name}).`, ...howToUndo(now));
  return 0;
}
