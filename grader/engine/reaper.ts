/** What the watchdog becomes when its grader has died: ends the run that the grader left behind, and nothing else. */
import { existsSync } from "node:fs";
import { removeLeftover } from "./leftovers.ts";

const folder = process.argv[2]!;
const giveUp = performance.now() + 10_000;
// A dying process closes its pipes a moment before it is gone.
while (existsSync(folder) && !removeLeftover(folder) && performance.now() < giveUp) {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
