import { createServer } from "node:http";
import { type Check, check } from "../checks.ts";
import type { CheckContext, StartOptions } from "../engine/context.ts";
import { assert, CheckFailure, count, describeBytes, renderDifference } from "../engine/evidence.ts";
import type { Program } from "../engine/program.ts";
import type { TcpPeer } from "../engine/tcp-client.ts";
import type { TcpListener } from "../engine/tcp-listener.ts";
import { findTool } from "../engine/tool.ts";
import { countDescriptors, expectDescriptorsBelow, returnsDescriptors } from "./general/descriptors.ts";
import { endsOnSignal, expectNoStackTrace, restarts } from "./general/endings.ts";
import { type IdleSituation, idleSituations, sleepsWhenIdle } from "./general/idle.ts";
import { connectMany, exchange, reversed } from "./general/lines.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";
import { whileStopped } from "./general/surroundings.ts";

const MiB = 1024 * 1024;
const byHand =
  "python3 -m http.server 3000 & npx expserver-course run tcp-proxy & curl -v http://127.0.0.1:8080/";

/** The program between a client of the check and a server of the check. */
type Proxy = { server: Program; upstream: TcpListener };

/** The two ends that a proxy joins. */
type Pair = { client: TcpPeer; upstream: TcpPeer };

/** The port on which the program expects its upstream; a program without arguments has its own idea. */
function upstreamPort({ plan, freePort }: CheckContext): Promise<number> | number {
  return plan.program.ports === "fixed" ? 3000 : freePort();
}

/** Starts the program with an upstream whose connections the check speaks on by itself. */
async function startProxy(context: CheckContext, onConnection?: (peer: TcpPeer) => void): Promise<Proxy> {
  const upstream = await context.listen({ port: await upstreamPort(context) }, onConnection);
  const server = await context.start({ args: [`127.0.0.1:${upstream.port}`] });
  return { server, upstream };
}

/** Connects a client and takes the connection that the program opens for it. */
async function openPair(context: CheckContext, { server, upstream }: Proxy): Promise<Pair> {
  const client = await context.connect(server);
  return { client, upstream: await upstream.accept() };
}

/** Sends bytes at one end; they must arrive at the other end, and no others. */
async function pass(
  from: TcpPeer,
  to: TcpPeer,
  bytes: string | Uint8Array,
  withinMs?: number,
): Promise<void> {
  from.send(bytes);
  await to.expect(bytes, { withinMs, what: `what ${from.name} sent` });
}

/** A line there and a line back. */
async function talk({ client, upstream }: Pair, line: string): Promise<void> {
  await pass(client, upstream, line);
  await pass(upstream, client, reversed(line));
}

/**
 * A connection that was broken at one end must end at the other one. Of what was on its way the first
 * part may arrive, and nothing else.
 */
async function expectGone(peer: TcpPeer, because: string, onItsWay: Uint8Array): Promise<void> {
  const arrived = await peer.readAll(5000);
  assert(peer.over, {
    summary: `${peer.name} stays open after ${because}`,
    expected: "the end of this connection too, or its reset",
    observed: "the connection is open",
  });
  const sent = Buffer.from(onItsWay.subarray(0, arrived.length));
  assert(arrived.equals(sent), {
    summary: `${peer.name} received bytes that nobody sent, after ${because}`,
    expected: onItsWay.length === 0 ? "no bytes" : "the first part of what was sent, or nothing",
    observed: describeBytes(arrived),
    difference: renderDifference(sent, arrived),
  });
}

const keepOpen = Buffer.from("keep your end open when I have ended mine\n");
const endNow = Buffer.from("end your side now\n");

/** An upstream that reverses lines: with it behind, a proxy looks like a server that reverses lines. */
async function playUpstream(peer: TcpPeer): Promise<void> {
  let endsWithClient = true;
  for (;;) {
    const line = await peer.readLine(60_000);
    if (line.length === 0) break;
    peer.send(reversed(line));
    if (line.equals(keepOpen)) endsWithClient = false;
    if (line.equals(endNow)) peer.end();
  }
  if (endsWithClient) peer.end();
}

/** Gives the program such an upstream. */
async function reversingUpstream(context: CheckContext): Promise<StartOptions> {
  const upstream = await context.listen({ port: await upstreamPort(context) }, (peer) => {
    void playUpstream(peer);
  });
  return { args: [`127.0.0.1:${upstream.port}`] };
}

/** Pairs of which one direction is over: its descriptor stays readable for ever. */
const halfClosed: IdleSituation[] = [
  {
    when: "a client has ended sending and its upstream has not",
    async arrange({ connect }, server) {
      const client = await connect(server);
      await exchange(client, keepOpen);
      client.end();
    },
  },
  {
    when: "an upstream has ended sending and its client has not",
    async arrange({ connect }, server) {
      const client = await connect(server);
      await exchange(client, endNow);
    },
  },
];

/** A server behind the proxy that answers GET with a body and POST with the body it got. */
async function serveHttp(
  context: CheckContext,
  body: Uint8Array,
): Promise<{ port: number; close: () => void }> {
  const port = await upstreamPort(context);
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      request.pipe(response);
      return;
    }
    response.writeHead(200, { "content-length": body.length }).end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, resolve);
  });
  return {
    port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A request as one of the HTTP clients makes it: POST where there is something to send. */
type HttpClient = { name: string; request: (url: string, posted?: Uint8Array) => Promise<Buffer> };

/** undici: keeps its one connection for all its requests. */
async function undiciClient(context: CheckContext): Promise<HttpClient & { close: () => Promise<void> }> {
  const { Agent, request } = await import("undici");
  const { limitMs } = context.deadline(10_000);
  const dispatcher = new Agent({ connections: 1, headersTimeout: limitMs, bodyTimeout: limitMs });
  return {
    name: "undici",
    async request(url, posted) {
      const response = await request(url, {
        dispatcher,
        method: posted === undefined ? "GET" : "POST",
        body: posted,
      });
      return Buffer.from(await response.body.arrayBuffer());
    },
    close: () => dispatcher.destroy(),
  };
}

/** curl, as it is installed here. Settings of the user's own do not count. */
function curlClient(context: CheckContext): HttpClient | undefined {
  const curl = findTool("curl", context.plan.env.PATH);
  if (curl === undefined) return undefined;
  return {
    name: "curl",
    async request(url, input) {
      const post = input === undefined ? [] : ["--data-binary", "@-", "-H", "Expect:"];
      const { code, stdout, stderr } = await context.runTool(
        curl,
        ["-q", "--noproxy", "*", "-sS", ...post, url],
        { input },
      );
      if (code !== 0) throw new Error(stderr.trim() || "curl did not end in time");
      return stdout;
    },
  };
}

/** Fails unless a client gets this body through the proxy. */
async function expectBody(
  client: HttpClient,
  url: string,
  expected: Uint8Array,
  posted?: Uint8Array,
): Promise<void> {
  const what = `${client.name}: the answer to ${posted === undefined ? "GET" : "POST"} through the proxy`;
  const body = await client.request(url, posted).catch((error: Error) => {
    throw new CheckFailure({
      summary: `${what} did not come`,
      expected: `a body of ${count(expected.length, "byte")}`,
      observed: error.message,
    });
  });
  assert(body.equals(expected), {
    summary: `${what} is not the one of the server behind it`,
    expected: describeBytes(expected),
    observed: describeBytes(body),
    difference: renderDifference(expected, body),
  });
}

export const checks: Check[] = [
  builds("tcp-proxy"),
  announces(),

  check(
    "relays",
    {
      title: "relays a line there and back",
      points: 2,
      after: ["builds"],
      why: "For each client the proxy opens one connection to the upstream; what comes from one side goes to the other, whoever speaks first.",
      see: ["connect(2)", "recv(2)", "send(2)"],
      byHand,
    },
    async (context) => {
      const proxy = await startProxy(context);
      const pair = await openPair(context, proxy);
      await talk(pair, "hello\n");
      await pass(pair.upstream, pair.client, "two lines\nfor one\n");
      const everyByte = context.random.shuffle(Array.from({ length: 256 }, (_, value) => value));
      await pass(pair.client, pair.upstream, Uint8Array.from(everyByte));
      await pass(pair.upstream, pair.client, Uint8Array.from(everyByte));
      pair.client.close();
      // Mail and SSH servers greet their clients before these have said a word.
      const greeted = await openPair(context, proxy);
      await pass(greeted.upstream, greeted.client, "220 the server speaks first\n");
      await talk(greeted, "hello again\n");
    },
  ),

  check(
    "both-ways",
    {
      title: "relays 8 MiB each way at once",
      points: 4,
      after: ["relays"],
      why: "One recv brings a piece, and send may take less than it was given: what is left must go out before the next piece. Both directions are under way at the same time.",
      see: ["recv(2)", "send(2)", "docs/guides/tcp-is-a-byte-stream.md"],
    },
    async (context) => {
      const proxy = await startProxy(context);
      const request = context.random.bytes(8 * MiB);
      const reply = context.random.bytes(8 * MiB);
      for (const late of ["client", "upstream"] as const) {
        const pair = await openPair(context, proxy);
        const { client, upstream } = pair;
        // One side begins to read late, so that all buffers on the way to it are full for a while.
        pair[late].pause();
        client.send(request);
        upstream.send(reply);
        await (late === "client" ? upstream : client).drained(200);
        pair[late].resume();
        await Promise.all([
          upstream.expect(request, { what: "what the client sent", withinMs: 15_000 }),
          client.expect(reply, { what: "what the upstream sent", withinMs: 15_000 }),
        ]);
      }
    },
  ),

  check(
    "fifty-pairs",
    {
      title: "keeps 50 pairs apart",
      points: 3,
      after: ["relays"],
      why: "Each descriptor has exactly one counterpart. A table that is wrong by one entry shows one visitor the page, and the password, of another.",
      see: ["epoll_wait(2)"],
    },
    async (context) => {
      const { random } = context;
      const proxy = await startProxy(context);
      const pairs: Pair[] = [];
      for (let number = 1; number <= 50; number++) {
        const pair = await openPair(context, proxy);
        await talk(pair, `I am client ${number}\n`);
        pairs.push(pair);
      }
      for (let round = 0; round < 4; round++) {
        // Bytes of all pairs, in both directions, are on their way at the same time and in any order.
        const ways = pairs.flatMap(({ client, upstream }) => [
          [client, upstream] as const,
          [upstream, client] as const,
        ]);
        const size = round % 2 === 0 ? 100 : 20_000;
        await Promise.all(
          random.shuffle(ways).map(([from, to]) => pass(from, to, random.bytes(size), 20_000)),
        );
        // Some leave and others come, who get the same descriptor numbers.
        const leaving = random.shuffle(pairs).slice(0, 10);
        await Promise.all(
          leaving.map(async ({ client, upstream }) => {
            client.end();
            await upstream.expectEnd({ why: "although its client has ended sending" });
            upstream.end();
            await client.expectEnd({ why: "although its upstream has ended sending" });
          }),
        );
        for (const pair of leaving) pairs[pairs.indexOf(pair)] = await openPair(context, proxy);
      }
    },
  ),

  check(
    "http",
    {
      title: "puts an HTTP server behind itself",
      points: 2,
      after: ["relays"],
      why: "A proxy that relays bytes needs to know nothing of what they mean: any program that speaks over TCP can stand behind it, and its clients do not notice.",
      see: ["docs/guides/tcp-is-a-byte-stream.md"],
      byHand,
    },
    async (context) => {
      const { random, step } = context;
      const body = random.bytes(MiB);
      const posted = random.bytes(MiB / 4);
      const http = await serveHttp(context, body);
      const undici = await undiciClient(context);
      try {
        const server = await context.start({ args: [`127.0.0.1:${http.port}`] });
        const url = `http://127.0.0.1:${server.port}/`;
        const curl = curlClient(context);
        if (curl === undefined) step("left out curl, which is not installed here");
        for (const client of curl === undefined ? [undici] : [undici, curl]) {
          for (let round = 0; round < 3; round++) {
            step(`${client.name} asked for the body of ${count(body.length, "byte")}`);
            await expectBody(client, url, body);
          }
          step(`${client.name} posted ${count(posted.length, "byte")}, which the server sends back`);
          await expectBody(client, url, posted, posted);
        }
      } finally {
        await undici.close();
        http.close();
      }
    },
  ),

  check(
    "upstream-closes",
    {
      title: "passes on the upstream's end after its last byte",
      points: 2,
      after: ["relays"],
      why: "Many protocols say that they are done by ending the stream. A client that is not told waits for ever; one that is told too early loses the last bytes.",
      see: ["shutdown(2)", "recv(2)"],
    },
    async (context) => {
      const proxy = await startProxy(context);
      for (const [size, readsLate] of [
        [20, false],
        [MiB, false],
        [MiB, true],
      ] as const) {
        const { client, upstream } = await openPair(context, proxy);
        const reply = context.random.bytes(size);
        await pass(client, upstream, "everything, please\n");
        if (readsLate) client.pause();
        upstream.send(reply);
        upstream.end();
        if (readsLate) {
          // The longer the client does not read, the more is still in the proxy when the end comes.
          await upstream.drained(200);
          client.resume();
        }
        await client.expect(reply, { what: "the upstream's last bytes", withinMs: 10_000 });
        await client.expectEnd({ why: "although its upstream has ended sending" });
        client.end();
        await upstream.expectEnd({ why: "although both sides have ended sending" });
      }
    },
  ),

  check(
    "client-closes",
    {
      title: "passes on the client's end",
      points: 2,
      after: ["relays"],
      why: "A client that has left must not leave a connection to the upstream behind: the upstream would hold it open, with all that belongs to it, for a client that is gone.",
      see: ["shutdown(2)", "close(2)"],
    },
    async (context) => {
      const proxy = await startProxy(context);
      for (const [size, leave] of [
        [20, "end"],
        [MiB, "end"],
        [20, "close"],
      ] as const) {
        const { client, upstream } = await openPair(context, proxy);
        const last = context.random.bytes(size);
        await pass(client, upstream, "hello\n");
        client.send(last);
        client[leave]();
        await upstream.expect(last, { what: "the client's last bytes", withinMs: 10_000 });
        await upstream.expectEnd({ why: "although its client has left" });
        upstream.end();
        if (leave === "end") await client.expectEnd({ why: "although both sides have ended sending" });
      }
    },
  ),

  check(
    "half-close",
    {
      title: "still brings the reply after the client has ended sending",
      points: 3,
      after: ["relays"],
      why: "The end of one direction says nothing about the other: a client may end its request and wait for the reply. shutdown(SHUT_WR) passes on this one end; close would cut both.",
      see: ["shutdown(2)", "tcp(7)"],
      byHand: "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -N 127.0.0.1 8080   (with a web server on port 3000)",
    },
    async (context) => {
      const proxy = await startProxy(context);
      const { client, upstream } = await openPair(context, proxy);
      await pass(client, upstream, "all of my request\n");
      client.end();
      await upstream.expectEnd({ why: "although its client has ended sending" });
      await pass(upstream, client, context.random.bytes(300_000), 10_000);
      await pass(upstream, client, "and a last word\n");
      upstream.end();
      await client.expectEnd({ why: "although both sides have ended sending" });
      // The same the other way round: the upstream has said all it had to say, and the client goes on.
      const other = await openPair(context, proxy);
      await pass(other.upstream, other.client, "I only listen\n");
      other.upstream.end();
      await other.client.expectEnd({ why: "although its upstream has ended sending" });
      await pass(other.client, other.upstream, context.random.bytes(300_000), 10_000);
      await pass(other.client, other.upstream, "and a last word\n");
      other.client.end();
      await other.upstream.expectEnd({ why: "although both sides have ended sending" });
      // A reply and its end at once, after the request's end: the hang-up is told while bytes are to be read.
      const last = await openPair(context, proxy);
      await pass(last.client, last.upstream, "my last request\n");
      last.client.end();
      await last.upstream.expectEnd({ why: "although its client has ended sending" });
      const reply = context.random.bytes(30_000);
      await whileStopped(context, proxy.server, async () => {
        last.upstream.send(reply);
        last.upstream.end();
        await last.upstream.drained();
      });
      await last.client.expect(reply, { what: "the reply whose end came with it" });
      await last.client.expectEnd({ why: "although both sides have ended sending" });
    },
  ),

  check(
    "upstream-down",
    {
      title: "closes the client when the upstream is down, and recovers",
      points: 3,
      after: ["relays"],
      why: "A server behind a proxy is restarted now and then. Its clients should know at once that it is away, and nobody should have to restart the proxy when it is back.",
      see: ["connect(2)"],
      byHand: "curl -v http://127.0.0.1:8080/   (with nobody on port 3000)",
    },
    async (context) => {
      const { server, upstream } = await startProxy(context);
      const { port } = upstream;
      const turnedAway = async (said: string) => {
        const client = await context.connect(server);
        if (said !== "") client.send(said);
        await client.expectEnd({
          withinMs: 1000,
          reset: true,
          why: `although nobody listens on the upstream's port ${port}`,
        });
        client.close();
      };
      await upstream.stop();
      for (const said of ["", "is anybody there?\n", ""]) await turnedAway(said);
      const second = await context.listen({ port });
      const pair = await openPair(context, { server, upstream: second });
      await talk(pair, "the upstream is back\n");
      // Down once more: that is no reason to cut a connection that is already there.
      await second.stop();
      await turnedAway("");
      await talk(pair, "I was here before\n");
      const third = await context.listen({ port });
      await talk(await openPair(context, { server, upstream: third }), "back again\n");
      await talk(pair, "and I am still here\n");
      expectNoStackTrace(server);
    },
  ),

  returnsDescriptors(reversingUpstream, {
    id: "thousand-connections",
    title: "1,000 connections in a row leave no descriptor open",
    after: ["relays"],
    why: "Each pair is two descriptors, and a process has a limited number of them (often 1,024). A proxy that forgets one of the two serves for an hour and then no more.",
  }),

  check(
    "resets",
    {
      title: "survives resets in mid-transfer on either side",
      points: 2,
      after: ["relays"],
      why: "recv or send on a broken connection fails with ECONNRESET or EPIPE. That ends this pair, both descriptors of it, and no other. In a batch of events the second one of a pair may come when the pair is closed already.",
      see: ["recv(2)", "send(2)", "epoll_wait(2)"],
    },
    async (context) => {
      const proxy = await startProxy(context);
      const witness = await openPair(context, proxy);
      await talk(witness, "I stay\n");
      const extra = await openPair(context, proxy);
      await talk(extra, "I go\n");
      const withTwo = countDescriptors(context);
      extra.client.close();
      extra.upstream.close();
      for (const [side, otherSide] of [
        ["client", "upstream"],
        ["upstream", "client"],
      ] as const) {
        for (const situation of ["idle", "sending", "receiving", "not reading"] as const) {
          const pair = await openPair(context, proxy);
          await talk(pair, `a ${side} that will reset while it is ${situation}\n`);
          const breaking = pair[side];
          const other = pair[otherSide];
          const onItsWay = situation === "sending" ? context.random.bytes(4 * MiB) : new Uint8Array(0);
          if (situation === "not reading") breaking.pause();
          if (situation === "sending") breaking.send(onItsWay);
          else if (situation !== "idle") other.send(context.random.bytes(4 * MiB));
          // In mid-transfer: something has passed, and there is more to come.
          const receiver = situation === "sending" ? other : breaking;
          const passed = receiver.total;
          if (situation === "sending" || situation === "receiving")
            await context.waitFor(() => receiver.total > passed, 5000, 1);
          if (situation === "not reading") await other.drained(100);
          breaking.reset();
          await breaking.readAll(); // what it has received by now matters to nobody
          await expectGone(other, `the ${side} reset the connection while it was ${situation}`, onItsWay);
          other.close();
          await talk(witness, `I am here after the reset of a ${side} that was ${situation}\n`);
        }
      }
      // Both sides of a pair break, and a client comes who may get the number of either: all in one batch.
      const both = await openPair(context, proxy);
      await talk(both, "both of us will reset\n");
      let newcomer: TcpPeer | undefined;
      await whileStopped(context, proxy.server, async () => {
        both.client.reset();
        newcomer = await context.connect(proxy.server);
        both.upstream.reset();
      });
      const newPair = { client: newcomer!, upstream: await proxy.upstream.accept() };
      await talk(newPair, "I came while both sides of a pair broke\n");
      await talk(witness, "I am here after a pair of which both sides broke\n");
      // Two pairs are there now, as many as when the limit was counted.
      await expectDescriptorsBelow(
        context,
        proxy.server,
        withTwo + 1,
        "after 8 resets, with two pairs connected",
      );
      expectNoStackTrace(proxy.server);
    },
  ),

  sleepsWhenIdle(reversingUpstream, [...idleSituations, ...halfClosed], { after: ["relays"] }),
  portTaken(),
  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["8080", "127.0.0.1"], names: "127.0.0.1" },
    { args: ["8080", "127.0.0.1:99999"], names: "127.0.0.1:99999" },
    { args: ["8080", "nonsense"], names: "nonsense" },
    { args: ["8080", "127.0.0.1:3000", "surplus"], names: "surplus" },
  ]),
  endsOnSignal(
    [
      ({ start }, options) => start(options),
      async (context, options) => {
        const server = await context.start(options);
        await connectMany(context, server, 3);
        return server;
      },
    ],
    { after: ["relays"] },
    reversingUpstream,
  ),
  restarts(reversingUpstream, { after: ["relays"] }),
  onlySystemCalls(),
];
