import { didYouMean } from "../grader/nearest.ts";
import { UserError } from "../grader/user-error.ts";
import { allStages, findStage, type Stage } from "../stages/stage.ts";

/** The names by which a stage can be called, for suggestions. */
function knownNames(): string[] {
  return allStages().flatMap(({ slug, program, phase }) => [
    slug,
    slug.slice(3),
    program.name,
    `stage-${Number(slug.slice(0, 2))}`,
    `phase-${phase}`,
  ]);
}

function unknownStage(name: string): UserError {
  const stages = allStages();
  const last = stages.at(-1)!;
  return new UserError(
    `There is no stage "${name}".${didYouMean(name, knownNames())} This version has the stages 0 to ${last.number}: npx expserver-course list`,
  );
}

/**
 * The stage that a person names.
 * @throws UserError with the nearest name
 */
export function parseStage(name: string): Stage {
  const stage = findStage(name);
  if (stage === undefined) throw unknownStage(name);
  return stage;
}

/**
 * The stage whose program a person names, by the program or the stage.
 * @throws UserError with the nearest name
 */
export function parseProgram(name: string): Stage {
  const stage = findStage(name);
  if (stage !== undefined) return stage;
  const programs = allStages().map(({ program }) => program.name);
  throw new UserError(
    `There is no program "${name}".${didYouMean(name, programs)} This version has the programs ${programs.join(", ")}: npx expserver-course run ${programs[0]}`,
  );
}

/**
 * The stages that the words of a command line name: stages, `phase-N` and `all`, also joined by
 * commas. In the course's order, each once.
 * @throws UserError with the nearest name
 */
export function parseStages(words: string[]): Stage[] {
  const wanted = new Set<Stage>();
  for (const word of words.flatMap((each) => each.split(",")).filter((each) => each.trim() !== "")) {
    for (const stage of stagesNamed(word)) wanted.add(stage);
  }
  return allStages().filter((stage) => wanted.has(stage));
}

function stagesNamed(word: string): Stage[] {
  const name = word.trim().toLowerCase();
  if (name === "all") return allStages();
  const phase = /^phase[- ]?(\d)$/.exec(name)?.[1];
  if (phase === undefined) return [parseStage(word)];
  const stages = allStages().filter((stage) => stage.phase === Number(phase));
  if (stages.length === 0) throw unknownStage(word);
  return stages;
}

/** How texts call a stage: `Stage 1, TCP Server`. */
export function stageTitle(stage: Stage): string {
  return `Stage ${stage.number}, ${stage.title}`;
}
