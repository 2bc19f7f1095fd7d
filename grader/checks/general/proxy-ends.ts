/** The end of a stream, which a proxy passes on, each direction by itself. */
import { type Check, check } from "../../checks.ts";
import { openPair, pass, startProxy, type UpstreamArguments } from "./proxy.ts";
import { type Overrides, whileStopped } from "./surroundings.ts";

const MiB = 1024 * 1024;

/** The upstream ends after its last byte. */
export function upstreamCloses(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "upstream-closes",
    {
      title: "passes on the upstream's end after its last byte",
      points: 2,
      after: ["relays"],
      why: "Many protocols say that they are done by ending the stream. A client that is not told waits for ever; one that is told too early loses the last bytes.",
      see: ["shutdown(2)", "recv(2)"],
      ...overrides,
    },
    async (context) => {
      const proxy = await startProxy(context, upstreamArgs);
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
  );
}

/** The client ends, or leaves. */
export function clientCloses(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "client-closes",
    {
      title: "passes on the client's end",
      points: 2,
      after: ["relays"],
      why: "A client that has left must not leave a connection to the upstream behind: the upstream would hold it open, with all that belongs to it, for a client that is gone.",
      see: ["shutdown(2)", "close(2)"],
      ...overrides,
    },
    async (context) => {
      const proxy = await startProxy(context, upstreamArgs);
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
  );
}

/** One direction ends, and the other goes on. */
export function halfClose(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "half-close",
    {
      title: "still brings the reply after the client has ended sending",
      points: 3,
      after: ["relays"],
      why: "The end of one direction says nothing about the other: a client may end its request and wait for the reply. shutdown(SHUT_WR) passes on this one end; close would cut both.",
      see: ["shutdown(2)", "tcp(7)"],
      ...overrides,
    },
    async (context) => {
      const proxy = await startProxy(context, upstreamArgs);
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
  );
}
