/** Checks that hold for many programs, with the words that are the same everywhere. */
import { type Check, type CheckOptions, check } from "../checks.ts";
import type { CheckContext } from "../engine/context.ts";
import { assert, CheckFailure, count, describeMs, quote } from "../engine/evidence.ts";
import { openDescriptors, readProcess, ticksPerSecond } from "../engine/proc.ts";
import { describeExit, type Exit, type Program } from "../engine/program.ts";
import type { TcpPeer } from "../engine/tcp-client.ts";

type Overrides = Partial<CheckOptions>;

/** The message of an error that nobody caught, as Node prints it above a stack trace. */
function uncaughtError(program: Program): string | undefined {
  const lines = program.stderr.text().split("\n");
  const trace = lines.findIndex((line) => /^\s+at .*(:\d+:\d+\)?|\(native\)|<anonymous>\)?)$/.test(line));
  if (trace === -1) return undefined;
  return (
    lines.slice(0, trace).findLast((line) => /^\S.*(Error|Exception)\b.*:/.test(line)) ??
    "an error without a message"
  );
}

/** Fails when the program left with a stack trace. */
export function expectNoStackTrace(program: Program): void {
  const message = uncaughtError(program);
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

/** The bytes of a message in reverse order; a final line end stays last. */
export function reversed(message: string | Uint8Array): Buffer {
  const bytes = Buffer.from(message as string);
  const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  return Buffer.concat([bytes.subarray(0, end).reverse(), bytes.subarray(end)]);
}

/** Sends one message and waits for its reversal. */
export async function exchange(
  client: TcpPeer,
  message: string | Uint8Array,
  withinMs?: number,
): Promise<void> {
  const expected = reversed(message);
  client.expectNothing(); // surplus of the reply before would else look like a wrong reply to this
  client.send(message);
  await client.expect(expected, { withinMs });
}

/** The program can be built. */
export function builds(programName: string): Check {
  return check(
    "builds",
    {
      title: `${programName} builds`,
      points: 1,
      why: "A program that does not build cannot run; all other checks need it.",
    },
    async ({ plan }) => {
      assert(plan.program.ok, {
        summary: `${programName} cannot be built`,
        expected: "no errors from the compiler",
        observed: plan.program.log ?? "the build failed without a word",
      });
    },
  );
}

/** Neither the program nor a package it uses leaves the network to Node. */
export function onlySystemCalls(): Check {
  return check(
    "only-system-calls",
    {
      title: "uses only Linux system calls for the network",
      points: 1,
      after: ["builds"],
      why: "The course is about what lies below node:net and its kin; a program that calls them would have nothing of its own to learn from.",
      see: ["docs/reference/linux.md"],
    },
    async ({ plan, skip }) => {
      if (plan.program.language === "other") skip("only TypeScript programs are searched for imports");
      const found = plan.program.forbiddenImports;
      assert(found.length === 0, {
        summary: `${found[0]?.importer} imports ${found[0]?.module}`,
        expected: "network calls from expserver-course/linux only",
        observed: found.map(({ importer, module }) => `${importer} imports ${module}`).join("\n"),
      });
    },
  );
}

/** One line tells where the server listens. */
export function announces(): Check {
  return check(
    "announces",
    {
      title: "prints one line: listening on 0.0.0.0:PORT",
      points: 1,
      after: ["builds"],
      why: "Whoever starts a server wants to know that it is ready, and where. A line that stays in a buffer of the program's tells nobody.",
      see: ["write(2)"],
    },
    async ({ start }) => {
      const server = await start();
      const line = `listening on 0.0.0.0:${server.port}\n`;
      await server.printed(line, 5000);
      assert(server.stdout.text() === line, {
        summary: "the line about listening is missing or not the only one",
        expected: quote(Buffer.from(line)),
        observed: quote(server.stdout.bytes(), 200),
      });
    },
  );
}

/** A port that somebody else holds is told in one sentence. */
export function portTaken(): Check {
  return check(
    "port-taken",
    {
      title: "says so when the port is taken",
      points: 1,
      after: ["builds"],
      why: "bind(2) fails with EADDRINUSE when another program listens on the port. A person who starts a server twice should read which address is taken, not a stack trace.",
      see: ["bind(2)"],
    },
    async ({ listen, launch, plan }) => {
      const fixed = plan.program.ports === "fixed";
      const other = await listen({ host: "0.0.0.0", port: fixed ? plan.fixedPorts[0] : undefined });
      const program = launch(fixed ? [] : [String(other.port)]);
      const exit = await expectExit(program, 5000, `it was started on port ${other.port}, which is taken`);
      expectStatus(program, exit, [1], "when its port was taken");
      expectNoStackTrace(program);
      assert(program.stderr.text().includes(String(other.port)), {
        summary: "the message does not name the port that is taken",
        expected: `a sentence on stderr that names port ${other.port}`,
        observed: program.stderr.text().trim() || "nothing on stderr",
      });
    },
  );
}

/**
 * Arguments that make no sense are refused.
 * @param wrong lists of arguments; `%` stands for a free port
 */
export function usage(wrong: { args: string[]; names: string }[]): Check {
  return check(
    "usage",
    {
      title: "refuses a wrong argument in one sentence",
      points: 1,
      after: ["builds"],
      why: "A mistyped argument that is taken for something else starts the wrong thing. Status 2 is what programs give for wrong usage.",
      see: ["exit(3)"],
    },
    async ({ launch, plan, skip }) => {
      if (plan.program.ports === "fixed") skip("course.json says that the programs take no arguments");
      const refuses = async ({ args, names }: { args: string[]; names: string }) => {
        const program = launch(args);
        const exit = await expectExit(program, 5000, `it was started with the wrong argument "${names}"`);
        expectStatus(program, exit, [2], `when its argument was "${names}"`);
        expectNoStackTrace(program);
        assert(program.stderr.text().includes(names), {
          summary: `the message does not name the wrong argument "${names}"`,
          expected: `a sentence on stderr that names "${names}"`,
          observed: program.stderr.text().trim() || "nothing on stderr",
        });
      };
      await inTurnOrTogether(wrong.map((each) => () => refuses(each)));
    },
  );
}

/**
 * SIGTERM and SIGINT end the program.
 * @param begin starts the program and brings it to where it waits
 */
export function endsOnSignal(
  begin: ((context: CheckContext) => Promise<Program>)[],
  overrides: Overrides = {},
): Check {
  return check(
    "ends-on-signal",
    {
      title: "ends on SIGTERM and SIGINT",
      points: 1,
      after: ["builds"],
      why: "Ctrl-C sends SIGINT, a service manager SIGTERM. Both end a program unless it says otherwise; a JavaScript handler never runs while a system call blocks the thread, so registering one makes the program deaf.",
      see: ["signal(7)"],
      ...overrides,
    },
    async (context) => {
      const ends = async (signal: NodeJS.Signals, each: (typeof begin)[number]) => {
        const program = await each(context);
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
export function restarts(): Check {
  return check(
    "restarts",
    {
      title: "starts again at once on the same port",
      points: 2,
      after: ["reverse-line"],
      why: "The side that closes a connection first keeps its port in TIME_WAIT for a minute. Without SO_REUSEADDR bind(2) refuses the port for that long, and a crashed server cannot come back.",
      see: ["socket(7)", "docs/guides/tcp-is-a-byte-stream.md"],
    },
    async (context) => {
      const first = await context.start();
      const client = await context.connect(first);
      await exchange(client, "before the end\n");
      context.step("killed the server while the connection was open");
      first.kill("SIGKILL");
      await expectExit(first, 5000, "SIGKILL");
      await client.expectEnd({ reset: true });
      // The client's own end closes now, and the server's side stays behind in TIME_WAIT.
      client.close();
      const second = await context.start({ port: first.port });
      await exchange(await context.connect(second), "after the restart\n");
    },
  );
}

/**
 * A thousand clients leave no descriptor behind.
 * @param talk one client's whole life
 */
export function returnsDescriptors(
  talk: (context: CheckContext, server: Program) => Promise<void>,
  begin: (context: CheckContext) => Promise<Program>,
  overrides: Overrides = {},
): Check {
  return check(
    "descriptors",
    {
      title: "closes every client's descriptor (1,000 connects)",
      points: 3,
      after: ["reverse-line"],
      why: "Each accepted connection is a descriptor, and a process has a limited number of them (often 1,024). A server that forgets to close them serves for a day and then no more.",
      see: ["close(2)", "getrlimit(2)"],
      ...overrides,
    },
    async (context) => {
      const server = await begin(context);
      const open = () => openDescriptors(server.pid).length;
      await talk(context, server);
      await context.waitFor(() => false, 50);
      const before = open();
      for (let round = 0; round < 1000; round++) await talk(context, server);
      const returned = await context.waitFor(() => open() <= before, 5000);
      assert(returned, {
        summary: `${server.name} keeps descriptors of clients that have left`,
        expected: `${count(before, "open descriptor")}, as before the 1,000 clients`,
        observed: `${count(open(), "open descriptor")} after all have left`,
      });
    },
  );
}

/** The longest that a program may compute in a second of idleness. */
const idleShare = 0.05;

/**
 * CPU time that a program used over a time, as a share of one processor.
 * @param ms how long to look
 */
async function cpuShare(context: CheckContext, pid: number, ms: number): Promise<number> {
  const begin = { at: performance.now(), ticks: readProcess(pid)?.cpuTicks ?? 0 };
  await context.waitFor(() => performance.now() - begin.at >= ms, ms * 2, ms);
  const seconds = (performance.now() - begin.at) / 1000;
  return ((readProcess(pid)?.cpuTicks ?? 0) - begin.ticks) / ticksPerSecond / seconds;
}

/**
 * Clients that say nothing cost nothing.
 * @param begin starts the program with 50 idle clients
 */
export function sleepsWhenIdle(
  begin: (context: CheckContext) => Promise<Program>,
  overrides: Overrides = {},
): Check {
  return check(
    "idle-cpu",
    {
      title: "sleeps while 50 clients are idle",
      points: 2,
      after: ["reverse-line"],
      why: "A loop that asks again and again instead of sleeping in epoll_wait keeps a processor at 100 % for nothing; nothing in between exists: a loop sleeps or it spins.",
      see: ["epoll_wait(2)"],
      ...overrides,
    },
    async (context) => {
      const server = await begin(context);
      // What it still had to do after the last exchange must not count: the first calm 200 ms end that.
      await context.waitFor(() => readProcess(server.pid)?.state === "S", 2000, 20);
      const share = await cpuShare(context, server.pid, 1000);
      assert(share < idleShare, {
        summary: `${server.name} computes while nothing happens`,
        expected: `less than ${idleShare * 100} % of a processor over one second`,
        observed: `${Math.round(share * 100)} %`,
      });
    },
  );
}
