/**
 * Grades what its parent tells it, one folder after the other, until the parent leaves. To load the grader
 * takes a third of the processor time of a small grading; this process does it once.
 */
import { grade } from "../grader/index.ts";
import { findStage } from "../stages/stage.ts";
import type { Answer, Order } from "./grader-pool.ts";

async function answer({ stage, folder, only }: Order): Promise<Answer> {
  try {
    const options = { target: folder, stages: [findStage(stage)!], only, withoutTypes: true };
    return { record: await grade(options) };
  } catch (error) {
    return { error: (error as Error).stack ?? String(error) };
  }
}

process.on("message", async (order: Order) => {
  const told = await answer(order);
  process.send!(told);
});
// A grading under way is cleaned up by its watchdog.
process.on("disconnect", () => process.exit());
