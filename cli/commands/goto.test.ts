import { existsSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findStage } from "../../stages/stage.ts";
import { solutionFiles } from "../../stages/tree.ts";
import { readProgress } from "../progress.ts";
import { listSnapshots } from "../snapshot.ts";
import { contents, type RecordedSession, recordedSession, temporaryWorkspace } from "../testing.ts";
import { goto } from "./goto.ts";
import { reset } from "./reset.ts";

const hello = "src/phase-0/hello.ts";

/** A workspace in which the learner has worked, and what it holds. */
function workedIn(): { session: RecordedSession; workspace: string; before: Record<string, string> } {
  const workspace = temporaryWorkspace();
  writeFileSync(join(workspace, hello), "my work");
  writeFileSync(join(workspace, "src", "notes.ts"), "my notes");
  return { session: recordedSession(workspace), workspace, before: sources(workspace) };
}

function sources(workspace: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(contents(workspace)).filter(([path]) => !path.startsWith(".expserver")),
  );
}

describe("goto", () => {
  test("brings the reference before the stage and the stage's skeleton, and says what it replaced", async () => {
    const { session, workspace } = workedIn();
    expect(await goto(session, "2", {})).toBe(0);
    for (const { path, source } of solutionFiles(findStage("1")!)) {
      expect(readFileSync(join(workspace, path))).toEqual(readFileSync(source));
    }
    expect(readFileSync(join(workspace, "src/phase-0/tcp-client.ts"), "utf8")).toContain("TODO");
    expect(readFileSync(join(workspace, "src/notes.ts"), "utf8")).toBe("my notes");
    expect(readProgress(workspace)).toMatchObject({
      current: "02-tcp-client",
      stages: { "02-tcp-client": { fromReference: true } },
    });
    expect(session.output()).toMatch(
      /replaced:\n {2}src\/phase-0\/hello\.ts\n.*reset --to \d.*Stage 2, TCP Client/s,
    );
  });

  test("and a reset to its snapshot give back every byte, also twice over", async () => {
    const { session, workspace, before } = workedIn();
    await goto(session, "3", {});
    const after = sources(workspace);
    await reset(session, { to: listSnapshots(workspace)[0]!.name });
    expect(sources(workspace)).toEqual(before);
    expect(readProgress(workspace).current).toBe("00-setup");
    await reset(session, { to: "latest" });
    expect(sources(workspace)).toEqual(after);
    expect(readProgress(workspace).current).toBe("03-linux-epoll");
  });

  test("--only takes one file of the reference and stays at the stage", async () => {
    const { session, workspace } = workedIn();
    await goto(session, "2", { only: ["phase-0/tcp-server"] });
    expect(existsSync(join(workspace, "src/phase-0/tcp-server.ts"))).toBe(true);
    expect(readFileSync(join(workspace, hello), "utf8")).toBe("my work");
    expect(readProgress(workspace).current).toBe("00-setup");
    expect(listSnapshots(workspace)).toHaveLength(1);
  });

  test("--only refuses an unknown file with the nearest one, before anything is touched", async () => {
    const { session, workspace, before } = workedIn();
    await expect(goto(session, "2", { only: ["phase-0/tcp-sever"] })).rejects.toThrow(
      "Did you mean phase-0/tcp-server?",
    );
    await expect(goto(session, "0", { only: ["x"] })).rejects.toThrow("is the first one");
    expect(sources(workspace)).toEqual(before);
    expect(listSnapshots(workspace)).toEqual([]);
  });

  test("--only says when course.json names another file for the module", async () => {
    const { session, workspace } = workedIn();
    writeFileSync(join(workspace, "course.json"), '{"modules":{"network/socket":"src/mine.ts"}}');
    await goto(session, "9", { only: ["network/socket"] });
    expect(session.output()).toContain("course.json still names another file for network/socket");
  });

  test("brings no TypeScript into a workspace of another language", async () => {
    const { session, workspace } = workedIn();
    writeFileSync(join(workspace, "course.json"), '{"run":{"tcp-client":"./client {args}"}}');
    await goto(session, "2", {});
    expect(existsSync(join(workspace, "src/phase-0/tcp-client.ts"))).toBe(false);
    expect(readFileSync(join(workspace, hello), "utf8")).toBe("my work");
    expect(readProgress(workspace).current).toBe("02-tcp-client");
  });
});

describe("links", () => {
  test("a linked file is replaced by a file; what it leads to stays, and the link comes back", async () => {
    const { session, workspace } = workedIn();
    renameSync(join(workspace, hello), join(workspace, "elsewhere.ts"));
    symlinkSync("../../elsewhere.ts", join(workspace, hello));
    const before = sources(workspace);
    await goto(session, "1", {});
    expect(readFileSync(join(workspace, "elsewhere.ts"), "utf8")).toBe("my work");
    await reset(session, { to: "latest" });
    expect(sources(workspace)).toEqual(before);
  });

  test("a linked folder is refused before anything is touched", async () => {
    const { session, workspace } = workedIn();
    renameSync(join(workspace, "src"), join(workspace, "elsewhere"));
    symlinkSync("elsewhere", join(workspace, "src"));
    const before = sources(workspace);
    await expect(goto(session, "1", {})).rejects.toThrow("src is a link");
    await expect(reset(session, {})).rejects.toThrow("src is a link");
    expect(sources(workspace)).toEqual(before);
    expect(listSnapshots(workspace)).toEqual([]);
  });
});

describe("reset", () => {
  test("puts the skeleton back after a snapshot", async () => {
    const { session, workspace, before } = workedIn();
    await reset(session, {});
    expect(readFileSync(join(workspace, hello), "utf8")).toContain("TODO");
    expect(session.output()).toContain(`Back to the skeleton of Stage 0, Setup:\n  ${hello}`);
    await reset(session, { to: "latest" });
    expect(sources(workspace)).toEqual(before);
  });

  test("of an untouched skeleton does nothing and says so", async () => {
    const workspace = temporaryWorkspace();
    const session = recordedSession(workspace);
    expect(await reset(session, {})).toBe(0);
    expect(session.output()).toContain("nothing to reset");
    expect(listSnapshots(workspace)).toEqual([]);
  });

  test("to an unknown snapshot touches nothing", async () => {
    const { session, workspace, before } = workedIn();
    await expect(reset(session, { to: "yesterday" })).rejects.toThrow("no snapshot yet");
    expect(sources(workspace)).toEqual(before);
  });
});
