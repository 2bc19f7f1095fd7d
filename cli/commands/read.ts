import { existsSync, readFileSync } from "node:fs";
import { UserError } from "../../grader/user-error.ts";
import { allStages, lessonFile, type Stage } from "../../stages/stage.ts";
import { page } from "../pager.ts";
import { currentStage, readProgress } from "../progress.ts";
import type { Session } from "../session.ts";
import { parseStage, stageTitle } from "../stage-names.ts";
import { findWorkspace } from "../workspace.ts";

/** The stage that is meant: the named one, else the workspace's current one, else the first. */
function wantedStage(session: Session, name: string | undefined): Stage {
  if (name !== undefined) return parseStage(name);
  const workspace = findWorkspace(session.cwd);
  return workspace === undefined ? allStages()[0]! : currentStage(readProgress(workspace));
}

/** `read [stage]`: the lesson, in the terminal or as Markdown. */
export async function read(
  session: Session,
  name: string | undefined,
  options: { path?: boolean },
): Promise<number> {
  const stage = wantedStage(session, name);
  const file = lessonFile(stage);
  if (!existsSync(file))
    throw new UserError(`${stageTitle(stage)} has no lesson in this version. ${tryList}`);
  if (options.path) {
    session.say(file);
    return 0;
  }
  const { plainMarkdown, renderMarkdown } = await import("../lesson.ts");
  const markdown = plainMarkdown(readFileSync(file, "utf8"));
  await page(
    session,
    session.isTerminal && session.color ? renderMarkdown(markdown, session.columns) : markdown,
  );
  return 0;
}

const tryList = "See the stages there are: npx expserver-course list";
