import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allStages } from "../../stages/stage.ts";
import { readProgress, updateProgress } from "../progress.ts";
import { fakeEngine, recordedSession, temporaryFolder, temporaryWorkspace } from "../testing.ts";
import { next } from "./next.ts";

const passing = fakeEngine({ builds: "pass", extra: "skipped" }).engine;
const failing = fakeEngine({ builds: "pass", output: "fail", more: "blocked" }).engine;

describe("outside of a workspace", () => {
  test("makes one and says how to go on", async () => {
    const session = recordedSession(temporaryFolder());
    expect(await next(session, {}, passing)).toBe(0);
    expect(session.output()).toMatch(/ready in my-expserver.*cd my-expserver.*npx expserver-course read/s);
    expect(existsSync(join(session.cwd, "my-expserver", "src/phase-0/hello.ts"))).toBe(true);
  });

  test("sends to the one that is there", async () => {
    const session = recordedSession(temporaryFolder());
    await next(session, {}, passing);
    await expect(next(session, {}, passing)).rejects.toThrow("cd my-expserver");
  });
});

describe("when the stage passes", () => {
  test("the next skeleton comes, and progress is kept", async () => {
    const workspace = temporaryWorkspace();
    const session = recordedSession(join(workspace, "src"));
    expect(await next(session, {}, passing)).toBe(0);
    const progress = readProgress(workspace);
    expect(progress.current).toBe("01-tcp-server");
    expect(progress.stages["00-setup"]!.passed).toBeDefined();
    expect(existsSync(join(workspace, "src/phase-0/tcp-server.ts"))).toBe(true);
    expect(session.output()).toMatch(
      /Stage 0, Setup: done.*Stage 1, TCP Server.*src\/phase-0\/tcp-server\.ts.*course read/s,
    );
  });

  test("a file of the learner's with that name stays, and the skeleton lies beside it", async () => {
    const workspace = temporaryWorkspace();
    writeFileSync(join(workspace, "src/phase-0/tcp-server.ts"), "mine");
    const session = recordedSession(workspace);
    await next(session, {}, passing);
    expect(readFileSync(join(workspace, "src/phase-0/tcp-server.ts"), "utf8")).toBe("mine");
    expect(existsSync(join(workspace, "src/phase-0/tcp-server.skeleton.ts"))).toBe(true);
    expect(session.output()).toContain(
      "tcp-server.skeleton.ts (you have a src/phase-0/tcp-server.ts already",
    );
  });

  test("a stage that was begun before is taken up as it was left", async () => {
    const workspace = temporaryWorkspace();
    await next(recordedSession(workspace), {}, passing);
    writeFileSync(join(workspace, "src/phase-0/tcp-server.ts"), "half done");
    updateProgress(workspace, (progress) => {
      progress.current = "00-setup";
    });
    const session = recordedSession(workspace);
    await next(session, {}, passing);
    expect(readFileSync(join(workspace, "src/phase-0/tcp-server.ts"), "utf8")).toBe("half done");
    expect(existsSync(join(workspace, "src/phase-0/tcp-server.skeleton.ts"))).toBe(false);
    expect(session.output()).toContain("(yours, from before; unchanged)");
  });

  test("a program in another language gets no TypeScript skeleton, only its usage", async () => {
    const workspace = temporaryWorkspace();
    writeFileSync(join(workspace, "course.json"), '{"run":{"tcp-server":"./tcp-server {args}"}}');
    const session = recordedSession(workspace);
    await next(session, {}, passing);
    expect(existsSync(join(workspace, "src/phase-0/tcp-server.ts"))).toBe(false);
    expect(session.output()).toContain("write `tcp-server [port=8080]` in yours");
  });

  test("after the last stage there is nothing to add", async () => {
    const workspace = temporaryWorkspace();
    updateProgress(workspace, (progress) => {
      progress.current = allStages().at(-1)!.slug;
    });
    const session = recordedSession(workspace);
    expect(await next(session, {}, passing)).toBe(0);
    expect(session.output()).toContain("last stage of this version");
  });
});

describe("when a check fails", () => {
  test("nothing is added, and the ways on are said", async () => {
    const workspace = temporaryWorkspace();
    const session = recordedSession(workspace);
    expect(await next(session, {}, failing)).toBe(1);
    expect(readProgress(workspace).current).toBe("00-setup");
    expect(existsSync(join(workspace, "src/phase-0/tcp-server.ts"))).toBe(false);
    expect(session.output()).toMatch(/2 of 3 checks to go.*course hint.*next --anyway/s);
  });

  test("--anyway goes on, on record", async () => {
    const workspace = temporaryWorkspace();
    const session = recordedSession(workspace);
    expect(await next(session, { anyway: true }, failing)).toBe(0);
    const progress = readProgress(workspace);
    expect(progress.current).toBe("01-tcp-server");
    expect(progress.stages["00-setup"]).toMatchObject({ leftUnfinished: { failing: ["output", "more"] } });
    expect(progress.stages["00-setup"]!.passed).toBeUndefined();
    expect(session.output()).toContain("failing checks: output, more");
  });

  test("trouble of the grader changes nothing and is no pass", async () => {
    const workspace = temporaryWorkspace();
    const session = recordedSession(workspace);
    expect(await next(session, {}, fakeEngine({ builds: "error" }).engine)).toBe(2);
    expect(readProgress(workspace).current).toBe("00-setup");
    expect(session.warnings()).toContain("doctor");
  });
});
