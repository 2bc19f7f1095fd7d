import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stage } from "./stage.ts";

/**
 * The hints of a stage, by check id, from the vaguest to the plainest. They stand in the stage's
 * `hints.md`: a heading `## check-id` each, below it a numbered list with one rung an item.
 */
export function loadHints(stage: Stage): Map<string, string[]> {
  const file = join(stage.folder, "hints.md");
  const hints = new Map<string, string[]>();
  if (!existsSync(file)) return hints;
  for (const section of readFileSync(file, "utf8").split(/^## /m).slice(1)) {
    const [heading = "", ...lines] = section.split("\n");
    const rungs = lines
      .join("\n")
      .split(/^\d+\. /m)
      .slice(1)
      .map((rung) => rung.replace(/^ {3}/gm, "").trim());
    hints.set(heading.trim(), rungs);
  }
  return hints;
}
