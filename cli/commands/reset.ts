import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { skeletonFiles } from "../../stages/tree.ts";
import { currentStage, readProgress, updateProgress } from "../progress.ts";
import type { Session } from "../session.ts";
import { findSnapshot, restoreSnapshot, takeSnapshot } from "../snapshot.ts";
import { stageTitle } from "../stage-names.ts";
import { openWorkspace } from "../workspace.ts";
import { howToUndo, writeOver } from "./goto.ts";

/** `reset`: the current stage's skeleton as it came; `reset --to <snapshot>`: the files of a snapshot. */
export async function reset(session: Session, options: { to?: string }): Promise<number> {
  const workspace = openWorkspace(session);
  const { current } = readProgress(workspace);
  if (options.to !== undefined) {
    const wanted = findSnapshot(workspace, options.to);
    const now = takeSnapshot(workspace, `reset --to ${wanted.name}`, current, wanted.paths);
    restoreSnapshot(workspace, wanted);
    updateProgress(workspace, (progress) => {
      progress.current = wanted.current;
    });
    session.say(
      `Your files are as they were before \`${wanted.before}\` (${wanted.name}).`,
      ...howToUndo(now.name),
    );
    return 0;
  }
  const stage = currentStage(readProgress(workspace));
  const files = skeletonFiles(stage);
  const changed = files.filter(({ path, source }) => {
    const own = join(workspace, path);
    return !existsSync(own) || !readFileSync(own).equals(readFileSync(source));
  });
  if (changed.length === 0) {
    session.say(
      `${stageTitle(stage)} is as the skeleton came; there is nothing to reset.`,
      "The lesson: npx expserver-course read",
    );
    return 0;
  }
  const snapshot = takeSnapshot(
    workspace,
    "reset",
    current,
    files.map(({ path }) => path),
  );
  writeOver(workspace, changed);
  session.say(
    `Back to the skeleton of ${stageTitle(stage)}:`,
    ...changed.map(({ path }) => `  ${path}`),
    ...howToUndo(snapshot.name),
  );
  return 0;
}
