import { existsSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Stage } from "../stages/stage.ts";
import type { CheckContext } from "./engine/context.ts";

/** What a check is, without what it does. */
export type CheckDefinition = {
  /** Short name for `--only`, `hint` and the headings of `hints.md`. */
  id: string;
  /** A claim about the learner's program, as the report says it. */
  title: string;
  points: number;
  /** Ids of checks that this one builds on; where one of them did not pass, this one is blocked. */
  after: string[];
  /** Why it matters, for a person whose program fails it. */
  why: string;
  /** Man pages, RFC sections and guides to read. */
  see: string[];
  /** A command to see the same by hand. */
  byHand?: string;
  /** Runs only with `--thorough`, or at the stages where it is always due. */
  thorough?: boolean;
  /** Nothing else runs meanwhile: for checks that measure. */
  alone?: boolean;
  /** Most of its time is spent waiting: it runs beside the others. Its judgement must not depend on who else is at work. */
  waits?: boolean;
  /** Milliseconds on the reference machine after which the check is given up. */
  limitMs: number;
};

/** A check: its definition, and the probe that throws when the program does not hold what the title claims. */
export type Check = CheckDefinition & { run: (context: CheckContext) => Promise<void> };

/** What a check file writes down; the rest has defaults. */
export type CheckOptions = Omit<CheckDefinition, "id" | "after" | "see" | "limitMs"> &
  Partial<Pick<CheckDefinition, "after" | "see" | "limitMs">>;

/** Defines a check of a stage. */
export function check(id: string, options: CheckOptions, run: Check["run"]): Check {
  return { after: [], see: [], limitMs: 60_000, ...options, id, run };
}

/**
 * The checks of a stage, in the order in which they run.
 * @throws Error when the stage's check file breaks a rule: ids twice, or `after` naming none before it
 */
export async function loadChecks(stage: Stage): Promise<Check[]> {
  // The same code runs compiled (.js) and, in this project's own tests, as it is written (.ts).
  const file = new URL(`./checks/${stage.slug}${extname(import.meta.url)}`, import.meta.url);
  if (!existsSync(fileURLToPath(file)))
    throw new Error(`Stage ${stage.slug} has no checks: ${file} is missing.`);
  const { checks } = (await import(file.href)) as { checks: Check[] };
  const known = new Set<string>();
  for (const { id, after } of checks) {
    if (known.has(id)) throw new Error(`${stage.slug}: the check ${id} is defined twice.`);
    const unknown = after.find((other) => !known.has(other));
    if (unknown !== undefined)
      throw new Error(`${stage.slug}: ${id} comes after ${unknown}, which is not before it.`);
    known.add(id);
  }
  return checks;
}

/** The wanted checks and all that they build on, in order. */
export function withPrerequisites<C extends CheckDefinition>(checks: C[], wanted: string[]): C[] {
  const selected = new Set(wanted);
  for (const { id, after } of checks.toReversed()) {
    if (selected.has(id)) for (const other of after) selected.add(other);
  }
  return checks.filter(({ id }) => selected.has(id));
}
