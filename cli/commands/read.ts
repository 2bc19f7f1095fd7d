import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nearest } from "../../grader/nearest.ts";
import { UserError } from "../../grader/user-error.ts";
import { packageRoot } from "../../stages/package-root.ts";
import { allStages, findStage, lessonFile, type Stage } from "../../stages/stage.ts";
import { page } from "../pager.ts";
import { currentStage, readProgress } from "../progress.ts";
import type { Session } from "../session.ts";
import { parseStage, stageTitle } from "../stage-names.ts";
import { findWorkspace } from "../workspace.ts";

/** The stage that is meant when none is named: the workspace's current one, else the first. */
function stageByDefault(session: Session): Stage {
  const workspace = findWorkspace(session.cwd);
  return workspace === undefined ? allStages()[0]! : currentStage(readProgress(workspace));
}

const guidesFolder = join(packageRoot, "docs", "guides");

/** The names of the guides, to which lessons and failed checks point. */
function guideNames(): string[] {
  if (!existsSync(guidesFolder)) return [];
  return readdirSync(guidesFolder).flatMap((file) => /^(.+)\.md$/.exec(file)?.[1] ?? []);
}

/** The file of the guide or the lesson that a person names. */
function findPage(name: string): string {
  const guides = guideNames();
  const guide = name.replace(/^(docs\/)?guides\//, "").replace(/\.md$/, "");
  if (guides.includes(guide)) return join(guidesFolder, `${guide}.md`);
  const meant = findStage(name) === undefined ? nearest(guide, guides) : undefined;
  if (meant !== undefined) {
    throw new UserError(`There is no guide "${name}". The nearest one: npx expserver-course read ${meant}`);
  }
  return lessonOf(parseStage(name));
}

function lessonOf(stage: Stage): string {
  const file = lessonFile(stage);
  if (existsSync(file)) return file;
  throw new UserError(`${stageTitle(stage)} has no lesson in this version. ${tryList}`);
}

/** `read [stage or guide]`: a lesson or a guide, in the terminal or as Markdown. */
export async function read(
  session: Session,
  name: string | undefined,
  options: { path?: boolean },
): Promise<number> {
  const file = name === undefined ? lessonOf(stageByDefault(session)) : findPage(name);
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
