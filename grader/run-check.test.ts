import { describe, expect, test } from "vitest";
import { check } from "./checks.ts";
import { GraderTrouble } from "./engine/context.ts";
import { assert } from "./engine/evidence.ts";
import { failedProbe, nodePlan, planFor, probe, processesWithMark, shellPlan } from "./engine/testing.ts";
import type { Outcome } from "./record.ts";
import { runCheck } from "./run-check.ts";

const nothing = async () => {};
const never = new AbortController().signal;
const wrong = { summary: "wrong", expected: "right", observed: "left" };

describe("the outcome of a check", () => {
  test("is pass when nothing is thrown", async () => {
    expect(await probe(planFor("true"), nothing)).toEqual({
      id: "probe",
      outcome: "pass",
      durationMs: expect.any(Number),
    });
  });

  test("is fail for what the program did, with steps, programs and transcript", async () => {
    const report = await probe(shellPlan("echo out; exit 3"), async ({ launch, step }) => {
      await launch(["x"]).ended(5000);
      step("looked");
      assert(false, wrong);
    });
    expect(report).toMatchObject({
      outcome: "fail",
      evidence: {
        ...wrong,
        sent: ["started tcp-server x", "looked"],
        programs: [{ command: "tcp-server x", death: "ended with status 3", output: "out" }],
      },
    });
    expect(report.transcript).toMatch(/--- started tcp-server x\n.*--- looked\n$/);
  });

  test("is skipped, with the reason, where the check does not apply", async () => {
    const report = await probe(planFor("true"), async ({ skip }) => skip("only on Sundays"));
    expect(report).toMatchObject({ outcome: "skipped", reason: "only on Sundays" });
  });

  test("is error for the grader's own trouble, in its own words", async () => {
    const report = await probe(planFor("true"), async () => {
      throw new GraderTrouble("no network");
    });
    expect(report).toMatchObject({ outcome: "error", reason: "no network" });
  });

  test("is error for a mistake in the check itself, with the place", async () => {
    const report = await probe(planFor("true"), async () => {
      (undefined as unknown as { missing(): void }).missing();
    });
    expect(report.outcome).toBe("error");
    expect(report.reason).toMatch(/^TypeError: .*\n\s+at .*run-check\.test\.ts/);
    expect(report.evidence).toBeUndefined();
  });

  test("is error for whatever else is thrown", async () => {
    const report = await probe(planFor("true"), () => Promise.reject("a text"));
    expect(report).toMatchObject({ outcome: "error", reason: "a text" });
  });

  test("is error when a port that the check needs is taken, and names the holder", async () => {
    const report = await probe(planFor("sleep 1000"), async ({ listen, start }) => {
      const { port } = await listen();
      await start({ ports: [port] });
    });
    expect(report.outcome).toBe("error");
    expect(report.reason).toMatch(
      new RegExp(
        `^port \\d+ is taken by node \\(process ${process.pid}\\)\\. End it, or grade with --isolate`,
      ),
    );
  });

  test("is fail when a client holds bytes that nobody asked for", async () => {
    const evidence = await failedProbe(planFor("true"), async ({ listen, connect, waitFor }) => {
      const listener = await listen({}, (peer) => peer.send("too much"));
      const client = await connect(listener);
      await waitFor(() => client.total === 8, 5000);
    });
    expect(evidence.summary).toBe("client 1: more bytes came than expected");
  });
});

describe("a program's own end comes first in the report:", () => {
  test("a crash", async () => {
    const evidence = await failedProbe(shellPlan("ulimit -c 0; kill -SEGV $$"), async ({ launch }) => {
      await launch([]).ended(5000);
      assert(false, wrong);
    });
    expect(evidence).toMatchObject({
      summary: "tcp-server was ended by SIGSEGV: it used memory that is not its own",
      observed: "wrong: left",
      expected: "right",
    });
  });

  test("an error that nobody caught", async () => {
    const evidence = await failedProbe(
      nodePlan('throw new TypeError("no such thing")'),
      async ({ launch }) => {
        await launch([]).ended(5000);
        assert(false, wrong);
      },
    );
    expect(evidence.summary).toBe(
      "tcp-server was ended by an error that nobody caught: TypeError: no such thing",
    );
  });

  test("but not one that the check itself brought about", async () => {
    const evidence = await failedProbe(planFor("sleep 1000"), async ({ launch }) => {
      const program = launch([]);
      program.kill("SIGTERM");
      await program.ended(5000);
      assert(false, wrong);
    });
    expect(evidence.summary).toBe("wrong");
    expect(evidence.programs[0]!.death).toBe("was ended by the SIGTERM that the check sent");
  });

  test("nor does that one hide another program's", async () => {
    const plan = shellPlan('ulimit -c 0; test "$1" = crash && kill -FPE $$; exec sleep 1000');
    const evidence = await failedProbe(plan, async ({ launch }) => {
      const first = launch(["stay"]);
      first.kill("SIGTERM");
      await first.ended(5000);
      await launch(["crash"]).ended(5000);
      assert(false, wrong);
    });
    expect(evidence.summary).toBe("tcp-server was ended by SIGFPE: it divided by zero");
  });
});

describe("what a check builds on:", () => {
  const outcomeAfter = async (outcome: Outcome | undefined) => {
    const made = check("probe", { title: "", points: 1, why: "" }, nothing);
    return runCheck(
      made,
      planFor("true"),
      [
        ["first", "pass"],
        ["second", outcome],
      ],
      false,
      never,
    );
  };

  test.each<[Outcome | undefined, Outcome]>([
    ["pass", "pass"],
    [undefined, "pass"], // it was not selected
    ["fail", "blocked"],
    ["blocked", "blocked"],
    ["skipped", "skipped"],
    ["error", "error"], // nor is what cannot be looked at the learner's fault
  ])("%s makes it %s", async (before, outcome) => {
    const report = await outcomeAfter(before);
    expect(report.outcome).toBe(outcome);
    if (outcome !== "pass") expect(report.reason).toContain("builds on the check second");
  });

  test("--bail leaves out what follows, and says so", async () => {
    const made = check("probe", { title: "", points: 1, why: "" }, nothing);
    expect(await runCheck(made, planFor("true"), [], true, never)).toMatchObject({
      outcome: "blocked",
      reason: "not run: --bail stops at the first failure",
    });
  });
});

describe("a check that goes on for ever", () => {
  test("is given up at its limit, and what it started is ended", async () => {
    const evidence = await failedProbe(
      planFor("sleep 1000"),
      async ({ launch }) => {
        launch([]);
        await new Promise(() => {});
      },
      { limitMs: 150 },
    );
    expect(evidence.expected).toBe("an end within 150 ms");
    expect(evidence.programs).toHaveLength(1);
  });

  test("can start nothing any more once it is given up", async () => {
    let afterwards: Promise<unknown>[] = [];
    const plan = planFor("sleep 1000");
    await failedProbe(
      plan,
      async ({ launch, terminal, start, listen, connect, runTool, freePort }) => {
        await new Promise((resolve) => setTimeout(resolve, 400));
        const attempts = [
          async () => launch([]),
          async () => terminal([]),
          () => start(),
          () => listen(),
          () => connect({ port: 1 }),
          () => runTool("sleep", ["1000"]),
          () => freePort(),
        ];
        afterwards = attempts.map((attempt) => attempt().catch((error: unknown) => error));
      },
      { limitMs: 50 },
    );
    while (afterwards.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await Promise.all(afterwards)).toEqual(
      Array.from({ length: 7 }, () => new GraderTrouble("the check is over")),
    );
    expect(processesWithMark(plan.mark)).toEqual([]);
  });
});

describe("an interruption", () => {
  test("ends a check at once, as the grader's trouble, and with it what it started", async () => {
    const abort = new AbortController();
    const begun = performance.now();
    const report = await probe(
      planFor("sleep 1000"),
      async ({ launch, start }) => {
        launch([]);
        setTimeout(() => abort.abort(), 50);
        await start();
      },
      { signal: abort.signal },
    );
    expect(report).toMatchObject({ outcome: "error", reason: "the grading was interrupted" });
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  test("keeps the checks that have not begun from beginning", async () => {
    let ran = false;
    const report = await probe(
      planFor("true"),
      async () => {
        ran = true;
      },
      { signal: AbortSignal.abort() },
    );
    expect(report).toMatchObject({ outcome: "error", reason: "the grading was interrupted" });
    expect(ran).toBe(false);
  });
});

test("two checks at once end their own programs only", async () => {
  const [one, other] = [planFor("sleep 1000"), planFor("sleep 1000")];
  const noted: { alive: number }[] = [];
  let firstIsOver = () => {};
  const over = new Promise<void>((resolve) => {
    firstIsOver = resolve;
  });
  const run = (plan: typeof one, body: Parameters<typeof check>[2]) =>
    runCheck(check("probe", { title: "", points: 1, why: "" }, body), plan, [], false, never);
  const second = run(other, async ({ launch, tree }) => {
    const program = launch([]);
    await over;
    noted.push({ alive: tree.alive().length });
    expect(program.exit).toBeUndefined();
  });
  await run(one, async ({ launch, waitFor }) => {
    launch([]);
    await waitFor(() => processesWithMark(other.mark).length > 0, 5000);
  });
  firstIsOver();
  expect(await second).toMatchObject({ outcome: "pass" });
  expect(noted).toEqual([{ alive: 1 }]);
  expect([...processesWithMark(one.mark), ...processesWithMark(other.mark)]).toEqual([]);
});
