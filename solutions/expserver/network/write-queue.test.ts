import { EAGAIN, EINTR, EIO, EPIPE } from "expserver-course/linux";
import { describe, expect, test } from "vitest";
import type { Transport } from "./transport.ts";
import { type SendableFile, WriteQueue } from "./write-queue.ts";

/** A transport that takes what it is told to take, and remembers it. */
class FakeTransport {
  taken = "";
  /** What the calls to come answer: a count at most, or a negative errno; after the last one everything is taken. */
  readonly answers: number[];
  calls = 0;

  constructor(...answers: number[]) {
    this.answers = answers;
  }

  get asTransport(): Transport {
    return this as unknown as Transport;
  }

  #answer(length: number): number {
    this.calls++;
    return Math.min(length, this.answers.shift() ?? length);
  }

  write(bytes: Uint8Array, length: number): number {
    const count = this.#answer(length);
    if (count > 0) this.taken += Buffer.from(bytes.subarray(0, count)).toString("latin1");
    return count;
  }

  sendFile(file: number, offset: number, length: number): number {
    const count = this.#answer(length);
    if (count > 0) this.taken += `<file ${file}: ${count} from ${offset}>`;
    return count;
  }
}

function queueWith(...answers: number[]) {
  const transport = new FakeTransport(...answers);
  const queue = new WriteQueue();
  const write = (text: string) =>
    queue.write(transport.asTransport, Buffer.from(text, "latin1"), text.length);
  const flush = () => queue.flush(transport.asTransport);
  const sendFile = (file: SendableFile, offset: number, length: number) =>
    queue.sendFile(transport.asTransport, file, offset, length);
  return { transport, queue, write, sendFile, flush };
}

/** A file that counts how often it was released. */
function file(fd: number) {
  const sendable = { fd, released: 0, release: () => void sendable.released++ };
  return sendable;
}

describe("write", () => {
  test("gives the transport at once what it takes, and keeps nothing", () => {
    const { transport, queue, write } = queueWith();
    expect(write("hello")).toBe(0);
    expect(transport.taken).toBe("hello");
    expect(queue).toMatchObject({ isEmpty: true, bytes: 0, sent: 5 });
  });

  test("keeps a copy of what was not taken: the caller's buffer is the caller's again", () => {
    const { transport, queue, flush } = queueWith(2, -EAGAIN);
    const bytes = Buffer.from("hello");
    expect(queue.write(transport.asTransport, bytes, bytes.length)).toBe(-EAGAIN);
    bytes.fill("x");
    expect(queue).toMatchObject({ isEmpty: false, bytes: 3, sent: 2 });
    expect(flush()).toBe(0);
    expect(transport.taken).toBe("hello");
    expect(queue).toMatchObject({ isEmpty: true, bytes: 0, sent: 5 });
  });

  test("never overtakes what waits, although there is room by now", () => {
    const { transport, write, flush } = queueWith(-EAGAIN);
    write("first ");
    expect(write("second")).toBe(-EAGAIN);
    expect(transport.taken).toBe("");
    flush();
    expect(transport.taken).toBe("first second");
  });

  test("asks on after a part was taken, until the transport says EAGAIN: an edge is promised by nothing else", () => {
    const { transport, write } = queueWith(1, 1, 1, -EAGAIN);
    expect(write("hello")).toBe(-EAGAIN);
    expect(transport.taken).toBe("hel");
    expect(transport.calls).toBe(4);
  });

  test("asks again after EINTR, which promises no edge either", () => {
    const { transport, queue, write } = queueWith(-EINTR, 2, -EINTR);
    expect(write("hello")).toBe(0);
    expect(transport.taken).toBe("hello");
    expect(queue.isEmpty).toBe(true);
  });

  test("tells of a connection that is over", () => {
    expect(queueWith(-EPIPE).write("hello")).toBe(-EPIPE);
    expect(queueWith(2, -EPIPE).write("hello")).toBe(-EPIPE);
  });

  test("keeps megabytes in order, over many chunks and odd parts", () => {
    const { transport, queue, write, flush } = queueWith(-EAGAIN);
    const text = Array.from({ length: 40_000 }, (_, line) => `line ${line}`).join("\n");
    for (let at = 0; at < text.length; at += 12_345) write(text.slice(at, at + 12_345));
    expect(queue.bytes).toBe(text.length);
    for (let part = 1; !queue.isEmpty; part += 7919) {
      transport.answers.push(part, -EAGAIN);
      expect([0, -EAGAIN]).toContain(flush());
    }
    expect(transport.taken === text).toBe(true);
    expect(queue.sent).toBe(text.length);
  });
});

describe("a file", () => {
  test("is sent at once when nothing waits", () => {
    const { transport, queue, sendFile } = queueWith();
    expect(sendFile(file(7), 0, 50)).toBe(0);
    expect(transport.taken).toBe("<file 7: 50 from 0>");
    expect(queue).toMatchObject({ isEmpty: true, files: 0 });
  });

  test("leaves in its place between bytes, and is released once it is sent", () => {
    const { transport, queue, write, sendFile, flush } = queueWith(-EAGAIN);
    const page = file(7);
    write("head ");
    expect(sendFile(page, 100, 50)).toBe(-EAGAIN);
    write(" tail");
    expect(queue).toMatchObject({ files: 1, bytes: 10 });
    transport.answers.push(5, 20, -EAGAIN);
    expect(flush()).toBe(-EAGAIN);
    expect(page.released).toBe(0);
    expect(flush()).toBe(0);
    expect(transport.taken).toBe("head <file 7: 20 from 100><file 7: 30 from 120> tail");
    expect(page.released).toBe(1);
    expect(queue).toMatchObject({ isEmpty: true, files: 0, bytes: 0, sent: 60 });
  });

  test("has its share of a turn, and no more", () => {
    const { queue, sendFile, transport } = queueWith();
    expect(sendFile(file(7), 0, 10 * 1024 * 1024)).toBe(0);
    expect(queue.isEmpty).toBe(false);
    expect(transport.taken).toBe("<file 7: 1048576 from 0>");
  });

  test("that is shorter than it was is an error, not an endless loop", () => {
    const { sendFile } = queueWith(10, 0);
    expect(sendFile(file(7), 0, 50)).toBe(-EIO);
  });

  test("of no bytes is released without a call", () => {
    const { sendFile, transport } = queueWith();
    const empty = file(7);
    expect(sendFile(empty, 0, 0)).toBe(0);
    expect(transport.calls).toBe(0);
    expect(empty.released).toBe(1);
  });
});

describe("clear", () => {
  test("drops everything and releases the files, once", () => {
    const { queue, write, sendFile } = queueWith(-EAGAIN);
    const page = file(7);
    write("head");
    sendFile(page, 0, 50);
    queue.clear();
    queue.clear();
    expect(queue).toMatchObject({ isEmpty: true, bytes: 0, files: 0 });
    expect(page.released).toBe(1);
  });

  test("hands no byte of one queue to another, although they share chunks", () => {
    const first = queueWith(-EAGAIN);
    first.write("secret");
    first.queue.clear();
    const second = queueWith(-EAGAIN);
    second.write("me");
    second.flush();
    expect(second.transport.taken).toBe("me");
  });
});
