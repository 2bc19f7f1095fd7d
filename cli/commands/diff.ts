import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../../grader/user-error.ts";
import { addedFiles, type TreeFile, writeTree } from "../../stages/tree.ts";
import { page } from "../pager.ts";
import { currentStage, readProgress } from "../progress.ts";
import { askBeforeShowing } from "../reference.ts";
import type { Session } from "../session.ts";
import { parseStage } from "../stage-names.ts";
import { openWorkspace } from "../workspace.ts";

/** `diff [stage]`: from the learner's files to the reference's, as a patch. */
export async function diff(
  session: Session,
  name: string | undefined,
  options: { yes?: boolean },
): Promise<number> {
  const workspace = openWorkspace(session);
  const stage = name === undefined ? currentStage(readProgress(workspace)) : parseStage(name);
  askBeforeShowing(session, stage, "diff", options.yes);
  const files = addedFiles(stage);
  const same = files.filter(({ path, source }) => {
    const own = join(workspace, path);
    return existsSync(own) && readFileSync(own).equals(readFileSync(source));
  });
  if (same.length === files.length) {
    session.say(`Your files of stage ${stage.number} are the same as the reference's.`);
    return 0;
  }
  await page(session, differences(session, workspace, files));
  return 0;
}

/** Both sides under names that say whose they are, compared by git. */
function differences(session: Session, workspace: string, files: TreeFile[]): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "expserver-diff-")));
  try {
    writeTree(files, join(folder, "reference"));
    mkdirSync(join(folder, "yours"));
    for (const { path } of files.filter((file) => existsSync(join(workspace, file.path)))) {
      mkdirSync(dirname(join(folder, "yours", path)), { recursive: true });
      cpSync(join(workspace, path), join(folder, "yours", path));
    }
    const color = `--color=${session.color ? "always" : "never"}`;
    const args = [
      "diff",
      "--no-index",
      "--no-ext-diff",
      "--src-prefix=",
      "--dst-prefix=",
      color,
      "yours",
      "reference",
    ];
    // Outside of any repository, so that no setting or attribute of one applies.
    const env = { ...session.env, GIT_CEILING_DIRECTORIES: dirname(folder), GIT_DIR: undefined };
    const result = spawnSync("git", args, { cwd: folder, env, encoding: "utf8", maxBuffer: 1 << 26 });
    if (result.error !== undefined || (result.status ?? 2) > 1) throw new UserError(needsGit);
    return result.stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const needsGit = `diff uses git, which is not installed or does not run here. Install it (apt install git), or see
the reference's files: npx expserver-course solution`;
