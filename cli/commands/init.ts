import { resolve } from "node:path";
import type { Session } from "../session.ts";
import { stageTitle } from "../stage-names.ts";
import { pathForPeople, shellWord } from "../typed-text.ts";
import { createWorkspace, defaultFolder, type NewWorkspace } from "../workspace.ts";

/** `init [folder]`: makes a workspace. */
export async function init(session: Session, folder: string | undefined): Promise<number> {
  const workspace = createWorkspace(resolve(session.cwd, folder ?? defaultFolder));
  announceWorkspace(session, workspace);
  return 0;
}

/** Says what was made and how to go on. */
export function announceWorkspace(session: Session, { folder, stage, kept, git }: NewWorkspace): void {
  const shown = pathForPeople(session.cwd, folder);
  session.say(`Your workspace is ready in ${shown}.`);
  for (const path of kept)
    session.say(path === ".gitignore" ? keptGitignore : `  ${path} was there already and stays yours.`);
  if (git === "initialised") session.say("  It is a git repository; commit when you like.");
  if (git === "committed") session.say("  It is a git repository with a first commit.");
  session.say(
    "",
    `${stageTitle(stage)} begins in ${stage.program.entry}. Go on with:`,
    ...(shown === "." ? [] : [`  cd ${shellWord(shown)}`]),
    "  npx expserver-course read     the lesson",
    "  npx expserver-course grade    the checks",
    "",
    "`npm install` is not needed to begin: the workspace uses the expserver-course that made it.",
  );
}

const keptGitignore =
  "  .gitignore was there already and stays yours; add these lines to it: node_modules/ .expserver/runs/ .expserver/snapshots/";
