/**
 * Transfers that are cut. Both ends are made of system calls: Node's own sockets tell an end of the stream where a reset
 * comes behind bytes, as libuv takes the hang-up for an end.
 */
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, count } from "../../engine/evidence.ts";
import type { Program } from "../../engine/program.ts";
import type { RawListener } from "../../engine/raw-listener.ts";
import type { RawPeer } from "../../engine/raw-peer.ts";
import { expectNoStackTrace } from "./endings.ts";
import { type UpstreamArguments, upstreamPort } from "./proxy.ts";
import { type Overrides, whileStopped } from "./surroundings.ts";

const MiB = 1024 * 1024;

type RawPair = { client: RawPeer; upstream: RawPeer };

/** Sends a few bytes at one end, which have to arrive at the other one. */
async function greet(from: RawPeer, to: RawPeer): Promise<void> {
  from.sendSome(Buffer.from("hello"));
  assert(await to.receive(5, () => {}, 5000), {
    summary: `${to.name} does not get what ${from.name} sent`,
    expected: "5 bytes",
    observed: count(to.received, "byte"),
  });
}

async function openRawPair(context: CheckContext, server: Program, upstream: RawListener): Promise<RawPair> {
  const client = await context.connectRaw(server);
  const pair = { client, upstream: await upstream.accept() };
  await greet(pair.client, pair.upstream);
  await greet(pair.upstream, pair.client);
  return pair;
}

/** Sends until the kernel takes no more, or has taken a limit. */
async function fill(context: CheckContext, sender: RawPeer, bytes: Uint8Array, limit: number): Promise<void> {
  const begin = sender.sent;
  await context.waitFor(
    () =>
      sender.sent - begin >= limit ||
      sender.sendSome(bytes.subarray((sender.sent - begin) % bytes.length)) === 0,
    5000,
    1,
  );
}

/**
 * Fails unless a connection breaks after a part of what was sent.
 * @param sent what was sent again and again; with nothing, nothing may arrive
 * @param arrived what has arrived of it already
 */
async function expectBroken(
  peer: RawPeer,
  because: string,
  sent: Uint8Array,
  arrived: Uint8Array = new Uint8Array(0),
): Promise<void> {
  let at = 0;
  let isPart = true;
  const compare = (bytes: Uint8Array) => {
    for (const byte of bytes) if (byte !== sent[at++ % sent.length]) isPart = false;
  };
  compare(arrived);
  await peer.receive(Number.POSITIVE_INFINITY, compare, 5000);
  assert(isPart, {
    summary: `${peer.name} received bytes that nobody sent, after ${because}`,
    expected: sent.length === 0 ? "no bytes" : "the first part of what was sent, or nothing",
    observed: `${count(at, "byte")}, and not all of them as they were sent`,
  });
  assert(peer.broken !== undefined, {
    summary: peer.ended
      ? `${peer.name} met an orderly end after ${because}`
      : `${peer.name} stays open after ${because}`,
    expected: "a reset (ECONNRESET), so that nobody takes the part that has come for the whole",
    observed: peer.ended ? "the end of the stream, as if everything had been said" : "the connection is open",
  });
}

/** What was cut does not look whole. */
export function passesOnBreaks(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "break-is-no-end",
    {
      title: "passes on a break as a break, not as an end",
      points: 3,
      after: ["relays"],
      why: "An end says: this was everything. A client that meets one after half of a file takes the half for the file, keeps it and passes it on. A reset says that something is missing, and behind a proxy only the proxy can say it.",
      see: ["socket(7)", "shutdown(2)", "tcp(7)"],
      ...overrides,
    },
    async (context) => {
      const upstream = await context.listenRaw({ port: await upstreamPort(context) });
      const server = await context.start({ args: upstreamArgs(`127.0.0.1:${upstream.port}`) });
      const bytes = context.random.bytes(MiB);
      for (const [breaking, other, readsLate] of [
        ["upstream", "client", false],
        ["client", "upstream", false],
        ["upstream", "client", true],
        ["client", "upstream", true],
      ] as const) {
        context.step(
          `now the ${breaking} cuts a transfer${readsLate ? ` that the ${other} does not read` : ""}`,
        );
        const pair = await openRawPair(context, server, upstream);
        await fill(context, pair[breaking], bytes, readsLate ? 16 * MiB : MiB);
        const because = `the ${breaking} reset the connection in mid-transfer`;
        // In mid-transfer: something has passed, and more is on its way.
        const first: Buffer[] = [];
        if (!readsLate) await pair[other].receive(1, (piece) => void first.push(Buffer.from(piece)), 5000);
        pair[breaking].reset();
        await expectBroken(pair[other], because, bytes, Buffer.concat(first));
      }
      // One side ends and the other one breaks, and the program hears of both at once: of the end first, which cannot
      // be passed on any more.
      for (const [ending, breaking] of [
        ["client", "upstream"],
        ["upstream", "client"],
      ] as const) {
        context.step(
          `now the ${ending} ends sending and the ${breaking} cuts the connection at the same time`,
        );
        const pair = await openRawPair(context, server, upstream);
        await whileStopped(context, server, async () => {
          pair[ending].end();
          pair[breaking].reset();
        });
        const because = `the ${breaking} reset the connection, just when the ${ending} had ended sending`;
        await expectBroken(pair[ending], because, new Uint8Array(0));
      }
      expectNoStackTrace(server);
    },
  );
}
