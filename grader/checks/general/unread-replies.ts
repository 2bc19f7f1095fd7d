/** Clients that leave their replies unread for a while, or for ever. */
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, count } from "../../engine/evidence.ts";
import type { Program } from "../../engine/program.ts";
import type { RawPeer } from "../../engine/raw-peer.ts";
import type { IdleSituation } from "./idle.ts";
import { exchange, reversed } from "./lines.ts";
import { nothingAround, type Overrides, type Surroundings, startIn } from "./surroundings.ts";

const MiB = 1024 * 1024;
/** Bytes that the kernel keeps for a client which does not read; so that most of a reply waits in the server. */
const receiveBuffer = 16 * 1024;
/** More replies than the kernel takes between a server and such a client: its send buffer grows to 4 MiB (`man 7 tcp`). */
const unreadBytes = 8 * MiB;
const manyLines = Buffer.from("one line of very many\n".repeat(20_000));
const longLine = 300 * 1024;

/** A client that has sent more than it wants to read the replies to. */
async function clientWithUnreadReplies(context: CheckContext, server: Program): Promise<RawPeer> {
  const client = await context.connectRaw(server, { receiveBuffer });
  await client.floodUntilStuck(manyLines, unreadBytes);
  return client;
}

/** Replies that nobody takes cost memory, and no time. */
export const unreadReplies: IdleSituation[] = [
  {
    when: "a client does not read its replies",
    async arrange(context, server) {
      await clientWithUnreadReplies(context, server);
    },
  },
  {
    when: "a client has ended sending and does not read its replies",
    async arrange(context, server) {
      (await clientWithUnreadReplies(context, server)).end();
    },
  },
];

/** A line may be longer than any buffer on its way. */
export function answersLongLine(
  surroundings: Surroundings = nothingAround,
  overrides: Overrides = {},
): Check {
  return check(
    "long-line",
    {
      title: "reverses a line of 300 KiB for a client that reads late",
      points: 2,
      after: ["line-in-pieces"],
      why: "A line is as long as its client likes, and comes in as many pieces as the network likes. A server that has room for one buffer cuts it, or loses what lies in front.",
      see: ["recv(2)", "send(2)", "docs/guides/tcp-is-a-byte-stream.md"],
      byHand: `(head -c 307200 /dev/zero | tr '\\0' x; echo) | nc -N 127.0.0.1 8001 | wc -c   (says 307201)`,
      ...overrides,
    },
    async (context) => {
      const server = await startIn(context, surroundings);
      const client = await context.connectRaw(server, { receiveBuffer });
      const line = Buffer.from(`${context.random.word(longLine)}\n`);
      context.step(`${client.name} sends a line of ${count(line.length, "byte")}, and does not read`);
      const sentAll = await context.waitFor(
        () => {
          client.sendSome(line.subarray(client.sent));
          return client.sent === line.length || client.broken !== undefined;
        },
        10_000,
        1,
      );
      assert(sentAll && client.broken === undefined, {
        summary: `${server.name} does not take a line of ${count(line.length, "byte")}`,
        expected: "that it reads until the line end comes",
        observed:
          client.broken === undefined
            ? `the kernel took ${count(client.sent, "byte")}, and no more`
            : `the connection broke after ${count(client.sent, "byte")} (${client.broken})`,
      });
      await exchange(await context.connect(server), "meanwhile, a short one\n");
      const pieces: Buffer[] = [];
      await client.receive(line.length, (bytes) => pieces.push(Buffer.from(bytes)));
      const got = Buffer.concat(pieces);
      const expected = reversed(line);
      const wrongAt = got.findIndex((byte, index) => byte !== expected[index]);
      assert(wrongAt === -1 && got.length === line.length, {
        summary: "a long line does not come back as it should",
        expected: `its ${count(line.length, "byte")} in reverse order, the line end last`,
        observed: `${count(got.length, "byte")}${wrongAt === -1 ? ", all right so far" : `, the first wrong one is number ${wrongAt + 1}`}${
          client.broken === undefined ? (client.ended ? ", then the end" : "") : `, then ${client.broken}`
        }`,
      });
    },
  );
}
