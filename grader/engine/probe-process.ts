/**
 * The process that runs one probe: a function that calls the learner's modules and looks at what they do. It is a child
 * of the checks' process, so that a module that hangs, exits or prints harms nobody.
 */
import { writeSync } from "node:fs";
import { CheckFailure, type Evidence } from "./evidence.ts";

/** The descriptor on which the check awaits the result. */
export const resultDescriptor = 3;

/** The probes of a stage, by the names under which its checks call them. */
export type Probes = Record<string, () => void | Promise<void>>;

/** What a probe found: nothing wrong, or the evidence; or that there is no such probe. */
export type ProbeResult = { failure?: Evidence; unknown?: true };

/**
 * Reads what a probe's process wrote.
 * @returns `undefined` when that is no result: the modules may have written to the descriptor, or closed it
 */
export function readResult(text: string): ProbeResult | undefined {
  try {
    return JSON.parse(text) as ProbeResult;
  } catch {
    return undefined;
  }
}

/**
 * Runs the probe that the first argument names, tells its result and ends the process. What is thrown other
 * than a `CheckFailure` is an error of the module's, which nobody catches.
 */
export async function runProbe(probes: Probes): Promise<never> {
  const name = process.argv[2]!;
  const result: ProbeResult = {};
  try {
    if (Object.hasOwn(probes, name)) await probes[name]!();
    else result.unknown = true;
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    result.failure = error.evidence;
  }
  writeSync(resultDescriptor, JSON.stringify(result));
  process.exit(0);
}
