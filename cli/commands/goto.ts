import { loadCourse, moduleName } from "../../grader/course.ts";
import { UserError } from "../../grader/user-error.ts";
import { previousStage, type Stage } from "../../stages/stage.ts";
import { skeletonFiles, skeletonTree, solutionFiles } from "../../stages/tree.ts";
import { readProgress, updateProgress } from "../progress.ts";
import { findFiles } from "../reference.ts";
import { howToUndo, replaceFiles } from "../replacement.ts";
import type { Session } from "../session.ts";
import { isOtherLanguage, type PlacedFile } from "../skeleton.ts";
import { parseStage } from "../stage-names.ts";
import { openWorkspace } from "../workspace.ts";
import { announceStage } from "./next.ts";

/**
 * `goto <stage>`: begins a stage from the reference of the stage before it and the stage's untouched
 * skeleton. `--only core/loop` takes just these files of that reference and stays at the current
 * stage. Either way a snapshot is taken first.
 */
export async function goto(session: Session, name: string, options: { only?: string[] }): Promise<number> {
  const workspace = openWorkspace(session);
  const stage = parseStage(name);
  return options.only === undefined
    ? begin(session, workspace, stage)
    : takeModules(session, workspace, stage, options.only);
}

function begin(session: Session, workspace: string, stage: Stage): number {
  const progress = readProgress(workspace);
  const otherLanguage = isOtherLanguage(workspace, loadCourse(workspace), stage, previousStage(stage));
  const files = skeletonTree(stage).filter(({ path }) => !(otherLanguage && path.endsWith(".ts")));
  const { snapshot, changed } = replaceFiles(workspace, files, `goto ${stage.number}`, progress.current);
  updateProgress(workspace, (updated) => {
    const { last: _, leftUnfinished: __, ...kept } = updated.stages[stage.slug] ?? {};
    const fromReference = previousStage(stage) === undefined ? undefined : true;
    updated.stages[stage.slug] = { ...kept, started: new Date().toISOString(), fromReference };
    updated.current = stage.slug;
  });
  if (changed.length > 0)
    session.say("These files of yours were replaced:", ...changed.map((path) => `  ${path}`));
  session.say(...howToUndo(snapshot), "");
  const placed = skeletonFiles(stage).map(({ path }): PlacedFile => {
    return { path, outcome: otherLanguage && path.endsWith(".ts") ? "left out" : "new" };
  });
  session.say(...announceStage(session, stage, placed));
  return 0;
}

function takeModules(session: Session, workspace: string, stage: Stage, names: string[]): number {
  const previous = previousStage(stage);
  if (previous === undefined) throw new UserError(nothingBefore(stage));
  const reference = solutionFiles(previous);
  const files = [
    ...new Set(names.flatMap((each) => findFiles(reference, each, `solution ${previous.number}`))),
  ];
  const { modules } = loadCourse(workspace);
  const { current } = readProgress(workspace);
  const before = `goto ${stage.number} --only ${names.join(",")}`;
  const { snapshot } = replaceFiles(workspace, files, before, current);
  session.say(`From the reference of stage ${previous.number}:`, ...files.map(({ path }) => `  ${path}`));
  const mapped = files.flatMap(({ path }) => {
    const module = moduleName(path);
    return modules[module] === undefined ? [] : [module];
  });
  for (const module of mapped)
    session.say(`course.json still names another file for ${module}: take it out of "modules".`);
  session.say(...howToUndo(snapshot));
  return 0;
}

const nothingBefore = (stage: Stage) =>
  `Stage ${stage.number} is the first one: there is no reference before it. Its skeleton: npx expserver-course reset`;
