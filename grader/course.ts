import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { allStages, type Stage } from "../stages/stage.ts";
import { didYouMean } from "./nearest.ts";
import { UserError } from "./user-error.ts";

/** `course.json`: how the programs of a workspace are built and run. All keys are optional. */
export const courseFile = z.strictObject({
  $schema: z.string().optional(),
  /** A shell command that builds all programs, run once before grading, in the workspace. */
  build: z.string().optional(),
  /** Program name → command. `{args}` stands for the program's arguments, `{port}` for its first port. */
  run: z.record(z.string(), z.string()).default({}),
  /** `"fixed"`: the programs take no port argument and listen on their documented ports. */
  ports: z.enum(["argument", "fixed"]).default("argument"),
  /** Module of the course, such as `core/loop` → the file of this workspace that fulfils its contract. */
  modules: z.record(z.string(), z.string()).default({}),
});
export type Course = z.infer<typeof courseFile>;

/** A module's name in the course, `core/loop`, from its file in a workspace, `src/core/loop.ts`. */
export function moduleName(file: string): string {
  return file.replace(/^src\//, "").replace(/\.ts$/, "");
}

const noSuchProgram = (name: string) => `run: no stage has a program "${name}".`;
const noSuchModule = (name: string) => `modules: no stage's contract has a module "${name}".`;

/** A key that would have no effect, in words: a program or a module that no stage knows. */
function unknownName({ run, modules }: Course, stages: Stage[]): string | undefined {
  const programs = stages.map(({ program }) => program.name);
  const program = Object.keys(run).find((name) => !programs.includes(name));
  if (program !== undefined) return noSuchProgram(program) + didYouMean(program, programs);
  const contracts = stages.flatMap((stage) => stage.contracts.map(({ file }) => moduleName(file)));
  const module = Object.keys(modules).find((name) => !contracts.includes(name));
  return module === undefined ? undefined : noSuchModule(module) + didYouMean(module, contracts);
}

/**
 * Reads a workspace's `course.json`; without one, everything is as the course lays it out. Keys of `modules` become
 * names of modules, where they were written as files.
 * @param stages the course; a parameter for tests
 * @throws UserError naming the file, the key and what is wrong
 */
export function loadCourse(workspace: string, stages = allStages()): Course {
  const file = join(workspace, "course.json");
  if (!existsSync(file)) return courseFile.parse({});
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UserError(`${file} is not valid JSON: ${(error as Error).message}.`);
  }
  const result = courseFile.safeParse(value);
  if (result.success) {
    const { modules, ...others } = result.data;
    const named = Object.fromEntries(Object.entries(modules).map(([key, path]) => [moduleName(key), path]));
    const course = { ...others, modules: named };
    const unknown = unknownName(course, stages);
    if (unknown !== undefined) throw new UserError(`${file}: ${unknown}`);
    return course;
  }
  const issue = result.error.issues[0]!;
  throw new UserError(`${file}: ${issue.path.join(".") || "top level"}: ${issue.message}.`);
}
