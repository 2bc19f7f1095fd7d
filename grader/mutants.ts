import { existsSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Stage } from "../stages/stage.ts";

/** A deliberate fault in the reference, and the checks that must find it. */
export type Mutant = {
  /** What the fault is, in a few words with hyphens: `forgets-reuseaddr`. */
  name: string;
  /** The file of the workspace that is changed. */
  file: string;
  /** Text edits; each text must stand exactly once in the file. */
  edits: [find: string, replace: string][];
  /** Ids of checks that fail on it. */
  fails: string[];
};

/** The mutants of a stage. */
export async function loadMutants(stage: Stage): Promise<Mutant[]> {
  const file = new URL(`./mutants/${stage.slug}${extname(import.meta.url)}`, import.meta.url);
  if (!existsSync(fileURLToPath(file)))
    throw new Error(`Stage ${stage.slug} has no mutants: ${file} is missing.`);
  return ((await import(file.href)) as { mutants: Mutant[] }).mutants;
}

/**
 * A file's text with a mutant's edits.
 * @throws Error when a text to change stands there not at all or more than once
 */
export function applyEdits(text: string, mutant: Mutant): string {
  return mutant.edits.reduce((changed, [find, replace]) => {
    const places = changed.split(find).length - 1;
    if (places !== 1) {
      throw new Error(
        `Mutant ${mutant.name}: ${JSON.stringify(find)} stands ${places} times in ${mutant.file}, not once.`,
      );
    }
    return changed.replace(find, () => replace);
  }, text);
}
