/**
 * Any language: programs in C are built and graded through `course.json`. Good ones pass, with ports as
 * arguments and with fixed ones; of poor ones the right checks fail, with texts that lead to the fault.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  type CheckResult,
  type Failure,
  type GradeRecord,
  gradeRecord,
  type Outcome,
} from "../grader/record.ts";
import { packageRoot } from "../stages/package-root.ts";
import { findStage } from "../stages/stage.ts";
import { type Claim, Skipped } from "./claims.ts";

const commandLine = join(packageRoot, "dist", "cli", "main.js");
const example = join(packageRoot, "examples", "c");
const poorPrograms = join(packageRoot, "tests", "fixtures", "poor-c");

/** The stages whose programs the example has. */
const stages = [1, 3, 4];

/** No grading here takes longer than a minute on a slow machine. */
const limitMs = 300_000;

/** A poor program: the fault, the checks that must see it, and what their reports must say. */
type PoorProgram = {
  title: string;
  stage: number;
  /** The file below `poorPrograms`, without `.c`. */
  source: string;
  /** The macro that chooses the fault. */
  fault: string;
  /** Id → what the failure must tell. */
  fails: Record<string, (failure: Failure) => void>;
  /** Checks that may fail as well, or be blocked: they can't do their own work with such a program. */
  mayFail?: string[];
};

/** The report names the signal that ended a program. */
function diedOf(signal: string): (failure: Failure) => void {
  return ({ programs }) =>
    assert.match(programs.map(({ death }) => death ?? "alive").join("\n"), RegExp(signal));
}

/** The report has this text in one of the places where a learner looks for the reason. */
function says(pattern: RegExp): (failure: Failure) => void {
  return ({ summary, observed, programs }) =>
    assert.match([summary, observed, ...programs.map(({ output }) => output)].join("\n"), pattern);
}

/** The reply and what was expected part at this byte. */
function differsAt(offset: number): (failure: Failure) => void {
  return ({ difference }) => assert.match(difference ?? "no difference shown", RegExp(`at byte ${offset} `));
}

const poor: PoorProgram[] = [
  {
    title: "a server out of a tutorial",
    stage: 1,
    source: "tutorial",
    fault: "NONE",
    fails: {
      announces: ({ observed, why }) => {
        assert.equal(observed, '""');
        assert.match(why, /buffer/);
      },
      "large-message": differsAt(0),
      "all-bytes": says(/did not come/),
      "port-taken": says(/does not name the port/),
      // It listens on some port; when somebody holds that one, it ends with the wrong status.
      usage: says(/wrong argument "\w+"|when its argument was "\w+"/),
      restarts: says(/Address already in use/),
    },
  },
  {
    title: "a server that sends its whole buffer",
    stage: 1,
    source: "tcp-server",
    fault: "SENDS_WHOLE_BUFFER",
    fails: { "reverse-line": says(/more bytes.*\n"(\\x00)+/) },
    mayFail: ["ends-on-signal"],
  },
  {
    title: "a server that sends up to the first zero byte",
    stage: 1,
    source: "tcp-server",
    fault: "SENDS_LIKE_TEXT",
    // The message has the values 0 to 255 but for 10, so that 254 bytes of its reversal come before the 0.
    fails: { "all-bytes": differsAt(254) },
  },
  {
    title: "a server that crashes at a zero byte",
    stage: 1,
    source: "tcp-server",
    fault: "SEARCHES_LIKE_TEXT",
    fails: { "all-bytes": diedOf("SIGSEGV") },
  },
  {
    title: "a server that takes the end of the stream for a message",
    stage: 1,
    source: "tcp-server",
    fault: "IGNORES_THE_END",
    fails: { "ends-with-client": says(/still runs .* after the client left/) },
  },
  {
    title: "a server that serves one client at a time",
    stage: 3,
    source: "epoll-server",
    fault: "SERVES_ONE_AT_A_TIME",
    fails: {
      "two-clients": says(/client 2: the reply did not come/),
      "silent-client": says(/client 2: the reply did not come/),
    },
    mayFail: ["one-thread", "idle-cpu", "resets", "ends-on-signal"],
  },
  {
    title: "a server that closes nobody's descriptor",
    stage: 3,
    source: "epoll-server",
    fault: "FORGETS_TO_CLOSE",
    fails: {
      leaver: says(/connection was not closed although its client has ended/),
      descriptors: says(/connection was not closed|keeps descriptors/),
      resets: says(/keeps descriptors .*\n\d+ open descriptors/),
    },
    mayFail: ["idle-cpu"],
  },
  {
    title: "a server that never sleeps",
    stage: 3,
    source: "epoll-server",
    fault: "NEVER_SLEEPS",
    fails: { "idle-cpu": says(/computes while nothing happens\n\d\d+ %/) },
  },
  {
    title: "a proxy that loses what the kernel does not take",
    stage: 4,
    source: "tcp-proxy",
    fault: "LOSES_BYTES",
    fails: {
      "both-ways": ({ difference, summary }) => {
        const [, at] = /first difference at byte ([\d,]+) /.exec(difference ?? "") ?? [];
        assert.ok(Number(at?.replaceAll(",", "")) > 0, `no offset: ${difference}`);
        assert.match(summary, /incomplete|other bytes/);
      },
    },
    // Whether a megabyte is more than the kernel takes depends on how fast the other side reads.
    mayFail: ["http", "upstream-closes", "client-closes", "half-close", "resets"],
  },
  {
    title: "a proxy that dies of SIGPIPE",
    stage: 4,
    source: "tcp-proxy",
    fault: "DIES_OF_SIGPIPE",
    fails: { resets: diedOf("SIGPIPE") },
  },
  {
    title: "a proxy that closes both sides when one ends",
    stage: 4,
    source: "tcp-proxy",
    fault: "CLOSES_BOTH_ENDS",
    fails: { "half-close": says(/did not come[\s\S]*connection was closed/) },
  },
];

/** @throws Skipped when one of the tools is missing */
function needTools(...tools: string[]): void {
  for (const tool of tools) {
    if (spawnSync(tool, ["--version"]).error !== undefined) throw new Skipped(`${tool} is not installed`);
  }
}

/** @throws Skipped with the kernel's reason, when there can be no private network */
function needNamespace(): void {
  const { status, error, stderr } = spawnSync("unshare", ["--map-root-user", "--net", "true"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Skipped(`no private network namespace: ${error?.message ?? stderr.trim()}`);
}

/** Hands a proof a temporary folder, which is gone afterwards. */
async function inFolder(proof: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "expserver-c-"));
  try {
    await proof(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The example without what a build or a grading has left in it. */
function copyExample(folder: string): void {
  const leftovers = new Set(["bin", ".expserver"]);
  cpSync(example, folder, { recursive: true, filter: (source) => !leftovers.has(basename(source)) });
}

/** A workspace whose one program is a poor one, put together with the example's sound parts. */
function copyPoorProgram(folder: string, { stage, source, fault }: PoorProgram): void {
  cpSync(poorPrograms, folder, { recursive: true });
  for (const file of ["tcp.c", "tcp.h"]) cpSync(join(example, "src", file), join(folder, file));
  writeCourse(folder, {
    build: `make PROGRAM=${source} FAULT=${fault}`,
    run: { [findStage(String(stage))!.program.name]: "./program {args}" },
  });
}

function writeCourse(folder: string, course: object): void {
  writeFileSync(join(folder, "course.json"), JSON.stringify(course));
}

/** Grades a stage of a workspace as a learner does, and checks that the exit status is the record's. */
async function grade(stage: number, folder: string, options: string[] = []): Promise<GradeRecord> {
  const args = [commandLine, "grade", String(stage), "--target", folder, "--format", "json", ...options];
  const { status, stdout, stderr } = await new Promise<{ status: unknown; stdout: string; stderr: string }>(
    (resolve) => {
      const limits = { maxBuffer: 64 * 1024 * 1024, timeout: limitMs };
      execFile(process.execPath, args, limits, (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : (error.code ?? error.signal), stdout, stderr });
      });
    },
  );
  if (!stdout.startsWith("{")) throw new Error(`grade ended with ${status} and said: ${stdout}${stderr}`);
  const record = gradeRecord.parse(JSON.parse(stdout));
  assert.equal(status, record.exitStatus, `exit status ${status}, but the record says ${record.exitStatus}`);
  return record;
}

/** The ids of the checks that came out in a certain way. */
function idsOf(record: GradeRecord, outcome: Outcome): string[] {
  return record.stages[0]!.checks.filter((check) => check.outcome === outcome).map(({ id }) => id);
}

function find(record: GradeRecord, id: string): CheckResult {
  const result = record.stages[0]!.checks.find((check) => check.id === id);
  if (result === undefined) throw new Error(`there is no check ${id}`);
  return result;
}

/** All that a person needs to see what went wrong here. */
function describe({ id, outcome, reason, failure }: CheckResult): string {
  return [`${id}: ${outcome}: ${failure?.summary ?? reason}`, failure?.observed, failure?.difference]
    .filter((text) => text !== undefined)
    .join("\n");
}

/** Nothing failed, and exactly these checks did not apply. */
function expectAllPassed(record: GradeRecord, skipped: string[]): void {
  const wrong = record.stages[0]!.checks.filter(({ outcome }) => outcome !== "pass" && outcome !== "skipped");
  assert.equal(wrong.length, 0, wrong.map(describe).join("\n"));
  assert.deepEqual(idsOf(record, "skipped"), skipped);
  assert.equal(record.exitStatus, 0);
  assert.equal(record.points.earned, record.points.possible);
  assert.ok(record.points.possible > 0, "there were no points to earn");
}

function argumentClaim(stage: number): Claim {
  return {
    title: `stage ${stage} in C: the example passes, its port an argument`,
    prove: () => {
      needTools("gcc", "make");
      return inFolder(async (folder) => {
        copyExample(folder);
        expectAllPassed(await grade(stage, folder), ["only-system-calls"]);
      });
    },
  };
}

function fixedPortClaim(stage: number): Claim {
  return {
    title: `stage ${stage} in C: the example passes with fixed ports in a network of its own`,
    prove: () => {
      needTools("gcc", "make");
      needNamespace();
      return inFolder(async (folder) => {
        copyExample(folder);
        const { run, ...course } = JSON.parse(readFileSync(join(folder, "course.json"), "utf8"));
        const withoutArguments = Object.entries<string>(run).map(([program, command]) => [
          program,
          command.replace(" {args}", ""),
        ]);
        writeCourse(folder, { ...course, run: Object.fromEntries(withoutArguments), ports: "fixed" });
        expectAllPassed(await grade(stage, folder, ["--isolate"]), ["usage", "only-system-calls"]);
      });
    },
  };
}

function poorClaim(program: PoorProgram): Claim {
  const { title, stage, fails, mayFail = [] } = program;
  return {
    title: `stage ${stage} in C: ${title} fails ${Object.keys(fails).join(", ")}, and the report leads to the fault`,
    prove: () => {
      needTools("gcc", "make");
      return inFolder(async (folder) => {
        copyPoorProgram(folder, program);
        const record = await grade(stage, folder);
        const troubles = record.stages[0]!.checks.filter(({ outcome }) => outcome === "error");
        assert.equal(record.exitStatus, 1, troubles.map(describe).join("\n"));
        for (const [id, leadsToFault] of Object.entries(fails)) {
          const result = find(record, id);
          if (result.failure === undefined) throw new Error(describe(result));
          try {
            leadsToFault(result.failure);
          } catch (error) {
            throw new Error(
              `${id} does not lead to the fault: ${(error as Error).message}\n${describe(result)}`,
            );
          }
        }
        const due = new Set([...Object.keys(fails), ...mayFail]);
        const surplus = idsOf(record, "fail").filter((id) => !due.has(id));
        assert.deepEqual(surplus, [], surplus.map((id) => describe(find(record, id))).join("\n"));
      });
    },
  };
}

/** A missing semicolon in the example. */
const brokenBuild: Claim = {
  title: "stage 1 in C: a syntax error is told in the compiler's words, with file and line",
  prove: () => {
    needTools("gcc", "make");
    return inFolder(async (folder) => {
      copyExample(folder);
      const file = join(folder, "src", "tcp-server.c");
      const sound = readFileSync(file, "utf8");
      const broken = sound.replace("announce(port);", "announce(port)");
      assert.notEqual(broken, sound, "the example has no such statement any more");
      writeFileSync(file, broken);
      const record = await grade(1, folder);
      const line = sound.split("\n").findIndex((text) => text.includes("announce(port);")) + 1;
      const { failure } = find(record, "builds");
      assert.match(
        failure?.observed ?? "builds did not fail",
        RegExp(`src/tcp-server\\.c:${line}:\\d+: .*;`),
      );
      assert.equal(record.stages[0]!.build.ok, false);
      assert.deepEqual(idsOf(record, "fail"), ["builds"]);
      assert.deepEqual(idsOf(record, "pass"), []);
      assert.equal(record.exitStatus, 1);
    });
  },
};

/** The claims about programs in other languages than TypeScript. */
export function languageClaims(): Claim[] {
  return [...stages.map(argumentClaim), ...stages.map(fixedPortClaim), brokenBuild, ...poor.map(poorClaim)];
}
