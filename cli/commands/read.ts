import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
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

/** The folders of the pages that are no lessons: lessons and failed checks point to them. */
const pageFolders = ["guides", "reference"].map((name) => join(packageRoot, "docs", name));

/** The files of the guides and of the reference, by their names. */
function pagesByName(): Map<string, string> {
  const files = pageFolders.filter(existsSync).flatMap((folder) => {
    return readdirSync(folder).map((file) => join(folder, file));
  });
  return new Map(files.filter((file) => file.endsWith(".md")).map((file) => [basename(file, ".md"), file]));
}

/** The file of the guide, the page of the reference or the lesson that a person names. */
function findPage(name: string): string {
  const pages = pagesByName();
  const wanted = name.replace(/^(docs\/)?(guides|reference)\//, "").replace(/\.md$/, "");
  const found = pages.get(wanted);
  if (found !== undefined) return found;
  const meant = findStage(name) === undefined ? nearest(wanted, [...pages.keys()]) : undefined;
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

/** `read [page]`: a lesson, a guide or a page of the reference, in the terminal or as Markdown. */
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
