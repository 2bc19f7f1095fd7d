/**
 * `npm run fuzz [-- --seconds n] [--seed n] [--target text]`: looks for bytes that a parser understands in two ways. Each
 * target gets its share of the time. A failure prints the seed, and the smallest bytes that show it.
 */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { targets } from "./targets.ts";

const usage = "usage: npm run fuzz -- [--seconds n] [--seed n] [--target part-of-a-name]";
const runsAtOnce = 2_000;

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: "string", default: "10" },
        seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
        target: { type: "string", default: "" },
      },
    });
    const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
    if (!(seconds > 0)) throw new Error("--seconds takes a number above 0.");
    if (!Number.isInteger(seed)) throw new Error("--seed takes a whole number.");
    const chosen = targets.filter(({ name }) => name.includes(values.target));
    if (chosen.length === 0) {
      throw new Error(
        `No target has "${values.target}" in its name: ${targets.map(({ name }) => name).join(", ")}.`,
      );
    }
    return { seconds, seed, chosen };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    process.exit(2);
  }
}

const { seconds, seed, chosen } = readArguments();
for (const { name, property } of chosen) {
  const end = performance.now() + (seconds * 1000) / chosen.length;
  let runs = 0;
  // A seed of its own for each batch: what batch 7 finds is found again at once by its seed.
  for (let batchSeed = seed; performance.now() < end; batchSeed++) {
    const details = fc.check(property, {
      seed: batchSeed,
      numRuns: runsAtOnce,
      interruptAfterTimeLimit: Math.max(1, end - performance.now()),
      markInterruptAsFailure: false,
    });
    runs += details.numRuns;
    if (details.failed) {
      console.log(`${name}: fails with --seed ${batchSeed}\n${fc.defaultReportMessage(details)}`);
      process.exit(1);
    }
  }
  console.log(`${name}: ${runs.toLocaleString("en")} runs from seed ${seed} on, no failure`);
}
