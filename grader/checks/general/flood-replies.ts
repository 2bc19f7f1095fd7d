/** What comes back for a flood of bytes, when its client reads at last. */
import type { CheckContext } from "../../engine/context.ts";
import { assert, count, firstDifference } from "../../engine/evidence.ts";
import type { RawPeer } from "../../engine/raw-peer.ts";
import { reversed } from "./lines.ts";

const MiB = 1024 * 1024;
/** How long the next mebibyte of replies may take once they are read. */
const nextPartWithinMs = 5000;
const patternLines = 2000;

/** What to look for, by what was seen. */
const hints = {
  loses:
    "send may take a part of its bytes, or none. Follow a piece of which it takes a part: where does the rest wait, what is sent before it, and is it counted once?",
  sleeps:
    "Bytes wait, there is room, and nothing happens: something was to be told once and was missed. With edge-triggered epoll that is room after a send that did not meet -EAGAIN, or input that was there already when reading stopped.",
};

/** What a client sends again and again, and what has to come back for it: the same number of bytes. */
export type Pattern = {
  sent: Buffer;
  replies: Buffer;
  /** What comes back for one message, or for a last one without its line end. */
  reply: (message: string | Uint8Array) => Buffer;
};

/** Lines of many lengths, in random letters, which come back reversed. 2,000 of them are a mebibyte. */
export function linePattern({ random }: CheckContext, length = patternLines): Pattern {
  const lines = Array.from({ length }, () => Buffer.from(`${random.word(random.integer(1, 1000))}\n`));
  return { sent: Buffer.concat(lines), replies: Buffer.concat(lines.map(reversed)), reply: reversed };
}

/** A mebibyte of random bytes, which come back as they are. */
export function echoPattern({ random }: CheckContext): Pattern {
  const sent = Buffer.from(random.bytes(MiB));
  return { sent, replies: sent, reply: (message) => Buffer.from(message as string) };
}

/** The bytes that come back for the first `length` bytes of a repeated pattern, once the stream has ended. */
function* expectedReplies({ sent, replies, reply }: Pattern, length: number): Generator<Buffer> {
  let left = length;
  for (; left >= sent.length; left -= sent.length) yield replies;
  const lineEnd = sent.subarray(0, left).lastIndexOf(0x0a) + 1;
  yield replies.subarray(0, lineEnd);
  yield reply(sent.subarray(lineEnd, left));
}

/** Compares bytes that come in pieces of any size with those that should. */
class Comparison {
  readonly #expected: Iterator<Buffer>;
  #piece: Buffer = Buffer.alloc(0);
  /** Bytes that were right. */
  right = 0;
  isWrong = false;

  constructor(expected: Iterable<Buffer>) {
    this.#expected = expected[Symbol.iterator]();
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.isWrong; ) {
      if (this.#piece.length === 0) {
        const next = this.#expected.next();
        if (next.done) this.isWrong = true;
        else this.#piece = next.value;
        continue;
      }
      const part = bytes.subarray(at, at + this.#piece.length);
      const difference = firstDifference(this.#piece.subarray(0, part.length), part);
      this.isWrong = difference !== -1;
      const same = this.isWrong ? difference : part.length;
      this.right += same;
      at += same;
      this.#piece = this.#piece.subarray(same);
    }
  }
}

/**
 * Ends sending, then reads all replies to a flood and compares them, to the end of the stream.
 * @param early replies that were read already
 */
export async function expectEveryReply(
  client: RawPeer,
  pattern: Pattern,
  early: Uint8Array[] = [],
): Promise<void> {
  const length = client.sent;
  client.end();
  const comparison = new Comparison(expectedReplies(pattern, length));
  const add = (bytes: Uint8Array) => comparison.add(bytes);
  early.forEach(add);
  while (client.received < length && !comparison.isWrong) {
    const part = Math.min(MiB, length - client.received);
    if (!(await client.receive(part, add, nextPartWithinMs))) break;
  }
  assert(!comparison.isWrong, {
    summary: "the client that reads late gets wrong bytes",
    expected: "the reply to every byte, in order",
    observed: `the first wrong byte is number ${(comparison.right + 1).toLocaleString("en-US")} of ${length.toLocaleString("en-US")}: bytes were lost, doubled or swapped`,
    hint: hints.loses,
  });
  assert(client.received === length, {
    summary: "the client that reads late does not get all replies",
    expected: `${count(length, "byte")}, as many as it sent`,
    observed: describeReceived(client),
    hint: client.over ? hints.loses : hints.sleeps,
  });
  const surplus = await client.receive(1, () => {}, nextPartWithinMs);
  assert(!surplus && client.ended, {
    summary: "the stream of replies does not end after the last one, although its client has ended sending",
    expected: `${count(length, "byte")}, then the end`,
    observed: describeReceived(client),
  });
}

function describeReceived({ broken, ended, received }: RawPeer): string {
  const then = broken === undefined ? (ended ? "then the end" : "and nothing more") : `then ${broken}`;
  return `${count(received, "byte")}, ${then}`;
}
