import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Stage } from "../stages/stage.ts";
import { nodeCommand } from "./build.ts";
import { bundle } from "./bundle.ts";
import type { Course } from "./course.ts";

/**
 * A stage's probes, which call the learner's modules: the command that runs one of them by its name, or why they
 * cannot be run.
 */
export type BuiltProbes =
  | { command: string[] }
  /** They do not apply to this workspace. */
  | { skip: string }
  /** The modules do not keep to the stage's contract. */
  | { problem: string };

/** How probes name the learner's modules: `workspace:core/loop`. */
const prefix = "workspace:";

const otherLanguage = (program: string) =>
  `probes call TypeScript modules, and course.json runs ${program} by a command of its own; its "modules" can name files that keep to the contract`;
const notThere = (file: string, name: string) =>
  `${file} does not exist; "modules" of course.json can say where ${name} is`;
const notWhereNamed = (file: string, name: string) =>
  `"modules" of course.json says that ${name} is in ${file}, and this file does not exist`;

/** A file of this project, beside this one: compiled here, and as it is written in the project's own tests. */
function ownFile(path: string): string {
  return fileURLToPath(new URL(`./${path}${extname(import.meta.url)}`, import.meta.url));
}

/**
 * Bundles a stage's probes with the modules of a workspace.
 * @param target the workspace
 * @param folder where the bundle goes, below the workspace
 * @returns `undefined` for a stage without probes
 */
export async function buildProbes(
  target: string,
  stage: Stage,
  course: Course,
  folder: string,
): Promise<BuiltProbes | undefined> {
  const probes = ownFile(`probes/${stage.slug}`);
  if (!existsSync(probes)) return undefined;
  return bundleProbes(probes, { target, stage, course, folder });
}

/** As {@link buildProbes}, of probes in any file. */
export async function bundleProbes(
  probes: string,
  options: { target: string; stage: Stage; course: Course; folder: string },
): Promise<BuiltProbes> {
  const { target, stage, course, folder } = options;
  if (course.run[stage.program.name] !== undefined && Object.keys(course.modules).length === 0) {
    return { skip: otherLanguage(stage.program.name) };
  }
  const unmapped: string[] = [];
  const misnamed: string[] = [];
  const resolve = (path: string): string | undefined => {
    if (!path.startsWith(prefix)) return undefined;
    const name = path.slice(prefix.length);
    const named = course.modules[name];
    const file = named ?? `src/${name}.ts`;
    if (!existsSync(join(target, file))) {
      if (named === undefined) unmapped.push(notThere(file, name));
      else misnamed.push(notWhereNamed(file, name));
    }
    return join(target, file);
  };
  const text = [
    `import { probes } from ${JSON.stringify(probes)};`,
    `import { runProbe } from ${JSON.stringify(ownFile("engine/probe-process"))};`,
    "await runProbe(probes);",
  ].join("\n");
  const outfile = join(folder, `${stage.slug}.probes.mjs`);
  const { log } = await bundle(target, { text }, outfile, resolve);
  if (misnamed.length > 0) return { problem: misnamed.join("\n") };
  if (unmapped.length > 0) return { skip: unmapped[0]! };
  if (log !== undefined) return { problem: log };
  return { command: nodeCommand(outfile) };
}
