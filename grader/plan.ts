import type { BuiltProgram } from "./build.ts";
import type { BuiltProbes } from "./probes.ts";

/** What the process that runs a stage's checks needs to know: plain JSON. */
export type StagePlan = {
  slug: string;
  /** The workspace. */
  target: string;
  programName: string;
  program: BuiltProgram;
  /** `undefined` at a stage without probes. */
  probes?: BuiltProbes;
  /** The ports that the program listens on by itself; one that takes arguments is given others, as many. */
  ownPorts: number[];
  seed: string;
  factor: number;
  /** Marks the processes of this grading. */
  mark: string;
  /** The environment for the learner's programs: the user's own, without what the engine added, and what only costs time. */
  env: NodeJS.ProcessEnv;
  /** Ids of the checks to run, in order. */
  checks: string[];
  bail: boolean;
  thorough: boolean;
  /** A temporary folder, for what checks need while they run. */
  scratch: string;
  /** Where transcripts of failed checks go. */
  transcripts: string;
};

/** Name of the channel on which the checks' thread is told that the grading is interrupted. */
export function interruptionChannel(plan: StagePlan): string {
  return `expserver-course/${plan.mark}`;
}

/** The environment variable through which the plan's file is named to the checks' process. */
export const planVariable = "EXPSERVER_GRADING_PLAN";
