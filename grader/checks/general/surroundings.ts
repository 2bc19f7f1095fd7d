/** What a check sets up around a program. */
import type { CheckOptions } from "../../checks.ts";
import { type CheckContext, GraderTrouble, type StartOptions } from "../../engine/context.ts";
import type { Program } from "../../engine/program.ts";

export type Overrides = Partial<CheckOptions>;

/**
 * What a check sets up around the program before it starts, such as a proxy's upstream.
 * @returns how the program is started in them: its arguments, and the port that clients talk to
 */
export type Surroundings = (context: CheckContext) => Promise<StartOptions>;

export const nothingAround: Surroundings = async () => ({});

/** Starts the program in its surroundings. */
export async function startIn(context: CheckContext, surroundings: Surroundings): Promise<Program> {
  return context.start(await surroundings(context));
}

/** Lets things happen while the program stands still, so that it meets them all at once when it goes on. */
export async function whileStopped(
  context: CheckContext,
  program: Program,
  happens: () => Promise<void>,
): Promise<void> {
  context.step(`stopped ${program.name} for a moment (SIGSTOP)`);
  program.kill("SIGSTOP");
  const stopped = () => context.tree.alive().every(({ state }) => state === "T");
  if (!(await context.waitFor(stopped, 5000)))
    throw new GraderTrouble(`${program.name} did not stop at SIGSTOP`);
  await happens();
  context.step(`let ${program.name} go on (SIGCONT)`);
  program.kill("SIGCONT");
}
