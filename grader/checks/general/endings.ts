/** Ends of programs: expected, asked for, and what comes after. */
import { type Check, check } from "../../checks.ts";
import type { CheckContext, StartOptions } from "../../engine/context.ts";
import { assert, CheckFailure, count, describeMs } from "../../engine/evidence.ts";
import { describeExit, type Exit, type Program } from "../../engine/program.ts";
import type { RawPeer } from "../../engine/raw-peer.ts";
import { connectMany, exchange } from "./lines.ts";
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

/** Clients that are connected when a server is asked to end. */
const clientsAtTheEnd = 100;

/** SIGINT and SIGTERM are an orderly end: everything is given back, and the status is 0. */
export function endsCleanly(surroundings: Surroundings = nothingAround, overrides: Overrides = {}): Check {
  return check(
    "ends-cleanly",
    {
      title: `ends with status 0 on SIGINT and SIGTERM, with ${clientsAtTheEnd} clients connected`,
      points: 3,
      after: ["reverse-line"],
      why: "A server is stopped every time that it gets a new version. Status 0 tells whoever started it that nothing went wrong; and a server that still holds a socket, a timer or a signal's handler after its end does not end at all.",
      see: ["signal(7)", "exit(3)"],
      byHand: "npx expserver-course run PROGRAM; echo $?   (and Ctrl-C, with clients connected)",
      ...overrides,
    },
    async (context) => {
      const options = await surroundings(context);
      const ends = async (signal: NodeJS.Signals, number: number) => {
        const server = await context.start(options);
        const clients = await connectMany(context, server, number);
        // Some are in the midst of something: a line has begun, a stream has ended, a connection is broken.
        clients[0]!.send("half of a li");
        if (number > 1) clients.pop()!.reset();
        else clients.pop()!.close();
        context.step(`sent ${signal}`);
        server.kill(signal);
        const exit = await expectExit(server, 1000, `${signal}, with ${number} clients connected`);
        expectStatus(server, exit, [0], `after ${signal}`);
        expectNoStackTrace(server);
        for (const client of clients) {
          await client.expectEnd({ reset: true, why: "although the server has ended" });
          client.close();
        }
        return server;
      };
      const inTurn = context.plan.program.ports === "fixed";
      await inTurnOrTogether(
        [
          async () => {
            const { ports } = await ends("SIGINT", clientsAtTheEnd);
            // The server closed first: its connections are in TIME_WAIT now, and nobody else holds the ports.
            const next = await context.start({ ...options, ports });
            await exchange(await context.connect(next), "after an orderly end\n");
            if (inTurn) next.kill("SIGKILL");
          },
          async () => void (await ends("SIGTERM", clientsAtTheEnd)),
          async () => void (await ends("SIGINT", 1)),
        ],
        inTurn,
      );
    },
  );
}

/** Clients that keep a server busy. */
const busyClients = 8;
const busyLines = Buffer.from("0123456789 and so on\n".repeat(12_000));
/** Bytes that have come back to each of them before the load counts as full. */
const underWay = 256 * 1024;

/** Sends lines without a pause and takes the replies, so that the server has something to read at any time. */
async function keepBusy(clients: RawPeer[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    for (const client of clients) {
      for (let piece = 0; piece < 4 && client.receiveSome().length > 0; piece++);
      client.sendSome(busyLines.subarray(client.sent % busyLines.length));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Under full load a signal is heard as well as when nothing happens. */
export function endsUnderLoad(surroundings: Surroundings = nothingAround, overrides: Overrides = {}): Check {
  return check(
    "ends-under-load",
    {
      title: "ends within a second of SIGINT and SIGTERM while clients keep it busy",
      points: 2,
      after: ["ends-cleanly"],
      why: "There is always somebody with something to do. A loop that looks at signals only when nothing else is left to do never ends, and on the busiest day it has to be killed.",
      see: ["signal(7)"],
      byHand: "yes | nc 127.0.0.1 8001 > /dev/null   (in two terminals; then Ctrl-C)",
      ...overrides,
    },
    async (context) => {
      const options = await surroundings(context);
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        const server = await context.start(options);
        const clients: RawPeer[] = [];
        while (clients.length < busyClients) clients.push(await context.connectRaw(server));
        context.step(`${busyClients} clients send lines without a pause, and read the replies`);
        let isOver = false;
        const busy = keepBusy(clients, () => isOver || server.exit !== undefined);
        try {
          const served = () => clients.every(({ received }) => received >= underWay);
          assert(await context.waitFor(served, 10_000), {
            summary: `${server.name} does not serve ${busyClients} clients that send without a pause`,
            expected: `${count(underWay, "byte")} of replies for each`,
            observed: `${count(Math.min(...clients.map(({ received }) => received)), "byte")} for one of them`,
          });
          context.step(`sent ${signal}`);
          server.kill(signal);
          const exit = await expectExit(server, 1000, `${signal}, while clients keep it busy`);
          expectStatus(server, exit, [0], `after ${signal}`);
          expectNoStackTrace(server);
        } finally {
          isOver = true;
          await busy;
        }
      }
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
