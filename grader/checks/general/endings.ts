/** Ends of programs: expected, asked for, and what comes after. */
import { type Check, check } from "../../checks.ts";
import type { CheckContext, StartOptions } from "../../engine/context.ts";
import { assert, CheckFailure, describeMs } from "../../engine/evidence.ts";
import { describeExit, type Exit, type Program } from "../../engine/program.ts";
import { exchange } from "./lines.ts";
import { nothingAround, type Overrides, type Surroundings } from "./surroundings.ts";

/** Fails when the program left with a stack trace. */
export function expectNoStackTrace(program: Program): void {
  const message = program.uncaughtError();
  assert(message === undefined, {
    summary: `${program.name} was ended by an error that nobody caught: ${message}`,
    expected: "an error that is caught and told in one sentence",
    observed: program.stderr.text().trim().split("\n").slice(0, 6).join("\n"),
  });
}

/**
 * Waits for the program's end.
 * @param because the event after which it should end, for the text
 */
export async function expectExit(program: Program, withinMs: number, because: string): Promise<Exit> {
  const exit = await program.ended(withinMs);
  if (exit !== undefined) return exit;
  throw new CheckFailure({
    summary: `${program.name} still runs ${describeMs(withinMs)} after ${because}`,
    expected: "its end",
    observed: "the program still runs",
  });
}

/** Fails unless the program ended with one of these statuses. */
export function expectStatus(program: Program, exit: Exit, statuses: number[], situation: string): void {
  assert(exit.signal === null && statuses.includes(exit.code!), {
    summary: `${program.name} ended in another way than expected ${situation}`,
    expected: `exit status ${statuses.join(" or ")}`,
    observed: `the program ${describeExit(exit)}`,
  });
}

/**
 * Runs independent parts of a check side by side, which saves the time that programs take to start;
 * one after the other where all of them need the same port.
 */
export async function inTurnOrTogether(parts: (() => Promise<void>)[], inTurn = false): Promise<void> {
  if (!inTurn) {
    await Promise.all(parts.map((part) => part()));
    return;
  }
  for (const part of parts) await part();
}

/**
 * SIGTERM and SIGINT end the program.
 * @param begin starts the program, as the surroundings ask for, and brings it to where it waits
 */
export function endsOnSignal(
  begin: ((context: CheckContext, options: StartOptions) => Promise<Program>)[],
  overrides: Overrides = {},
  surroundings: Surroundings = nothingAround,
): Check {
  return check(
    "ends-on-signal",
    {
      title: "ends on SIGTERM and SIGINT",
      points: 1,
      after: ["reverse-line"],
      why: "Ctrl-C sends SIGINT, a service manager SIGTERM. Both end a program unless it says otherwise; a JavaScript handler never runs while a system call blocks the thread, so registering one makes the program deaf.",
      see: ["signal(7)"],
      ...overrides,
    },
    async (context) => {
      const options = await surroundings(context);
      const ends = async (signal: NodeJS.Signals, each: (typeof begin)[number]) => {
        const program = await each(context, options);
        context.step(`sent ${signal}`);
        program.kill(signal);
        await expectExit(program, 1000, signal);
      };
      const situations = begin.flatMap((each) => [() => ends("SIGTERM", each), () => ends("SIGINT", each)]);
      await inTurnOrTogether(situations, context.plan.program.ports === "fixed");
    },
  );
}

/** A port can be used again at once, although a connection of the killed predecessor was open. */
export function restarts(surroundings: Surroundings = nothingAround, overrides: Overrides = {}): Check {
  return check(
    "restarts",
    {
      title: "starts again at once on the same port",
      points: 2,
      after: ["reverse-line"],
      why: "The side that closes a connection first keeps its port in TIME_WAIT for a minute. Without SO_REUSEADDR bind(2) refuses the port for that long, and a crashed server cannot come back.",
      see: ["socket(7)", "docs/guides/tcp-is-a-byte-stream.md"],
      ...overrides,
    },
    async (context) => {
      const options = await surroundings(context);
      const first = await context.start(options);
      const client = await context.connect(first);
      await exchange(client, "before the end\n");
      context.step("killed the server while the connection was open");
      first.kill("SIGKILL");
      await expectExit(first, 5000, "SIGKILL");
      await client.expectEnd({ reset: true });
      // The client's own end closes now, and the server's side stays behind in TIME_WAIT.
      client.close();
      const second = await context.start({ ...options, ports: first.ports });
      await exchange(await context.connect(second), "after the restart\n");
    },
  );
}
