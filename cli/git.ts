import { execFileSync } from "node:child_process";

/** Runs git in a folder; `undefined` when it isn't installed or refuses. */
function git(folder: string, ...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 30_000,
    }).trim();
  } catch {
    return undefined;
  }
}

/** What became of a new workspace under git; `none`: git is missing or refused. */
export type GitState = "committed" | "initialised" | "inside another repository" | "none";

/**
 * Puts a new workspace under git, with a first commit when git knows who commits. Never fails: the
 * course works without git.
 * @param files the workspace's own files, relative to it; nothing else is committed
 */
export function putUnderGit(folder: string, files: string[]): GitState {
  if (git(folder, "--version") === undefined) return "none";
  if (git(folder, "rev-parse", "--is-inside-work-tree") === "true") return "inside another repository";
  if (git(folder, "init", "--quiet") === undefined) return "none";
  const knowsIdentity = git(folder, "config", "user.name") && git(folder, "config", "user.email");
  if (!knowsIdentity) return "initialised";
  const added = git(folder, "add", "--", ...files) !== undefined;
  // No signing and no hooks of the user's: either could ask a question that nobody sees.
  const commit = [
    "-c",
    "commit.gpgsign=false",
    "commit",
    "--quiet",
    "--no-verify",
    "--message",
    "Start the course",
  ];
  return added && git(folder, ...commit) !== undefined ? "committed" : "initialised";
}
