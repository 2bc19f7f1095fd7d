/** Something that the project says of itself, and how to find out whether it is true. */
export type Claim = {
  title: string;
  /** About a mutant: left out of the quick run. */
  mutant?: boolean;
  /** @throws Error with what is wrong, or `Skipped` */
  prove: () => Promise<void>;
};

/** The claim can't be looked at on this machine: a tool is missing. */
export class Skipped extends Error {}

export type Tally = { passed: number; failed: number; skipped: number };

/** With this set, a missing tool is a failure: where everything is installed, nothing may be left out. */
export const requireTools = process.env.EXPSERVER_REQUIRE_TOOLS === "1";

/**
 * Proves claims, some at a time, and prints a line for each as it is done.
 * @param atOnce how many at a time
 */
export async function prove(claims: Claim[], atOnce: number): Promise<Tally> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  const waiting = [...claims];
  const work = async () => {
    for (let claim = waiting.shift(); claim !== undefined; claim = waiting.shift()) {
      const start = performance.now();
      const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
      try {
        await claim.prove();
        tally.passed++;
        console.log(`ok       ${claim.title} (${seconds()})`);
      } catch (error) {
        const skipped = error instanceof Skipped && !requireTools;
        tally[skipped ? "skipped" : "failed"]++;
        const text = error instanceof Skipped ? error.message : ((error as Error).message ?? String(error));
        console.log(
          `${skipped ? "skipped " : "FAILED  "} ${claim.title} (${seconds()})\n${text.replace(/^/gm, "         ")}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return tally;
}
