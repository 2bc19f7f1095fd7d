/** A fast side and a slow side of a proxy. */
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, count } from "../../engine/evidence.ts";
import { residentBytes } from "../../engine/proc.ts";
import type { Program } from "../../engine/program.ts";
import type { RawPeer } from "../../engine/raw-peer.ts";
import { growthLimit, kernelBuffers } from "./flood.ts";
import { type UpstreamArguments, upstreamPort } from "./proxy.ts";
import type { Overrides } from "./surroundings.ts";

const MiB = 1024 * 1024;
/** Bytes that pass in one direction. */
const transferred = 256 * MiB;
/** Its length is no multiple of any buffer's, so that a piece that is lost or swapped shows. */
const patternLength = MiB + 12_345;

/** Watches how much memory a program takes more than in the beginning. */
class Growth {
  /** The most that was seen. */
  most = 0;
  readonly #context: CheckContext;
  readonly #before: number;

  constructor(context: CheckContext) {
    this.#context = context;
    this.#before = residentBytes(context.tree.alive());
  }

  look(): void {
    this.most = Math.max(this.most, residentBytes(this.#context.tree.alive()) - this.#before);
  }
}

/** Sends a repeated pattern up to a number of bytes in all. */
async function sendUpTo(
  context: CheckContext,
  peer: RawPeer,
  pattern: Uint8Array,
  total: number,
): Promise<void> {
  const isOver = () => {
    // A turn's share, so that the receiver has its turn.
    for (let burst = 0; burst < 16 && peer.sent < total; burst++) {
      const at = peer.sent % pattern.length;
      if (peer.sendSome(pattern.subarray(at, Math.min(pattern.length, at + total - peer.sent))) === 0) break;
    }
    return peer.broken !== undefined || peer.sent >= total;
  };
  await context.deadline(30_000).until(isOver, { pollMs: 1 });
  peer.end();
}

/** Receives the pattern up to a number of bytes in all, then the end of the stream. */
async function expectPattern(
  peer: RawPeer,
  pattern: Uint8Array,
  total: number,
  from: string,
  onPiece: () => void,
): Promise<void> {
  let wrongAt: number | undefined;
  let at = 0;
  await peer.receive(
    total + 1, // one more than there is: it gets to the end of the stream
    (bytes) => {
      onPiece();
      for (let taken = 0; taken < bytes.length && wrongAt === undefined; ) {
        const expected = pattern.subarray(at % pattern.length).subarray(0, bytes.length - taken);
        const piece = bytes.subarray(taken, taken + expected.length);
        if (Buffer.compare(expected, piece) !== 0)
          wrongAt = at + piece.findIndex((byte, i) => byte !== expected[i]);
        taken += piece.length;
        at += piece.length;
      }
    },
    30_000,
  );
  assert(wrongAt === undefined, {
    summary: `${peer.name} gets other bytes than ${from} sent`,
    expected: "every byte as it was sent, in order",
    observed: `the first wrong byte is number ${((wrongAt ?? 0) + 1).toLocaleString("en-US")}: bytes were lost, doubled or swapped`,
  });
  assert(peer.received === total && peer.ended, {
    summary: `${peer.name} does not get all that ${from} sent`,
    expected: `${count(total, "byte")}, then the end of the stream`,
    observed: `${count(peer.received, "byte")}, ${peer.ended ? "then the end" : peer.broken === undefined ? "and nothing more" : `then ${peer.broken}`}`,
  });
}

function expectBounded(server: Program, growth: Growth, sent: number, slow: string): void {
  assert(growth.most < growthLimit, {
    summary: `${server.name} grows with what ${slow} does not read`,
    expected: `less than ${growthLimit / MiB} MiB more memory than before`,
    observed: `${Math.round(growth.most / MiB)} MiB more, after the kernel took ${count(sent, "byte")} from the fast side`,
  });
}

/**
 * One side does not read for a while, and the other one sends without pause.
 * @param slow the side that does not read
 */
export function holdsBackFastSide(
  slow: "client" | "upstream",
  upstreamArgs: UpstreamArguments,
  overrides: Overrides = {},
): Check {
  const fast = slow === "client" ? "upstream" : "client";
  return check(
    `slow-${slow}`,
    {
      title: `stays small between a fast ${fast} and a slow ${slow}, through 256 MiB`,
      points: 3,
      after: ["both-ways"],
      why: `What the ${slow} does not take has to wait somewhere. A proxy that reads on keeps it all, and grows until the system ends it; one that stops reading makes the ${fast} wait, whose own send then waits. Memory is what holds a proxy's number of clients down, so it must not depend on how much they are sent.`,
      see: ["docs/guides/backpressure.md", "send(2)", "tcp(7)"],
      ...overrides,
    },
    async (context) => {
      const upstream = await context.listenRaw({ port: await upstreamPort(context) });
      const server = await context.start({ args: upstreamArgs(`127.0.0.1:${upstream.port}`) });
      const client = await context.connectRaw(server);
      const pair = { client, upstream: await upstream.accept() };
      const [sender, reader] = [pair[fast], pair[slow]];
      const pattern = context.random.bytes(patternLength);
      const growth = new Growth(context);
      const stuck = await sender.floodUntilStuck(pattern, kernelBuffers() + growthLimit);
      growth.look();
      expectBounded(server, growth, sender.sent, `the ${slow}`);
      assert(stuck && sender.broken === undefined, {
        summary: `${server.name} goes on reading from the ${fast}, although the ${slow} does not read`,
        expected: "that the kernel takes no more bytes once the buffers on the way are full",
        observed: `the kernel took ${count(sender.sent, "byte")}${sender.broken === undefined ? ", and would take more" : `, then the connection broke (${sender.broken})`}`,
      });
      const total = Math.max(transferred, sender.sent + 64 * MiB);
      let nextLook = 0;
      await Promise.all([
        sendUpTo(context, sender, pattern, total),
        expectPattern(reader, pattern, total, `the ${fast}`, () => {
          if (reader.received < nextLook) return;
          nextLook += 8 * MiB;
          growth.look();
        }),
      ]);
      expectBounded(server, growth, sender.sent, `the ${slow}`);
    },
  );
}
