import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
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
  /** Module of the course → the file of this workspace that fulfils its contract. */
  modules: z.record(z.string(), z.string()).default({}),
});
export type Course = z.infer<typeof courseFile>;

/**
 * Reads a workspace's `course.json`; without one, everything is as the course lays it out.
 * @throws UserError naming the file, the key and what is wrong
 */
export function loadCourse(workspace: string): Course {
  const file = join(workspace, "course.json");
  if (!existsSync(file)) return courseFile.parse({});
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UserError(`${file} is not valid JSON: ${(error as Error).message}.`);
  }
  const result = courseFile.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new UserError(`${file}: ${issue.path.join(".") || "top level"}: ${issue.message}.`);
}
