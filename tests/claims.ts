import { availableParallelism } from "node:os";

/** Something that the project says of itself, and how to find out whether it is true. */
export type Claim = {
  title: string;
  /** `mutant`: left out of the quick run; `reference`: left out where the package's tour proves the same. */
  about?: "mutant" | "reference";
  /** @throws Error with what is wrong, or `Skipped` */
  prove: () => Promise<void>;
};

/** Claims that belong together. */
export type Part = {
  name: string;
  claims: Claim[];
  /** The claims build on each other: one after the other, while those of other parts go on. */
  inOrder?: boolean;
};

/** The claim can't be looked at on this machine: a tool is missing. */
export class Skipped extends Error {}

export type Tally = { passed: number; failed: number; skipped: number };

/** Half of a poor program's grading is waiting for what never comes: one more than there are processors. */
export const atOnce = availableParallelism() + 1;

/** How long a part took; the seconds of its claims together, also where they ran side by side. */
export type Timing = { name: string; claims: number; seconds: number; slowest?: string };

/** With this set, a missing tool is a failure: where everything is installed, nothing may be left out. */
export const requireTools = process.env.EXPSERVER_REQUIRE_TOOLS === "1";

/** Proves one claim and prints its line, and what is wrong. */
async function proveOne(claim: Claim, tally: Tally): Promise<number> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    await claim.prove();
    tally.passed++;
    console.log(`ok       ${claim.title} (${seconds().toFixed(1)} s)`);
  } catch (error) {
    const skipped = error instanceof Skipped && !requireTools;
    tally[skipped ? "skipped" : "failed"]++;
    const text = error instanceof Skipped ? error.message : ((error as Error).message ?? String(error));
    console.log(
      `${skipped ? "skipped " : "FAILED  "} ${claim.title} (${seconds().toFixed(1)} s)\n${text.replace(/^/gm, "         ")}`,
    );
  }
  return seconds();
}

/**
 * Proves the claims of all parts, some at a time and in the parts' order, and prints a line for each as it
 * is done. Parts share the processors: while one waits for a deadline, another computes.
 * @param atOnce how many claims at a time
 */
export async function prove(parts: Part[], atOnce: number): Promise<{ tally: Tally; timings: Timing[] }> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  const timings = parts.map(({ name, claims }) => ({ name, claims: claims.length, seconds: 0, slowest: "" }));
  const waiting = parts.flatMap(({ claims, inOrder }, part) =>
    (inOrder ? [claims] : claims.map((claim) => [claim])).map((chain) => ({ chain, timing: timings[part]! })),
  );
  const longest = new Map<Timing, number>();
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      for (const claim of next.chain) {
        const seconds = await proveOne(claim, tally);
        next.timing.seconds += seconds;
        if (seconds <= (longest.get(next.timing) ?? 0)) continue;
        longest.set(next.timing, seconds);
        next.timing.slowest = `${seconds.toFixed(1)} s for "${claim.title}"`;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { tally, timings };
}

/** The parts' times as a table. */
export function describeTimings(timings: Timing[]): string {
  const width = Math.max(...timings.map(({ name }) => name.length));
  return timings
    .map(({ name, claims, seconds, slowest }) => {
      const row = `${name.padEnd(width)} ${String(claims).padStart(5)} claims ${seconds.toFixed(0).padStart(5)} s`;
      return slowest ? `${row}, the slowest ${slowest}` : row;
    })
    .join("\n");
}
