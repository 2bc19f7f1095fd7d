import { spawn } from "node:child_process";
import { once } from "node:events";
import { spawn as spawnInTerminal } from "@lydell/node-pty";
import { describe, expect, onTestFinished, test } from "vitest";
import { planVariable } from "../plan.ts";
import { readProcess } from "./proc.ts";
import { adoptOrphans, describeProcess, ProgramTree } from "./program-tree.ts";
import { newSeed } from "./random.ts";
import { passedProbe, planFor, shellPlan } from "./testing.ts";

describe("a check's processes", () => {
  test("are the program and all below it, until they end", async () => {
    await passedProbe(shellPlan("sleep 1000 & sleep 1000"), async ({ launch, tree, waitFor }) => {
      expect(tree.alive()).toEqual([]);
      const program = launch([]);
      expect(await waitFor(() => tree.alive().length === 3, 5000)).toBe(true);
      tree.kill();
      expect(await program.ended(5000)).toEqual({ code: null, signal: "SIGKILL" });
      expect(await waitFor(() => tree.alive().length === 0, 5000)).toBe(true);
    });
  });

  test("are not the grader's own helpers, in its session or in a terminal", async () => {
    adoptOrphans();
    const helper = spawn("sleep", ["1000"], { stdio: "ignore" });
    // As the engine's thread starts it: with the variable that no program gets.
    const env = { PATH: process.env.PATH, [planVariable]: "plan.json" };
    const terminal = spawnInTerminal("sh", ["-c", "echo ready; exec sleep 1000"], { env });
    onTestFinished(() => {
      helper.kill("SIGKILL");
      terminal.kill("SIGKILL");
    });
    await new Promise<void>((resolve) => terminal.onData((data) => data.includes("ready") && resolve()));
    const tree = new ProgramTree(newSeed());
    expect(tree.alive()).toEqual([]);
    await tree.killAll();
    expect(readProcess(helper.pid!)?.state).not.toBe("Z");
    expect(readProcess(terminal.pid)?.state).not.toBe("Z");
  });

  test("are not another check's, even when those are nobody's children any more", async () => {
    const [mark, other] = [newSeed(), newSeed()];
    adoptOrphans();
    const shell = spawn("sh", ["-c", "setsid sleep 1000 & echo $!"], {
      detached: true,
      env: { PATH: process.env.PATH, EXPSERVER_GRADING: mark },
    });
    const [line] = await once(shell.stdout, "data");
    if (shell.exitCode === null) await once(shell, "exit");
    const orphan = Number(line);
    expect(readProcess(orphan)?.parent).toBe(process.pid);
    await new ProgramTree(other).killAll();
    expect(readProcess(orphan)?.state).toMatch(/[RS]/);
    expect(new ProgramTree(mark).alive().map(({ pid }) => pid)).toEqual([orphan]);
    await new ProgramTree(mark).killAll();
    expect(readProcess(orphan)).toBeUndefined(); // collected, no zombie
  });

  test("are found no more by a number that Node has collected", async () => {
    const tree = new ProgramTree(newSeed());
    // It stands for a process of somebody else's, which has got the number of one of the check's.
    const child = spawn("sleep", ["1000"], { stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
    tree.noteSpawned(child.pid!);
    expect(tree.alive()).toHaveLength(1);
    tree.noteEnded(child.pid!);
    expect(tree.alive()).toEqual([]);
  });
});

describe("a tool that a check runs", () => {
  test("gets its input and gives its output and status", async () => {
    await passedProbe(planFor("true"), async ({ runTool }) => {
      const input = Buffer.alloc(300_000, "x");
      const { code, stdout, stderr } = await runTool("sh", ["-c", "cat; echo done >&2; exit 3"], { input });
      expect(stdout.equals(input)).toBe(true);
      expect({ code, stderr }).toEqual({ code: 3, stderr: "done\n" });
    });
  });

  test("is killed at its deadline, with what it started", async () => {
    await passedProbe(planFor("true"), async ({ runTool }) => {
      const { code, stdout } = await runTool("sh", ["-c", "echo begun; sleep 1000; true"], { withinMs: 200 });
      expect({ code, stdout: String(stdout) }).toEqual({ code: null, stdout: "begun\n" });
    });
  });

  test("that is not installed is an error", async () => {
    await passedProbe(planFor("true"), async ({ runTool }) => {
      await expect(runTool("no-such-tool", [])).rejects.toThrow("ENOENT");
    });
  });
});

test("a process is described by its name and number, and Node is called Node", () => {
  const stat = readProcess(process.pid)!;
  expect(describeProcess({ ...stat, name: "nginx", pid: 42 })).toBe("nginx (process 42)");
  for (const name of ["node", "MainThread", "node-MainThread"]) {
    expect(describeProcess({ ...stat, name, pid: 42 })).toBe("node (process 42)");
  }
});
