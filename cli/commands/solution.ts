import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { UserError } from "../../grader/user-error.ts";
import type { Stage } from "../../stages/stage.ts";
import { addedFiles, solutionFiles } from "../../stages/tree.ts";
import { currentStage, readProgress } from "../progress.ts";
import { askBeforeShowing, findFiles } from "../reference.ts";
import { bold, type Session } from "../session.ts";
import { parseStage, stageTitle } from "../stage-names.ts";
import { pathForPeople, shellWord } from "../typed-text.ts";
import { findWorkspace, openWorkspace, writeNewFile } from "../workspace.ts";

export type SolutionOptions = { file?: string; out?: string; yes?: boolean };

/** `solution [stage]`: lists, prints or writes out the reference's files. */
export async function solution(
  session: Session,
  name: string | undefined,
  options: SolutionOptions,
): Promise<number> {
  const stage = name === undefined ? currentStage(readProgress(openWorkspace(session))) : parseStage(name);
  askBeforeShowing(session, stage, "solution", options.yes);
  if (options.out !== undefined) return writeOut(session, stage, options.out);
  const added = addedFiles(stage);
  const shown =
    options.file !== undefined
      ? findFiles(solutionFiles(stage), options.file, `solution ${stage.number}`)
      : added.length === 1
        ? added
        : [];
  if (shown.length > 0) {
    for (const { path, source } of shown) {
      // A single file is written alone, so that it can go into a pipe as it is.
      if (shown.length > 1) session.say(bold(session, `// ${path}`));
      session.write(readFileSync(source, "utf8"));
    }
    return 0;
  }
  session.say(
    bold(session, `${stageTitle(stage)}: the reference adds`),
    ...added.map(({ path }) => `  ${path}`),
    "",
    `Print one:      npx expserver-course solution ${stage.number} --file <path>`,
    `Write them all: npx expserver-course solution ${stage.number} --out <new folder>`,
  );
  return 0;
}

/** Writes what the stage's reference needs into a folder of its own. */
function writeOut(session: Session, stage: Stage, out: string): number {
  const folder = resolve(session.cwd, out);
  if (existsSync(folder)) {
    throw new UserError(
      `${folder} exists already, and nothing is overwritten. Name a new folder: npx expserver-course solution ${stage.number} --out <new folder>`,
    );
  }
  const workspace = findWorkspace(dirname(folder));
  if (workspace !== undefined && relative(workspace, folder).split("/")[0] === "src")
    throw new UserError(notIntoSources(stage));
  const files = solutionFiles(stage);
  for (const { path, source } of files) writeNewFile(join(folder, path), readFileSync(source));
  const shown = pathForPeople(session.cwd, folder);
  session.say(
    `The reference of stage ${stage.number} is in ${shown} (${files.length} files).`,
    `Look at it: ls -R ${shellWord(shown)}`,
  );
  return 0;
}

const notIntoSources = (stage: Stage) =>
  `The reference is never written into src. Name a folder beside it: npx expserver-course solution ${stage.number} --out reference`;
