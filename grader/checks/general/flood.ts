/** A client that sends without end and never reads. */
import { readFileSync } from "node:fs";
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, CheckFailure, count } from "../../engine/evidence.ts";
import { residentBytes } from "../../engine/proc.ts";
import type { Program } from "../../engine/program.ts";
import type { RawPeer } from "../../engine/raw-peer.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { expectEveryReply, linePattern, type Pattern } from "./flood-replies.ts";
import { exchange } from "./lines.ts";
import { nothingAround, type Overrides, type Surroundings, startIn, whileStopped } from "./surroundings.ts";

const MiB = 1024 * 1024;
/** How much a server may grow; a healthy one needs 2 or 3 MiB, one without a limit grows by all that is sent. */
export const growthLimit = 64 * MiB;
/** How long the flood lasts at least. */
const floodMs = 2000;
/** How long another client may wait for its reply meanwhile. */
const replyWithinMs = 500;

/** What to look for, by what was seen. */
const hints = {
  blocks:
    "Somewhere a call waits for this one client: a socket without O_NONBLOCK, or a loop that sends again and again until all is taken. Who else could use the thread meanwhile?",
  grows:
    "What the kernel does not take has to wait in a queue, and something has to end the feeding of that queue. From where do its bytes come, and who stops reading them?",
};

/**
 * What the kernel may hold in one connection whose ends both send and do not read: two send and two receive buffers at
 * their largest, by themselves (tcp_wmem and tcp_rmem in `man 7 tcp`) or as a program sets them (wmem_max and rmem_max
 * in `man 7 socket`, which the kernel doubles). In bytes.
 */
export function kernelBuffers(): number {
  const figures = (name: string) => {
    try {
      return readFileSync(`/proc/sys/net/${name}`, "latin1").trim().split(/\s+/).map(Number);
    } catch {
      return [0]; // net/core is not there in a network namespace of an older kernel
    }
  };
  const largest = (kind: "wmem" | "rmem") =>
    Math.max(figures(`ipv4/tcp_${kind}`).at(-1)!, 2 * figures(`core/${kind}_max`)[0]!);
  return 2 * (largest("wmem") + largest("rmem"));
}

/** Bytes of lines that are sent before the first reply is read: more than the kernel's buffers take on the way back. */
const unreadLines = 12 * MiB;

/** Bytes of lines that are sent when the first replies have been read. */
const newLines = 64 * 1024;

/** Reads until the kernel holds no more for a client whose server stands still. */
async function takeWhatIsThere(
  context: CheckContext,
  client: RawPeer,
  onBytes: (bytes: Uint8Array) => void,
): Promise<void> {
  let empty = 0;
  const isEmpty = () => {
    const before = client.received;
    for (let bytes = client.receiveSome(); bytes.length > 0; bytes = client.receiveSome()) onBytes(bytes);
    // What lies in the server's send buffer comes when there is room, which may be a moment later.
    empty = client.received === before ? empty + 1 : 0;
    return empty >= 5;
  };
  await context.waitFor(isEmpty, 2000, 1);
}

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
      // Room for what waits and a new line meet the server at once: what waits goes first.
      const early: Buffer[] = [];
      await whileStopped(context, server, async () => {
        await takeWhatIsThere(context, client, (bytes) => void early.push(Buffer.from(bytes)));
        const at = client.sent % pattern.sent.length;
        client.sendSome(pattern.sent.subarray(at, at + newLines));
      });
      await expectEveryReply(client, pattern, early);
    },
  );
}

/** Has one message answered. */
async function ask(client: TcpPeer, pattern: Pattern, message: string, withinMs?: number): Promise<void> {
  client.expectNothing();
  client.send(message);
  await client.expect(pattern.reply(message), { withinMs });
}

/** Has another client served again and again until `over`; `onReply` is called after each reply. */
async function expectOthersServed(
  context: CheckContext,
  server: Program,
  pattern: Pattern,
  over: () => boolean,
  onReply: () => void,
): Promise<void> {
  const other = await context.connect(server);
  for (let turn = 0; !over(); turn++) {
    try {
      await ask(other, pattern, `others in turn ${turn}\n`, replyWithinMs);
    } catch (error) {
      if (!(error instanceof CheckFailure)) throw error;
      throw new CheckFailure({
        ...error.evidence,
        summary: "another client is not served while one client sends without reading",
        observed: `${error.evidence.observed}; a send that waits for the one client stops all others`,
        hint: hints.blocks,
      });
    }
    onReply();
    await context.waitFor(over, 50);
  }
}

/** How {@link floodStaysBounded} is varied. */
export type FloodVariation = Overrides & {
  /** What is sent and comes back; lines by default, reversed. */
  pattern?: (context: CheckContext) => Pattern;
  /** Connections that a byte passes on its way, one after the other: 2 through a relay. */
  connections?: number;
};

/**
 * A client that floods and never reads: the server stops reading it, stays small, and serves the others.
 *
 * What the kernel may take is what fits into its buffers, and into the program's own queues as far as it may grow. A
 * server counts as having stopped when bytes lie unread in its socket while it serves somebody else: one that is slow,
 * or has no processor, is no such one, and neither is it at fault.
 */
export function floodStaysBounded(
  surroundings: Surroundings = nothingAround,
  { pattern: makePattern = linePattern, connections = 1, ...overrides }: FloodVariation = {},
): Check {
  return check(
    "flood",
    {
      title: "stays small and serves others while a client sends and never reads",
      points: 4,
      after: ["two-clients"],
      waits: true,
      limitMs: 120_000,
      why: "Replies that a client does not take have to wait somewhere. A server that keeps them all grows until the system ends it, and one client is enough to do that; a server that waits in send serves nobody else. The way out is to stop reading from whoever does not read: then its own send waits.",
      see: ["send(2)", "tcp(7)", "docs/guides/backpressure.md"],
      byHand: 'yes | nc 127.0.0.1 8001 | sleep 60   (and watch VmRSS in /proc/"$(pgrep -n node)"/status)',
      ...overrides,
    },
    async (context) => {
      const server = await startIn(context, surroundings);
      const pattern = makePattern(context);
      // Once in the same way with a client that reads, so that the program has what memory it needs for that.
      const warming = await context.connect(server);
      warming.send(pattern.sent);
      await warming.expect(pattern.replies, {
        what: "the replies to all that was sent",
        withinMs: 20_000,
      });
      const before = residentBytes(context.tree.alive());
      const client = await context.connectRaw(server);
      const expectSmall = () => {
        const grown = residentBytes(context.tree.alive()) - before;
        assert(grown < growthLimit, {
          summary: `${server.name} grows with what a client sends and does not read`,
          expected: `less than ${growthLimit / MiB} MiB more memory than before`,
          observed: `${Math.round(grown / MiB)} MiB more after ${count(client.sent, "byte")} that the kernel took; nothing stops the reading`,
          hint: hints.grows,
        });
      };
      let served = 0;
      let isOver = false;
      const sending = client
        .floodUntilStuck(pattern.sent, connections * kernelBuffers() + growthLimit, {
          served: () => served,
          forMs: floodMs,
        })
        .finally(() => {
          isOver = true;
        });
      const onReply = () => {
        served++;
        expectSmall();
      };
      const [isStuck] = await Promise.all([
        sending,
        expectOthersServed(context, server, pattern, () => isOver, onReply),
      ]);
      expectSmall();
      assert(client.broken === undefined, {
        summary: `the connection of the client that did not read was broken (${client.broken})`,
        expected: "a connection that waits until its client reads",
        observed: `${client.broken} after ${count(client.sent, "byte")}`,
      });
      assert(isStuck, {
        summary: `${server.name} goes on reading from a client that does not read`,
        expected: "that the kernel takes no more bytes of this client once its replies fill the buffers",
        observed: `the kernel took ${count(client.sent, "byte")}, and would take more`,
        hint: hints.grows,
      });
      await expectEveryReply(client, pattern);
    },
  );
}
