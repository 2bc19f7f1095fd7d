/** Bytes through a proxy, both ways. */
import { type Check, check } from "../../checks.ts";
import { connectMany, exchange, reversed } from "./lines.ts";
import {
  openPair,
  type Pair,
  pass,
  reversingUpstream,
  startProxy,
  talk,
  type UpstreamArguments,
} from "./proxy.ts";
import type { Overrides } from "./surroundings.ts";

const MiB = 1024 * 1024;

/** A line there and a line back. */
export function relays(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "relays",
    {
      title: "relays a line there and back",
      points: 2,
      after: ["builds"],
      why: "For each client the proxy opens one connection to the upstream; what comes from one side goes to the other, whoever speaks first.",
      see: ["connect(2)", "recv(2)", "send(2)"],
      ...overrides,
    },
    async (context) => {
      const proxy = await startProxy(context, upstreamArgs);
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
  );
}

/** Megabytes in both directions at the same time. */
export function relaysBothWays(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "both-ways",
    {
      title: "relays 8 MiB each way at once",
      points: 4,
      after: ["relays"],
      why: "One recv brings a piece, and send may take less than it was given: what is left must go out before the next piece. Both directions are under way at the same time.",
      see: ["recv(2)", "send(2)", "docs/guides/tcp-is-a-byte-stream.md"],
      ...overrides,
    },
    async (context) => {
      const proxy = await startProxy(context, upstreamArgs);
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
  );
}

/** Nobody gets the bytes of another. */
export function keepsPairsApart(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "fifty-pairs",
    {
      title: "keeps 50 pairs apart",
      points: 3,
      after: ["relays"],
      why: "Each descriptor has exactly one counterpart. A table that is wrong by one entry shows one visitor the page, and the password, of another.",
      see: ["epoll_wait(2)"],
      ...overrides,
    },
    async (context) => {
      const { random } = context;
      const proxy = await startProxy(context, upstreamArgs);
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
  );
}

const pairsAtOnce = 200;

/** Many pairs, of which all have something to say at the same time. */
export function servesPairsAtOnce(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "two-hundred-pairs",
    {
      title: `serves ${pairsAtOnce} pairs at once`,
      points: 3,
      after: ["fifty-pairs"],
      why: "Each pair has its own state: what waits to be sent, who is paused, which direction has ended. With many pairs busy at the same time, whatever is shared between two of them by mistake shows.",
      see: ["epoll_wait(2)"],
      ...overrides,
    },
    async (context) => {
      const { random } = context;
      const server = await context.start(await reversingUpstream(upstreamArgs)(context));
      const clients = await connectMany(context, server, pairsAtOnce);
      const letters = random.word(60_000);
      for (let round = 0; round < 3; round++) {
        const size = round === 1 ? 50_000 : 100;
        await Promise.all(
          random.shuffle(clients).map(async (client) => {
            const start = random.integer(0, 9999);
            await exchange(client, `${client.name} ${letters.slice(start, start + size)}\n`, 20_000);
          }),
        );
      }
      await Promise.all(
        clients.map(async (client, index) => {
          client.send(`the last line of client ${index + 1}\n`);
          client.end();
          await client.expect(reversed(`the last line of client ${index + 1}\n`), { withinMs: 20_000 });
          await client.expectEnd({ why: "although both sides have ended sending", withinMs: 20_000 });
        }),
      );
    },
  );
}
