/** Checks that hold for many programs, with the words that are the same everywhere. */
import { type Check, type CheckOptions, check } from "../checks.ts";
import { type CheckContext, GraderTrouble } from "../engine/context.ts";
import { assert, CheckFailure, count, describeMs, quote } from "../engine/evidence.ts";
import { openDescriptors, runQueueWait, tcpSockets, ticksPerSecond } from "../engine/proc.ts";
import { describeExit, type Exit, type Program } from "../engine/program.ts";
import type { TcpPeer } from "../engine/tcp-client.ts";

type Overrides = Partial<CheckOptions>;

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

/**
 * What a check sets up around the program before it starts, such as a proxy's upstream.
 * @returns arguments for the program behind its port
 */
export type Surroundings = (context: CheckContext) => Promise<string[]>;

const nothingAround: Surroundings = async () => [];

/** A server of the check's that reverses lines until its client ends sending; then it closes. */
export async function reverseLines(server: TcpPeer, received: Buffer[] = []): Promise<void> {
  for (;;) {
    const line = await server.readLine(60_000);
    if (line.length === 0) return server.end();
    received.push(line);
    server.send(reversed(line));
  }
}

/** Lets things happen while the program stands still, so that it meets them all at once when it goes on. */
export async function whileStopped(
  context: CheckContext,
  program: Program,
  happens: () => Promise<void>,
): Promise<void> {
  context.step(`stopped ${program.name} for a moment (SIGSTOP)`);
  program.kill("SIGSTOP");
  const stopped = () => context.tree.alive().every(({ state }) => state === "T");
  if (!(await context.waitFor(stopped, 5000)))
    throw new GraderTrouble(`${program.name} did not stop at SIGSTOP`);
  await happens();
  context.step(`let ${program.name} go on (SIGCONT)`);
  program.kill("SIGCONT");
}

const connectsAtOnce = 4;

/**
 * Lets many clients come, a few at the same time: more would overflow the queue in which connections wait
 * to be accepted, which may be as short as a program wants (`man 2 listen`); one at a time would take long
 * on a busy machine.
 * @param come what a client does, with its number from 0
 */
async function letCome(number: number, come: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < number) await come(next++);
  };
  await Promise.all(Array.from({ length: connectsAtOnce }, lane));
}

/** Connects many clients and has each one greeted. They are in the order of connecting. */
export async function connectMany(
  context: CheckContext,
  server: Program,
  number: number,
): Promise<TcpPeer[]> {
  const clients: TcpPeer[] = [];
  await letCome(number, async (index) => {
    const client = await context.connect(server);
    clients[index] = client;
    await exchange(client, `client ${index + 1} says hello\n`);
  });
  return clients;
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
      await server.printed(/\n/, 5000);
      assert(server.stdout.text() === line, {
        summary: "the line about listening is missing or not the only one",
        expected: quote(Buffer.from(line)),
        observed: quote(server.stdout.bytes(), 200),
      });
      const addresses = tcpSockets()
        .filter(({ listening, port }) => listening && port === server.port)
        .map(({ localHex }) => localHex);
      // All zeros are 0.0.0.0, and in an IPv6 socket ::, which takes IPv4 clients as well.
      assert(
        addresses.some((address) => /^0+$/.test(address)),
        {
          summary: "the line says 0.0.0.0, but the program listens on one address only",
          expected: `a socket that listens on 0.0.0.0:${server.port}`,
          observed: `local address ${addresses.join(", ")} in /proc/net/tcp (bytes in the machine's order)`,
        },
      );
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
 * @param begin starts the program, with the arguments that the surroundings ask for, and brings it to where it waits
 */
export function endsOnSignal(
  begin: ((context: CheckContext, args: string[]) => Promise<Program>)[],
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
      const args = await surroundings(context);
      const ends = async (signal: NodeJS.Signals, each: (typeof begin)[number]) => {
        const program = await each(context, args);
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
      const args = await surroundings(context);
      const first = await context.start({ args });
      const client = await context.connect(first);
      await exchange(client, "before the end\n");
      context.step("killed the server while the connection was open");
      first.kill("SIGKILL");
      await expectExit(first, 5000, "SIGKILL");
      await client.expectEnd({ reset: true });
      // The client's own end closes now, and the server's side stays behind in TIME_WAIT.
      client.close();
      const second = await context.start({ port: first.port, args });
      await exchange(await context.connect(second), "after the restart\n");
    },
  );
}

/** Open descriptors of all processes of the check's program. */
export function countDescriptors({ tree }: CheckContext): number {
  return tree.alive().reduce((sum, { pid }) => sum + openDescriptors(pid).length, 0);
}

/**
 * Fails when descriptors of clients that have left stay open.
 * @param limit a count that includes one connected client: without it, fewer must be open
 * @param situation `after 1,000 clients`
 */
export async function expectDescriptorsBelow(
  context: CheckContext,
  program: Program,
  limit: number,
  situation: string,
): Promise<void> {
  const returned = await context.waitFor(() => countDescriptors(context) < limit, 5000);
  assert(returned, {
    summary: `${program.name} keeps descriptors of clients that have left`,
    expected: `fewer than ${count(limit, "open descriptor")}: so many there were while one client was connected`,
    observed: `${count(countDescriptors(context), "open descriptor")} ${situation}`,
  });
}

/** Has one client served, and counts the program's descriptors while it is connected. */
export async function descriptorsWithOneClient(context: CheckContext, server: Program): Promise<number> {
  const client = await context.connect(server);
  await exchange(client, "the only one\n");
  const open = countDescriptors(context);
  client.close();
  return open;
}

/** A thousand clients leave no descriptor behind. */
export function returnsDescriptors(
  surroundings: Surroundings = nothingAround,
  overrides: Overrides & { id?: string } = {},
): Check {
  const { id = "descriptors", ...others } = overrides;
  return check(
    id,
    {
      title: "closes every client's descriptor (1,000 connects)",
      points: 3,
      after: ["reverse-line"],
      why: "Each accepted connection is a descriptor, and a process has a limited number of them (often 1,024). A server that forgets to close them serves for a day and then no more.",
      see: ["close(2)", "getrlimit(2)"],
      byHand: 'ls -l /proc/"$(pgrep -n node)"/fd   (before and after some clients have come and gone)',
      ...others,
    },
    async (context) => {
      const server = await context.start({ args: await surroundings(context) });
      const withOne = await descriptorsWithOneClient(context, server);
      await letCome(1000, async (index) => {
        const client = await context.connect(server);
        await exchange(client, `client ${index} was here\n`);
        // Some only end sending, and wait for the server to close too.
        if (index % 10 === 0) {
          client.end();
          await client.expectEnd({ why: "although its client has ended sending" });
        }
        client.close();
      });
      await expectDescriptorsBelow(context, server, withOne, "after 1,000 clients have left");
    },
  );
}

/** Clients that break their connections harm nobody else. */
export function survivesResets(): Check {
  return check(
    "resets",
    {
      title: "survives 20 clients that reset in mid-exchange",
      points: 2,
      after: ["two-clients"],
      why: "A client that crashes or loses patience resets its connection, and recv or send on it fails with ECONNRESET or EPIPE. That ends this one connection: no other may notice.",
      see: ["recv(2)", "send(2)", "epoll_ctl(2)"],
    },
    async (context) => {
      const server = await context.start();
      const withOne = await descriptorsWithOneClient(context, server);
      const witness = await context.connect(server);
      await exchange(witness, "I stay\n");
      const leave = [
        // before the server may even have accepted it
        async (client: TcpPeer) => client.reset(),
        // while the server waits for its next message
        async (client: TcpPeer) => {
          await exchange(client, "one turn\n");
          client.reset();
        },
        // while its message is being answered
        async (client: TcpPeer) =>
          whileStopped(context, server, async () => {
            client.send("nobody will read the answer\n");
            await client.drained();
            client.reset();
          }),
        // with answers on the way that it has not read
        async (client: TcpPeer) => {
          client.pause();
          for (let line = 0; line < 10; line++) client.send(`${context.random.word(5000)}\n`);
          client.reset();
        },
      ];
      for (let round = 0; round < 20; round++) {
        await leave[round % leave.length]!(await context.connect(server));
        await exchange(witness, `I am here in round ${round}\n`);
      }
      await exchange(await context.connect(server), "I am new\n");
      // Two are connected now, the witness and the newcomer: one more than when the limit was counted.
      await expectDescriptorsBelow(
        context,
        server,
        withOne + 2,
        "after 20 resets, with two clients connected",
      );
      expectNoStackTrace(server);
    },
  );
}

/** The longest that a program may compute in a second of idleness. */
const idleShare = 0.05;
/** A program may still have had something to do in the first second, and in the second one too on a busy machine. */
const idleAttempts = 3;

/**
 * Seconds for which the check's programs have computed so far, or wanted to: on a busy machine one that
 * spins gets little of a processor, and stands in the run queue for the rest of the time.
 */
function busySeconds({ tree }: CheckContext): number {
  return tree
    .alive()
    .reduce((sum, { pid, cpuTicks }) => sum + cpuTicks / ticksPerSecond + runQueueWait(pid) / 1e9, 0);
}

/** The share of a second for which the check's programs are busy: the lowest of some seconds. */
async function idleBusyShare(context: CheckContext): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < idleAttempts && lowest >= idleShare; attempt++) {
    const begin = performance.now();
    const before = busySeconds(context);
    await context.waitFor(() => performance.now() - begin >= 1000, 2000, 1000);
    const share = ((busySeconds(context) - before) * 1000) / (performance.now() - begin);
    lowest = Math.min(lowest, share);
  }
  return lowest;
}

/** A way to be idle: who is connected and says nothing. */
export type IdleSituation = {
  /** How it stands, as a clause: `50 clients are connected and silent`. */
  when: string;
  arrange: (context: CheckContext, server: Program) => Promise<void>;
};

/** What every server should sleep through. */
export const idleSituations: IdleSituation[] = [
  {
    when: "50 clients are connected and silent",
    async arrange(context, server) {
      await connectMany(context, server, 50);
    },
  },
  {
    when: "3 clients have left",
    async arrange(context, server) {
      const [closing, ending, resetting] = await connectMany(context, server, 3);
      closing!.close();
      ending!.end();
      resetting!.reset();
    },
  },
];

/**
 * Clients that say nothing cost nothing. All situations are arranged at once; only when the program
 * computes in them, each is tried alone to name the one.
 */
export function sleepsWhenIdle(
  surroundings: Surroundings = nothingAround,
  situations = idleSituations,
  overrides: Overrides = {},
): Check {
  return check(
    "idle-cpu",
    {
      title: "sleeps while 50 clients are idle",
      points: 2,
      after: ["two-clients"],
      why: "A loop that asks again and again, or that is woken by an event it never deals with, keeps a processor at 100 % for nothing. The end of a stream and a broken connection stay ready for ever: they must leave the set.",
      see: ["epoll_wait(2)", "epoll(7)"],
      byHand: "top   (with some clients connected that say nothing)",
      ...overrides,
    },
    async (context) => {
      const args = await surroundings(context);
      const computes = async (arranged: IdleSituation[]): Promise<number> => {
        const server = await context.start({ args });
        for (const { arrange } of arranged) await arrange(context, server);
        const share = await idleBusyShare(context);
        server.kill("SIGKILL");
        await expectExit(server, 5000, "SIGKILL");
        return share;
      };
      const share = await computes(situations);
      if (share < idleShare) return;
      const shares = new Map<string, number>();
      for (const situation of situations) shares.set(situation.when, await computes([situation]));
      const guilty = [...shares].filter(([, each]) => each >= idleShare);
      throw new CheckFailure({
        summary: `${context.plan.programName} computes while nothing happens`,
        expected: `computing for less than ${idleShare * 100} % of a second`,
        observed:
          guilty.length === 0
            ? `${Math.round(share * 100)} % while ${situations.map(({ when }) => when).join(" and ")}`
            : guilty.map(([when, each]) => `${Math.round(each * 100)} % while ${when}`).join("\n"),
      });
    },
  );
}
