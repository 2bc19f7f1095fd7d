/** An upstream that does not answer: its queue is full, and the kernel drops what asks for a connection. */
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, CheckFailure, describeBytes, describeMs } from "../../engine/evidence.ts";
import type { Program } from "../../engine/program.ts";
import type { RawListener } from "../../engine/raw-listener.ts";
import type { RawPeer } from "../../engine/raw-peer.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { countDescriptors } from "./descriptors.ts";
import { expectExit, expectNoStackTrace, expectStatus } from "./endings.ts";
import { exchange } from "./lines.ts";
import { type UpstreamArguments, upstreamPort } from "./proxy.ts";
import type { Overrides } from "./surroundings.ts";

/** How long the program tries to connect, in milliseconds. */
const connectTimeoutMs = 3000;
/** No client is turned away before; the time that the kernel takes to ask a third time is no reason to give up. */
const earliestMs = 2000;
/** How long a client of another port may wait for its reply meanwhile. */
const replyWithinMs = 500;

/** The program and an upstream that does not answer it. */
type Silence = { server: Program; upstream: RawListener };

async function startSilence(context: CheckContext, upstreamArgs: UpstreamArguments): Promise<Silence> {
  const upstream = await context.listenRaw({ port: await upstreamPort(context) });
  if (!(await upstream.fill()))
    context.skip("this kernel takes more connections into a queue than the queue's limit");
  const server = await context.start({ args: upstreamArgs(`127.0.0.1:${upstream.port}`) });
  return { server, upstream };
}

/** Waits until the program has asked for so many connections. */
async function expectAsking(
  context: CheckContext,
  { server, upstream }: Silence,
  clients: number,
): Promise<void> {
  const asked = await context.waitFor(() => upstream.waiting() >= clients, 5000);
  assert(asked, {
    summary: `${server.name} does not ask its upstream for a connection`,
    expected: `a connect to 127.0.0.1:${upstream.port} for each client that has come`,
    observed: `${clients} clients have come, and ${upstream.waiting()} connects are waiting for an answer`,
  });
}

/** Has clients of the other ports served, again and again, until `isOver`. */
async function expectOthersServed(
  context: CheckContext,
  { ports }: Program,
  isOver: () => boolean,
): Promise<void> {
  const others = await Promise.all(ports.slice(1).map((port) => context.connect({ port })));
  for (let turn = 0; turn === 0 || !isOver(); turn++) {
    for (const other of others) {
      await exchange(other, `others in turn ${turn}\n`, replyWithinMs).catch((error: unknown) => {
        if (!(error instanceof CheckFailure)) throw error;
        throw new CheckFailure({
          ...error.evidence,
          summary: "another port is not served while an upstream does not answer",
          observed: `${error.evidence.observed}; a connect that waits stops everybody`,
        });
      });
    }
    await context.waitFor(isOver, 100);
  }
}

/** Fails unless the client is turned away when the time is over, and not before. */
async function expectTurnedAway(client: TcpPeer, elapsedMs: () => number): Promise<void> {
  await client.expectEnd({
    withinMs: connectTimeoutMs + 2000,
    reset: true,
    why: `although its upstream has not answered for more than ${describeMs(connectTimeoutMs)}`,
  });
  assert(elapsedMs() > earliestMs, {
    summary: "the client is turned away before the upstream had its time to answer",
    expected: `that the program waits ${describeMs(connectTimeoutMs)} for an answer of the upstream`,
    observed: `the client was closed after ${describeMs(elapsedMs())}; -EINPROGRESS is no failure, and no answer yet is none either`,
  });
}

/** The program serves others, gives up in time, and lets go of what belongs to clients that did not wait. */
export function givesUpSilentUpstream(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "silent-upstream",
    {
      title: "gives an upstream that does not answer 3 s, and serves the other ports meanwhile",
      points: 5,
      after: ["relays", "reverse-line"],
      waits: true,
      why: "A machine that is switched off or overloaded answers nothing, and connect asks again and again, for two minutes. On a non-blocking socket it returns at once with EINPROGRESS, and the loop goes on; how long to wait is for the program to decide.",
      see: ["connect(2)", "epoll_wait(2)", "docs/guides/blocking-and-non-blocking-io.md"],
      byHand: "silent.mjs of the lesson as the upstream, and: time nc 127.0.0.1 8001",
      ...overrides,
    },
    async (context) => {
      const silence = await startSilence(context, upstreamArgs);
      const { server } = silence;
      const before = countDescriptors(context);
      const begin = performance.now();
      const waiting = await context.connect(server);
      waiting.send("is anybody there?\n");
      const leaving: TcpPeer[] = [];
      for (let number = 0; number < 9; number++) leaving.push(await context.connect(server));
      await expectAsking(context, silence, 1 + leaving.length);
      for (const [index, client] of leaving.entries()) {
        if (index % 3 === 0) client.reset();
        else if (index % 3 === 1) client.close();
        else client.end();
      }
      let over = 0;
      const turnedAway = expectTurnedAway(waiting, () => performance.now() - begin).finally(() => over++);
      await Promise.all([turnedAway, expectOthersServed(context, server, () => over > 0)]);
      for (const client of [waiting, ...leaving]) client.close();
      // The clients of the other ports are still there, and the program may have opened something for itself.
      const limit = before + server.ports.length;
      const returned = await context.waitFor(() => countDescriptors(context) <= limit, 5000);
      assert(returned, {
        summary: `${server.name} keeps descriptors of clients, or of connects for them, that are over`,
        expected: `at most ${limit} open descriptors: ${before} before, and those of the other ports' clients`,
        observed: `${countDescriptors(context)} open descriptors`,
      });
      expectNoStackTrace(server);
    },
  );
}

/**
 * Takes the connection of a client that has something to say. Before it there may be one for a client that has left
 * meanwhile: that one has to end by itself, without a byte.
 */
async function acceptFirst(
  listener: RawListener,
  length: number,
): Promise<{ upstream: RawPeer; arrived: Buffer }> {
  for (let isFirst = true; ; isFirst = false) {
    const upstream = await listener.accept();
    const received: Buffer[] = [];
    // One more than there is: it gets to the end of the stream.
    await upstream.receive(length + 1, (bytes) => void received.push(Buffer.from(bytes)), 5000);
    assert(upstream.over || received.length > 0, {
      summary: "a connection to the upstream stays open for a client that has left",
      expected: "its end: the client reset its connection before the upstream was there",
      observed: "the connection is open, and nothing comes on it",
    });
    if (!isFirst || received.length > 0) return { upstream, arrived: Buffer.concat(received) };
  }
}

/** What a client sends before the upstream is there is not lost, and neither is its end. */
export function waitsForSlowUpstream(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "late-upstream",
    {
      title: "keeps what a client sends before the upstream is there",
      points: 2,
      after: ["relays"],
      waits: true,
      why: "Clients do not wait until a proxy has its connection: their first request comes at once, and perhaps its end. It must neither be thrown away nor be taken for a client that has left.",
      see: ["connect(2)", "recv(2)"],
      ...overrides,
    },
    async (context) => {
      const silence = await startSilence(context, upstreamArgs);
      const gone = await context.connect(silence.server);
      const client = await context.connect(silence.server);
      const request = context.random.bytes(200_000);
      client.send(request);
      client.end();
      await expectAsking(context, silence, 2);
      gone.reset();
      silence.upstream.admit();
      const { upstream, arrived } = await acceptFirst(silence.upstream, request.length);
      assert(arrived.equals(request) && upstream.ended, {
        summary: "what the client sent before the upstream was there did not arrive as it was",
        expected: `${describeBytes(request)}, then the end of the stream`,
        observed: `${describeBytes(arrived)}, ${upstream.ended ? "then the end" : upstream.broken === undefined ? "and no end" : `then ${upstream.broken}`}`,
      });
      const reply = Buffer.from("I am here now\n");
      upstream.sendSome(reply);
      upstream.end();
      await client.expect(reply);
      await client.expectEnd({ why: "although both sides have ended sending" });
      const given = await context.waitFor(() => silence.upstream.waiting() === 0, 5000);
      assert(given, {
        summary: "a connection to the upstream stays open for a client that has left",
        expected:
          "none: one client reset its connection before the upstream was there, the other one's is over",
        observed: `${silence.upstream.waiting()} of the program's connections to 127.0.0.1:${silence.upstream.port} are open`,
      });
    },
  );
}

/** A connect that is under way does not keep a program from ending. */
export function endsWhileConnecting(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "ends-while-connecting",
    {
      title: "ends at once while it waits for an upstream",
      points: 1,
      after: ["relays"],
      why: "Whoever stops a server does not want to wait for somebody who does not answer. What was begun is given up, and its timers with it.",
      see: ["signal(7)", "close(2)"],
      ...overrides,
    },
    async (context) => {
      const silence = await startSilence(context, upstreamArgs);
      const { server } = silence;
      await context.connect(server);
      await expectAsking(context, silence, 1);
      context.step("sent SIGTERM");
      server.kill("SIGTERM");
      const exit = await expectExit(server, 1000, "SIGTERM, while a connect was under way");
      expectStatus(server, exit, [0], "after SIGTERM");
      expectNoStackTrace(server);
    },
  );
}
