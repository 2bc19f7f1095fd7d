/** `npm run proof [stage …]`: proves checks, references, skeletons and mutants of some stages or all. */
import { allStages, findStage } from "../stages/stage.ts";
import { prove } from "./claims.ts";
import { proofClaims } from "./proof.ts";

const names = process.argv.slice(2);
const stages = names.length === 0 ? allStages() : names.map((name) => findStage(name)!);
const { passed, failed, skipped } = await prove(await proofClaims(stages), 2);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
