import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { loadHints } from "../stages/hints.ts";
import { packageVersion } from "../stages/package-root.ts";
import type { Stage } from "../stages/stage.ts";
import {
  type BuiltProgram,
  buildProgram,
  findTypeErrors,
  programEnvironment,
  runBuildCommand,
} from "./build.ts";
import { stopBuilder } from "./bundle.ts";
import { type Check, type CheckDefinition, loadChecks, withPrerequisites } from "./checks.ts";
import { type Course, loadCourse } from "./course.ts";
import { beginRun, endRun, markOf, type Run, removeLeftovers } from "./engine/leftovers.ts";
import { measureMachine } from "./engine/machine.ts";
import { adoptOrphans } from "./engine/program-tree.ts";
import { newSeed } from "./engine/random.ts";
import { startWatchdog } from "./engine/watchdog.ts";
import type { StagePlan } from "./plan.ts";
import { buildProbes } from "./probes.ts";
import { type CheckResult, exitStatusOf, type GradeRecord, type StageResult, sumPoints } from "./record.ts";
import { loadEngine, runStage } from "./run.ts";
import type { CheckReport } from "./run-check.ts";
import { UserError } from "./user-error.ts";

export type GradeOptions = {
  /** The workspace, absolute. */
  target: string;
  stages: Stage[];
  /** Ids of checks; what they build on runs too. */
  only?: string[];
  /** 1 to 64 letters, digits, `-`, `_`; a new one by default. */
  seed?: string;
  /** Stop after the first failed check. */
  bail?: boolean;
  /** Run also the checks that are due at other stages only. */
  thorough?: boolean;
  /** Leave out the search for type errors, which are advice: for hundreds of gradings in which nobody reads them. */
  withoutTypes?: boolean;
  /** The command that repeats one check, for the report. */
  commandLine?: (stage: Stage, checkId: string, seed: string) => string;
  /** Ends the grading early; the record tells what there was until then. */
  signal?: AbortSignal;
};

/** What is told while a grading goes on. */
export type GradeListener = {
  onStageStart?(stage: Stage, checks: CheckDefinition[]): void;
  onBuild?(stage: Stage, build: StageResult["build"]): void;
  onCheck?(stage: Stage, result: CheckResult): void;
  onStageEnd?(stage: Stage, result: StageResult): void;
};

const keptRuns = 20;

/** What all stages of one grading share. */
type Grading = {
  options: GradeOptions;
  listener: GradeListener;
  course: Course;
  run: Run;
  seed: string;
  factor: number;
  env: NodeJS.ProcessEnv;
  /** For bundles and transcripts; below the workspace, where its packages resolve. */
  runFolder: string;
  /** Type errors of the whole workspace, being looked for meanwhile. */
  typeErrors: Promise<string[]>;
  /** What the build command of `course.json` said when it failed. */
  buildLog: string | undefined;
};

/**
 * Grades stages of a workspace: builds their programs, runs their checks, and says what they found.
 * @throws UserError for an unknown check, a bad seed, or a `course.json` that says nonsense
 */
export async function grade(options: GradeOptions, listener: GradeListener = {}): Promise<GradeRecord> {
  const start = performance.now();
  const startedAt = new Date().toISOString();
  const env = { ...process.env };
  const seed = validSeed(options.seed ?? newSeed());
  const checksOf = await selectChecks(options);
  const course = loadCourse(options.target);
  removeLeftovers();
  adoptOrphans();
  const run = beginRun();
  const watchdog = startWatchdog(run.folder);
  const ended = new AbortController();
  const end = () => ended.abort();
  if (options.signal?.aborted) end();
  options.signal?.addEventListener("abort", end);
  let runFolder = run.folder;
  try {
    runFolder = makeRunFolder(options.target, run, startedAt);
    const factor = measureMachine();
    const typeErrors =
      options.withoutTypes || Object.keys(course.run).length > 0
        ? Promise.resolve([])
        : findTypeErrors(options.target, run.folder, markOf(run.mark, "types"), ended.signal);
    const buildLog =
      course.build === undefined || ended.signal.aborted
        ? undefined
        : await runBuildCommand(options.target, course.build, env, markOf(run.mark, "build"), ended.signal);
    const grading = { options, listener, course, run, seed, factor, env, runFolder, typeErrors, buildLog };
    const stages: StageResult[] = [];
    for (const stage of options.stages) {
      if (options.signal?.aborted) break;
      stages.push(await gradeStage(grading, stage, checksOf.get(stage)!));
      if (options.bail && exitStatusOf(stages.flatMap(({ checks }) => checks)) === 1) break;
    }
    const checks = stages.flatMap((stage) => stage.checks);
    return {
      format: "expserver-course/grade",
      version: 1,
      course: packageVersion,
      startedAt,
      durationMs: Math.round(performance.now() - start),
      seed,
      target: options.target,
      machine: { node: process.version, kernel: release(), arch: process.arch, factor },
      stages,
      points: sumPoints(checks),
      exitStatus: options.signal?.aborted ? 2 : exitStatusOf(checks),
    };
  } finally {
    options.signal?.removeEventListener("abort", end);
    end();
    await stopBuilder();
    endRun(run);
    await watchdog.dismiss();
    if (existsSync(runFolder) && readdirSync(runFolder).length === 0) rmSync(runFolder, { recursive: true });
  }
}

function validSeed(seed: string): string {
  if (/^[\w-]{1,64}$/.test(seed)) return seed;
  throw new UserError(`The seed "${seed}" is not usable: take 1 to 64 letters, digits, "-" and "_".`);
}

/** The checks to run at each stage; those of `--only` with what they build on. */
async function selectChecks(options: GradeOptions): Promise<Map<Stage, Check[]>> {
  const selected = new Map<Stage, Check[]>();
  for (const stage of options.stages) {
    const all = (await loadChecks(stage)).filter(
      ({ thorough }) => !thorough || options.thorough || options.only,
    );
    selected.set(stage, options.only === undefined ? all : withPrerequisites(all, options.only));
  }
  const known = new Set([...selected.values()].flat().map(({ id }) => id));
  const unknown = options.only?.find((id) => !known.has(id));
  if (unknown !== undefined) {
    const where = options.stages.map(({ number }) => `stage ${number}`).join(", ");
    throw new UserError(
      `There is no check "${unknown}" in ${where}. See them with: npx expserver-course list ${options.stages[0]!.number}`,
    );
  }
  return selected;
}

/**
 * The folder of this run: `.expserver/runs/<time>` in the workspace, where older ones beyond the last
 * twenty go; a folder in the temporary one when the workspace can't be written.
 */
function makeRunFolder(target: string, run: Run, startedAt: string): string {
  const runs = join(target, ".expserver", "runs");
  const folder = join(runs, `${startedAt.replaceAll(":", "-").replace(/\..*/, "")}-${run.mark}`);
  try {
    mkdirSync(folder, { recursive: true });
  } catch {
    return run.folder;
  }
  const names = readdirSync(runs).sort();
  for (const old of names.slice(0, Math.max(0, names.length - keptRuns))) {
    try {
      rmSync(join(runs, old), { recursive: true, force: true });
    } catch {
      // Another user graded here, as with sudo: that folder is not ours to remove.
    }
  }
  return folder;
}

/** Builds the stage's program, unless the workspace's own build has failed. */
async function buildStageProgram(grading: Grading, stage: Stage, folder: string): Promise<BuiltProgram> {
  const { options, course, buildLog } = grading;
  if (buildLog === undefined) return buildProgram(options.target, stage, course, folder);
  return {
    ok: false,
    log: buildLog,
    language: "other",
    command: [],
    ports: "argument",
    forbiddenImports: [],
  };
}

async function gradeStage(grading: Grading, stage: Stage, checks: Check[]): Promise<StageResult> {
  const { options, listener } = grading;
  const start = performance.now();
  listener.onStageStart?.(stage, checks);
  const buildFolder = join(grading.runFolder, "build");
  const [program, probes] = await Promise.all([
    buildStageProgram(grading, stage, buildFolder),
    buildProbes(options.target, stage, grading.course, buildFolder),
    loadEngine(), // while the compiler, a process of its own, is at work
  ]);
  const build: StageResult["build"] = { ok: program.ok, log: program.log, warnings: [] };
  listener.onBuild?.(stage, build);
  const hints = loadHints(stage);
  const results = new Map<string, CheckResult>();
  const plan: StagePlan = {
    slug: stage.slug,
    target: options.target,
    programName: stage.program.name,
    program,
    probes,
    ownPorts: stage.program.ports,
    seed: grading.seed,
    factor: grading.factor,
    mark: grading.run.mark,
    env: programEnvironment(program, grading.env),
    checks: checks.map(({ id }) => id),
    bail: options.bail ?? false,
    thorough: options.thorough ?? false,
    scratch: grading.run.folder,
    transcripts: grading.runFolder,
  };
  const byId = new Map(checks.map((check) => [check.id, check]));
  const signal = options.signal ?? new AbortController().signal;
  await runStage(
    plan,
    checks,
    grading.run.folder,
    (report) => {
      const check = byId.get(report.id)!;
      const repeat =
        options.commandLine?.(stage, check.id, grading.seed) ??
        `npx expserver-course grade ${stage.number} --only ${check.id} --seed ${grading.seed}`;
      const result = toResult(check, report, repeat, hints.get(check.id)?.[0]);
      // In a temporary folder the transcript goes with the grading.
      if (grading.runFolder === grading.run.folder && result.failure) result.failure.transcript = undefined;
      results.set(check.id, result);
      listener.onCheck?.(stage, result);
    },
    signal,
  );
  build.warnings = await grading.typeErrors;
  const ordered = checks.map(({ id }) => results.get(id)!);
  const result: StageResult = {
    stage: stage.number,
    slug: stage.slug,
    title: stage.title,
    build,
    checks: ordered,
    points: sumPoints(ordered),
    durationMs: Math.round(performance.now() - start),
  };
  listener.onStageEnd?.(stage, result);
  return result;
}

/** A check's report with the words that stand beside the check. */
function toResult(check: Check, report: CheckReport, repeat: string, hint: string | undefined): CheckResult {
  const { evidence } = report;
  return {
    id: check.id,
    title: check.title,
    outcome: report.outcome,
    points: check.points,
    earned: report.outcome === "pass" ? check.points : 0,
    durationMs: report.durationMs,
    reason: report.reason,
    failure: evidence && {
      ...evidence,
      why: check.why,
      hint: evidence.hint ?? hint,
      see: check.see,
      repeat,
      byHand: check.byHand,
      transcript: report.transcript,
    },
  };
}
