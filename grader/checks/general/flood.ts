/** A client that sends without end and never reads. */
import { readFileSync } from "node:fs";
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, CheckFailure, count } from "../../engine/evidence.ts";
import { residentBytes } from "../../engine/proc.ts";
import type { Program } from "../../engine/program.ts";
import type { RawPeer } from "../../engine/raw-peer.ts";
import { exchange, reversed } from "./lines.ts";
import { nothingAround, type Overrides, type Surroundings, startIn } from "./surroundings.ts";

const MiB = 1024 * 1024;
/** How much a server may grow; a healthy one needs 2 or 3 MiB, one without a limit grows by all that is sent. */
export const growthLimit = 64 * MiB;
/** How long another client may wait for its reply meanwhile. */
const replyWithinMs = 500;
const patternLines = 2000;

/** What to look for, by what was seen: four faults that all begin with one client that does not read. */
const hints = {
  blocks:
    "Somewhere a call waits for this one client: a socket without O_NONBLOCK, or a loop that sends again and again until all is taken. Who else could use the thread meanwhile?",
  grows:
    "What the kernel does not take has to wait in a queue, and something has to end the feeding of that queue. From where do its bytes come, and who stops reading them?",
  loses:
    "send may take a part of its bytes, or none. Follow a piece of which it takes a part: where does the rest wait, what is sent before it, and is it counted once?",
  sleeps:
    "Bytes wait, there is room, and nothing happens: something was to be told once and was missed. With edge-triggered epoll that is room after a send that did not meet -EAGAIN, or input that was there already when reading stopped.",
};

/** What is sent again and again, and what has to come back for it: the same number of bytes. */
export type Pattern = { sent: Buffer; replies: Buffer };

/** Lines of many lengths, in random letters. */
export function linePattern({ random }: CheckContext, length = patternLines): Pattern {
  const lines = Array.from({ length }, () => Buffer.from(`${random.word(random.integer(1, 1000))}\n`));
  return { sent: Buffer.concat(lines), replies: Buffer.concat(lines.map(reversed)) };
}

/**
 * What the kernel may hold between a client that never reads and a server that stops reading: the send and receive
 * buffers of both directions at their largest (`man 7 tcp`, tcp_wmem and tcp_rmem).
 */
export function kernelBuffers(): number {
  const largest = (name: string) =>
    Number(readFileSync(`/proc/sys/net/ipv4/${name}`, "latin1").trim().split(/\s+/)[2]);
  return 2 * (largest("tcp_wmem") + largest("tcp_rmem"));
}

/** The bytes that come back for the first `length` bytes of a repeated pattern, once the stream has ended. */
function* expectedReplies({ sent, replies }: Pattern, length: number): Generator<Buffer> {
  let left = length;
  for (; left >= sent.length; left -= sent.length) yield replies;
  const rest = sent.subarray(0, left);
  const lineEnd = rest.lastIndexOf(0x0a) + 1;
  yield replies.subarray(0, lineEnd);
  yield reversed(rest.subarray(lineEnd));
}

/** Ends sending, then reads all replies to a flood and compares them, to the end of the stream. */
export async function expectEveryReply(client: RawPeer, pattern: Pattern): Promise<void> {
  const length = client.sent;
  client.end();
  const pieces = expectedReplies(pattern, length);
  let piece: Uint8Array = pieces.next().value ?? Buffer.alloc(0);
  let wrongAt: number | undefined;
  let compared = 0;
  const all = await client.receive(length, (bytes) => {
    for (let at = 0; at < bytes.length && wrongAt === undefined; ) {
      if (piece.length === 0) {
        piece = pieces.next().value ?? Buffer.alloc(0);
        if (piece.length === 0) wrongAt = compared;
        continue;
      }
      const part = Math.min(piece.length, bytes.length - at);
      const same = Buffer.compare(piece.subarray(0, part), bytes.subarray(at, at + part)) === 0;
      if (!same) {
        wrongAt = compared;
        while (piece[wrongAt - compared] === bytes[at + wrongAt - compared]) wrongAt++;
        return;
      }
      piece = piece.subarray(part);
      at += part;
      compared += part;
    }
  });
  assert(wrongAt === undefined, {
    summary: "the client that reads late gets wrong bytes",
    expected: "every line reversed, in order",
    observed: `the first wrong byte is number ${(wrongAt ?? 0) + 1} of ${length.toLocaleString("en-US")}: bytes were lost, doubled or swapped`,
    hint: hints.loses,
  });
  assert(all, {
    summary: "the client that reads late does not get all replies",
    expected: `${count(length, "byte")}, as many as it sent`,
    observed: describeReceived(client),
    hint: client.over ? hints.loses : hints.sleeps,
  });
  const surplus = await client.receive(1, () => {}, 5000);
  assert(!surplus && client.ended, {
    summary: "the stream of replies does not end after the last one, although its client has ended sending",
    expected: `${count(length, "byte")}, then the end`,
    observed: describeReceived(client),
  });
}

function describeReceived(client: RawPeer): string {
  const then =
    client.broken === undefined
      ? client.ended
        ? "then the end"
        : "and nothing more"
      : `then ${client.broken}`;
  return `${count(client.received, "byte")}, ${then}`;
}

/** Bytes of lines that are sent before the first reply is read: more than the kernel's buffers take on the way back. */
const unreadLines = 12 * MiB;

/** What the kernel does not take at once has to be kept and sent later. */
export function answersLateReader(
  surroundings: Surroundings = nothingAround,
  overrides: Overrides = {},
): Check {
  return check(
    "late-reader",
    {
      title: "sends every byte to a client that reads late",
      points: 3,
      after: ["lines-together"],
      why: "send on a non-blocking socket takes what fits into the kernel's buffer: a part, or nothing (EAGAIN). The rest has to be kept, in order, and sent when epoll says that there is room.",
      see: ["send(2)", "docs/guides/blocking-and-non-blocking-io.md"],
      ...overrides,
    },
    async (context) => {
      const server = await startIn(context, surroundings);
      const client = await context.connectRaw(server, { receiveBuffer: 16 * 1024 });
      const pattern = linePattern(context);
      // A server may stop reading where nobody reads its replies; one that goes on has to keep them.
      await client.floodUntilStuck(pattern.sent, unreadLines);
      await exchange(await context.connect(server), "another one\n");
      await expectEveryReply(client, pattern);
    },
  );
}

/** Has another client served again and again until `over` says that it is enough. */
async function expectOthersServed(
  context: CheckContext,
  server: Program,
  over: () => boolean,
): Promise<void> {
  const other = await context.connect(server);
  for (let turn = 0; !over(); turn++) {
    try {
      await exchange(other, `others in turn ${turn}\n`, replyWithinMs);
    } catch (error) {
      if (!(error instanceof CheckFailure)) throw error;
      throw new CheckFailure({
        ...error.evidence,
        summary: "another client is not served while one client sends without reading",
        observed: `${error.evidence.observed}; a send that waits for the one client stops all others`,
        hint: hints.blocks,
      });
    }
    await context.waitFor(over, 50);
  }
}

/** A client that floods and never reads: the server stops reading it, stays small, and serves the others. */
export function floodStaysBounded(
  surroundings: Surroundings = nothingAround,
  overrides: Overrides = {},
): Check {
  return check(
    "flood",
    {
      title: "stays small and serves others while a client sends and never reads",
      points: 4,
      after: ["two-clients"],
      alone: true,
      why: "Replies that a client does not take have to wait somewhere. A server that keeps them all grows until the system ends it, and one client is enough to do that; a server that waits in send serves nobody else. The way out is to stop reading from whoever does not read: then its own send waits.",
      see: ["send(2)", "tcp(7)", "docs/guides/backpressure.md"],
      byHand: 'yes | nc 127.0.0.1 8001 | sleep 60   (and watch VmRSS in /proc/"$(pgrep -n node)"/status)',
      ...overrides,
    },
    async (context) => {
      const server = await startIn(context, surroundings);
      const pattern = linePattern(context);
      await exchange(await context.connect(server), "before the flood\n");
      const before = residentBytes(context.tree.alive());
      const client = await context.connectRaw(server);
      let isOver = false;
      const flood = client.floodUntilStuck(pattern.sent, kernelBuffers() + growthLimit).finally(() => {
        isOver = true;
      });
      const [stuck] = await Promise.all([flood, expectOthersServed(context, server, () => isOver)]);
      const grown = residentBytes(context.tree.alive()) - before;
      assert(grown < growthLimit, {
        summary: `${server.name} grows with what a client sends and does not read`,
        expected: `less than ${growthLimit / MiB} MiB more memory than before`,
        observed: `${Math.round(grown / MiB)} MiB more after ${count(client.sent, "byte")} that the kernel took; nothing stops the reading`,
        hint: hints.grows,
      });
      assert(stuck && client.broken === undefined, {
        summary:
          client.broken === undefined
            ? `${server.name} goes on reading from a client that does not read`
            : `the connection of the client that did not read was broken (${client.broken})`,
        expected: "that the kernel takes no more bytes of this client once its replies fill the buffers",
        observed: `the kernel took ${count(client.sent, "byte")}${client.broken === undefined ? ", and would take more" : ""}`,
        hint: client.broken === undefined ? hints.grows : undefined,
      });
      await expectEveryReply(client, pattern);
    },
  );
}
