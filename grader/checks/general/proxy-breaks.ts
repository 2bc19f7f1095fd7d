/** Upstreams that are away, and connections that break. */
import { type Check, check } from "../../checks.ts";
import { assert, describeBytes, renderDifference } from "../../engine/evidence.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { countDescriptors, expectDescriptorsBelow } from "./descriptors.ts";
import { expectNoStackTrace } from "./endings.ts";
import { openPair, startProxy, talk, type UpstreamArguments } from "./proxy.ts";
import { type Overrides, whileStopped } from "./surroundings.ts";

const MiB = 1024 * 1024;

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

/** Nobody listens where the upstream should be, and later somebody does. */
export function upstreamDown(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "upstream-down",
    {
      title: "closes the client when the upstream is down, and recovers",
      points: 3,
      after: ["relays"],
      why: "A server behind a proxy is restarted now and then. Its clients should know at once that it is away, and nobody should have to restart the proxy when it is back.",
      see: ["connect(2)"],
      ...overrides,
    },
    async (context) => {
      const { server, upstream } = await startProxy(context, upstreamArgs);
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
  );
}

/** Connections break on either side, in every state. */
export function survivesBreaks(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "resets",
    {
      title: "survives resets in mid-transfer on either side",
      points: 2,
      after: ["relays"],
      why: "recv or send on a broken connection fails with ECONNRESET or EPIPE. That ends this pair, both descriptors of it, and no other. In a batch of events the second one of a pair may come when the pair is closed already.",
      see: ["recv(2)", "send(2)", "epoll_wait(2)"],
      ...overrides,
    },
    async (context) => {
      const proxy = await startProxy(context, upstreamArgs);
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
  );
}
