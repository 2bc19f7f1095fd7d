import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { program } from "../linux/test-programs.ts";
import { packageRoot } from "../stages/package-root.ts";

const folder = join(packageRoot, "docs", "guides");
const guides = readdirSync(folder).filter((file) => file.endsWith(".md"));

/** A program that a guide lets its readers run, and what it says that they will see. */
type Experiment = { command: string; source: string; output: string };

/** The programs of a page with the runs that follow them: `$ node name.mjs` and its output, in a block of their own. */
function experiments(page: string): Experiment[] {
  const found: Experiment[] = [];
  let source = "";
  for (const [, language, code] of page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    if (language === "js") source = code!;
    const run = /^\$ (node [\w-]+\.mjs.*)\n([\s\S]*)$/.exec(code!);
    if (run !== null) found.push({ command: run[1]!, source, output: run[2]! });
  }
  return found;
}

/** Figures differ from machine to machine, and with them the spaces beside them. */
function withoutFigures(text: string): string {
  return text.replace(/[\d.]+/g, "#").replace(/ +/g, " ");
}

describe.each(guides)("the guide %s", (file) => {
  const page = readFileSync(join(folder, file), "utf8");

  test("sends readers only to pages that exist", () => {
    const linked = [...page.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target!);
    expect(linked.filter((target) => !existsSync(join(folder, target)))).toEqual([]);
  });

  // Those that start other programs measure for seconds, or need tools that are not everywhere.
  const quiet = experiments(page).filter(({ source }) => !source.includes("node:child_process"));
  test.runIf(quiet.length > 0).each(quiet)("says what $command prints", ({ command, source, output }) => {
    const built = program(source.replaceAll("expserver-course/linux", "./index.ts"));
    const [, , ...args] = command.split(" ");
    const printed = execFileSync(process.execPath, [built, ...args], {
      cwd: dirname(built),
      encoding: "utf8",
    });
    expect(withoutFigures(printed).replace(/ +$/gm, "")).toBe(withoutFigures(output));
  });
});
