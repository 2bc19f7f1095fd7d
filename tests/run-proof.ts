/** `npm run proof [stage …]`: proves checks, references, skeletons and mutants of some stages or all. */
import { allStages, findStage } from "../stages/stage.ts";
import { atOnce, describeTimings, prove } from "./claims.ts";
import { proofClaims } from "./proof.ts";

const names = process.argv.slice(2);
const stages = names.length === 0 ? allStages() : names.map((name) => findStage(name)!);
const parts = await Promise.all(
  stages.map(async (stage) => ({ name: `stage ${stage.number}`, claims: await proofClaims([stage]) })),
);
const { tally, timings } = await prove(parts, atOnce);
const { passed, failed, skipped } = tally;
console.log(describeTimings(timings));
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
