import { describe, expect, test } from "vitest";
import { assert } from "./evidence.ts";
import { failedProbe, nodePlan, passedProbe, planFor, shellPlan } from "./testing.ts";

describe("a program in a terminal", () => {
  test("sees a terminal of 80 by 24 on all three streams", async () => {
    const script = "test -t 0 && test -t 1 && test -t 2 && stty size && echo $TERM";
    await passedProbe(shellPlan(script), async ({ terminal }) => {
      const screen = terminal([]);
      expect(await screen.shows("24 80\r\nxterm\r\n")).toBe(true);
    });
  });

  test("reads lines that are typed, and the screen echoes them", async () => {
    const script = "read line; echo got $line; read line || echo end";
    await passedProbe(shellPlan(script), async ({ terminal }) => {
      const screen = terminal([]);
      screen.type("hello\r");
      expect(await screen.shows("hello\r\ngot hello\r\n")).toBe(true);
      screen.type("\x04");
      expect(await screen.shows("end")).toBe(true);
      expect(await screen.ended(5000)).toEqual({ code: 0, signal: null });
    });
  });

  test("is ended by Ctrl-C", async () => {
    await passedProbe(shellPlan("echo ready; exec sleep 1000"), async ({ terminal }) => {
      const screen = terminal([]);
      await screen.shows("ready");
      screen.type("\x03");
      expect(await screen.ended(5000)).toEqual({ code: null, signal: "SIGINT" });
      expect(screen.death()).toBe("was ended by SIGINT: it was interrupted");
    });
  });

  test("has its end told with its status", async () => {
    await passedProbe(shellPlan("exit 7"), async ({ terminal }) => {
      const screen = terminal([]);
      expect(await screen.ended(5000)).toEqual({ code: 7, signal: null });
      expect(screen.death()).toBe("ended with status 7");
    });
  });

  test("is not waited for once it has ended", async () => {
    const report = await passedProbe(shellPlan("echo bye"), async ({ terminal }) => {
      expect(await terminal([]).shows("hello", 50_000)).toBe(false);
    });
    expect(report.durationMs).toBeLessThan(10_000);
  });

  test("gets the plan's environment, the mark and nothing of the grader's own", async () => {
    const plan = planFor("env", { env: { PATH: process.env.PATH, GREETING: "hello" } });
    await passedProbe(plan, async ({ terminal }) => {
      const screen = terminal([]);
      await screen.ended(5000);
      expect(await screen.shows("GREETING=hello")).toBe(true);
      const names = [...screen.screen.text().matchAll(/^(\w+)=/gm)].map(([, name]) => name!);
      const others = names.filter(
        (name) => !["PWD", "OLDPWD", "_", "SHLVL", "COLUMNS", "LINES"].includes(name),
      );
      expect(others.sort()).toEqual(["EXPSERVER_GRADING", "GREETING", "PATH", "TERM"]);
    });
  });

  test("shows in a report with how its screen began and ended", async () => {
    const evidence = await failedProbe(shellPlan("seq 1 100; exec sleep 1000"), async ({ terminal }) => {
      await terminal(["x"]).shows("100\r\n");
      assert(false, { summary: "no", expected: "", observed: "" });
    });
    const { command, death, output } = evidence.programs.at(-1)!;
    expect(command).toBe("tcp-server x (in a terminal)");
    expect(death).toBeUndefined();
    expect(output.split(/\r?\n/).slice(0, 6)).toEqual(["1", "2", "3", "4", "… 56 lines …", "61"]);
  });
});

describe("limits and clearing up hold in a terminal too:", () => {
  test("a program that eats memory is stopped", async () => {
    // Where no limit holds, it stops at 3 GiB.
    const eat =
      "const held = []; setInterval(() => held.length < 48 && held.push(Buffer.alloc(64 * 1024 * 1024, 1)), 5)";
    await passedProbe(nodePlan(eat), async ({ terminal }) => {
      const screen = terminal([]);
      expect(await screen.ended(30_000)).toEqual({ code: null, signal: "SIGKILL" });
      expect(screen.death()).toMatch(/^was stopped by the grader: it used \d+ MiB of memory/);
    });
  });

  test("a program that prints without end costs no more than 1 MiB", async () => {
    await passedProbe(planFor("yes"), async ({ terminal, waitFor }) => {
      const { screen } = terminal([]);
      expect(await waitFor(() => screen.total > 2 * 1024 * 1024, 20_000)).toBe(true);
      expect(screen.bytes().length).toBeLessThanOrEqual(1024 * 1024);
    });
  });

  test("a program that ignores what a closing terminal sends is gone", async () => {
    await passedProbe(
      shellPlan("trap '' HUP INT TERM; echo deaf; while :; do sleep 1; done"),
      async ({ terminal }) => {
        await terminal([]).shows("deaf");
      },
    );
  });

  test("a process that left the terminal's session is gone", async () => {
    const plan = shellPlan("setsid sh -c 'setsid sleep 1000 & echo left' ; exec sleep 1000");
    await passedProbe(plan, async ({ terminal, tree, waitFor }) => {
      await terminal([]).shows("left");
      expect(
        await waitFor(() => tree.alive().filter(({ name }) => name === "sleep").length === 2, 5000),
      ).toBe(true);
    });
  });
});
