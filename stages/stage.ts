import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { packageRoot } from "./package-root.ts";

const stageFile = z.strictObject({
  /** The stage's name as a person reads it. */
  title: z.string(),
  /** 0 socket programming, 1 the core, 2 HTTP, 3 features, 4 TLS to processes. */
  phase: z.number().int().min(0).max(4),
  /** Minutes that a learner should plan for. */
  minutes: z.number().int().positive(),
  /** What the learner can do afterwards, one sentence each. */
  goals: z.array(z.string()).min(1),
  /** The program that is graded. */
  program: z.strictObject({
    /** Its name in `course.json` and in texts. */
    name: z.string(),
    /** Its TypeScript entry, relative to the workspace. */
    entry: z.string(),
    /** How it is called, as its usage line says. */
    usage: z.string(),
    /** The ports it listens on when no argument says otherwise. */
    ports: z.array(z.number().int()),
  }),
  /** What later skeletons and probes rely on. */
  contracts: z.array(z.strictObject({ file: z.string(), exports: z.array(z.string()).min(1) })).default([]),
});

/** One stage of the course, as its folder and `stage.json` describe it. */
export type Stage = z.infer<typeof stageFile> & {
  number: number;
  /** The folder's name, such as `01-tcp-server`. */
  slug: string;
  /** The folder below `stages/`, absolute. */
  folder: string;
};

const stagesFolder = join(packageRoot, "stages");
const slugPattern = /^(\d\d)-[a-z0-9-]+$/;

let loaded: Stage[] | undefined;

/** All stages in order. A stage exists when its folder `stages/NN-slug` has a `stage.json`. */
export function allStages(): Stage[] {
  loaded ??= readdirSync(stagesFolder)
    .filter((name) => slugPattern.test(name) && existsSync(join(stagesFolder, name, "stage.json")))
    .sort()
    .map((slug) => {
      const folder = join(stagesFolder, slug);
      const description = stageFile.parse(JSON.parse(readFileSync(join(folder, "stage.json"), "utf8")));
      return { ...description, number: Number(slug.slice(0, 2)), slug, folder };
    });
  return loaded;
}

/**
 * The stage that a person names: `7`, `07`, `stage-7`, `stage 7`, the folder's name or the part after
 * its number; `undefined` when there is none.
 */
export function findStage(name: string): Stage | undefined {
  const wanted = name.trim().toLowerCase();
  const number = /^(?:stage[- ]?)?(\d{1,2})$/.exec(wanted)?.[1];
  return allStages().find((stage) =>
    number === undefined
      ? stage.slug === wanted || stage.slug.slice(3) === wanted || stage.program.name === wanted
      : stage.number === Number(number),
  );
}

/** The stage before `stage`, or `undefined` for the first one. */
export function previousStage(stage: Stage): Stage | undefined {
  return allStages().findLast((other) => other.number < stage.number);
}

/** The stage after `stage`, or `undefined` for the last one. */
export function nextStage(stage: Stage): Stage | undefined {
  return allStages().find((other) => other.number > stage.number);
}

/** The lesson's file: `docs/roadmap/phase-0/stage-1.md`. */
export function lessonFile(stage: Stage): string {
  return join(packageRoot, "docs", "roadmap", `phase-${stage.phase}`, `stage-${stage.number}.md`);
}
