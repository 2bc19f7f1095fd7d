import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { CheckResult, GradeRecord, Outcome } from "../grader/record.ts";
import { exitStatusOf, sumPoints } from "../grader/record.ts";
import type { Stage } from "../stages/stage.ts";
import type { Engine } from "./grading.ts";
import type { Session } from "./session.ts";
import { createWorkspace } from "./workspace.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new folder with a space in its name, removed after the test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "expserver cli-")));
  folders.push(folder);
  return folder;
}

/** A workspace as `init` makes it. */
export function temporaryWorkspace(): string {
  return createWorkspace(join(temporaryFolder(), "my expserver")).folder;
}

/** A session that keeps what it is told. */
export type RecordedSession = Session & { output(): string; warnings(): string };

export function recordedSession(cwd: string, more: Partial<Session> = {}): RecordedSession {
  const written: string[] = [];
  const warned: string[] = [];
  return {
    cwd,
    env: process.env,
    isTerminal: false,
    color: false,
    columns: 100,
    write: (text) => void written.push(text),
    say: (...lines) => void written.push(...lines.map((line) => `${line}\n`)),
    warn: (...lines) => void warned.push(...lines.map((line) => `${line}\n`)),
    ...more,
    output: () => written.join(""),
    warnings: () => warned.join(""),
  };
}

/** A record in which each stage has these checks with these outcomes, one point each. */
export function gradeRecordOf(
  stages: Stage[],
  outcomes: Record<string, Outcome>,
  more: Partial<GradeRecord> = {},
): GradeRecord {
  const checks = Object.entries(outcomes).map(([id, outcome]): CheckResult => {
    return { id, title: id, outcome, points: 1, earned: outcome === "pass" ? 1 : 0, durationMs: 1 };
  });
  return {
    format: "expserver-course/grade",
    version: 1,
    course: "0.1.0",
    startedAt: "2025-01-31T12:00:00.000Z",
    durationMs: 1,
    seed: "4f2a91c0",
    target: "/",
    machine: { node: "v20.19.0", kernel: "6.1.0", arch: "x64", factor: 1 },
    stages: stages.map(({ number, slug, title }) => ({
      stage: number,
      slug,
      title,
      build: { ok: true, warnings: [] },
      checks,
      points: sumPoints(checks),
      durationMs: 1,
    })),
    points: sumPoints(checks),
    exitStatus: exitStatusOf(checks),
    ...more,
  };
}

/** An engine that starts no program and finds these outcomes; `calls` keeps how `grade` was called. */
export function fakeEngine(outcomes: Record<string, Outcome>) {
  const calls: Parameters<Engine["grade"]>[0][] = [];
  const engine: Engine = {
    async grade(options) {
      calls.push(options);
      return gradeRecordOf(options.stages, outcomes);
    },
    async loadChecks() {
      return Object.keys(outcomes).map((id) => {
        return { id, title: `claim ${id}`, points: 1, after: [], why: "", see: [], limitMs: 1 };
      });
    },
    createWriter(format, out) {
      return { listener: {}, end: (record) => out(`${format} report of ${record.points.earned} points\n`) };
    },
  };
  return { calls, engine: async () => engine };
}

/** Path → what is there, for every file and link below a folder, `node_modules` and git's own aside. */
export function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const kept = names.filter((name) => !/(^|\/)(node_modules|\.git)(\/|$)/.test(name));
  return Object.fromEntries(
    kept.flatMap((name) => {
      const stat = lstatSync(join(folder, name));
      if (stat.isSymbolicLink()) return [[name, `-> ${readlinkSync(join(folder, name))}`]];
      if (!stat.isFile()) return [];
      return [
        [
          name,
          createHash("sha256")
            .update(readFileSync(join(folder, name)))
            .digest("hex"),
        ],
      ];
    }),
  );
}
