import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  accept4,
  connect,
  O_RDONLY,
  open,
  recv,
  SHUT_WR,
  SO_LINGER,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  send,
  setsockopt,
  shutdown,
} from "expserver-course/linux";
import { describe, expect, onTestFinished, test } from "vitest";
import { closed, closing, listener, tcpSocket, waitFor } from "../../../linux/test-sockets.ts";
import { TcpConnection } from "./tcp-connection.ts";
import { SteppedLoop } from "./test-loop.ts";
import { PlainTransport } from "./transport.ts";

/** A byte beside the stream, which stops a `recv` at its place (`man 7 tcp`, urgent data). */
const MSG_OOB = 1;

/** More than the kernel takes of anybody whose peer does not read. */
const tooMuch = 1024 * 1024;

/** A connection on a loop whose turns are the test's, with its peer's descriptor and what its handler was told. */
function connected() {
  const loop = new SteppedLoop();
  const { fd: listening, address } = listener();
  const peer = tcpSocket("IPv4", SOCK_NONBLOCK);
  // Small buffers, so that little fills them.
  setsockopt(peer, SOL_SOCKET, SO_RCVBUF, 16 * 1024);
  connect(peer, address);
  waitFor(listening, 0x1);
  const fd = accept4(listening, null, SOCK_NONBLOCK);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, 16 * 1024);
  const connection = new TcpConnection(loop.asLoop, new PlainTransport(fd), address);
  onTestFinished(() => connection.destroy());
  const told: string[] = [];
  const handler = {
    onData: (bytes: Uint8Array, length: number) =>
      void told.push(length > 100 ? `${length} bytes` : Buffer.from(bytes.subarray(0, length)).toString()),
    onEnd: () => void told.push("end"),
    onDrain: () => void told.push("drain"),
    onClose: (error: string | undefined) => void told.push(`close: ${error}`),
  };
  connection.handler = handler;
  const say = (text: string, flags = 0) => send(peer, Buffer.from(text), text.length, flags);
  return { loop, connection, peer, told, handler, say };
}

/** Receives what has come by now. Returns how many bytes, or the errno that stands behind them. */
function receiveAll(peer: number): { bytes: number; last: number } {
  const buffer = new Uint8Array(64 * 1024);
  for (let bytes = 0; ; ) {
    const count = recv(peer, buffer, buffer.length);
    if (count <= 0) return { bytes, last: count };
    bytes += count;
  }
}

/** Reads and turns until so many bytes have arrived. */
function receiveBytes(loop: SteppedLoop, peer: number, wanted: number): void {
  for (let got = 0; got < wanted; ) {
    const { bytes, last } = receiveAll(peer);
    got += bytes;
    if (last !== -11) break;
    if (got < wanted && loop.turn(bytes === 0 ? 100 : 0) === 0 && bytes === 0) waitFor(peer, 0x1);
  }
}

function reset(peer: number): void {
  setsockopt(peer, SOL_SOCKET, SO_LINGER, 0);
  closed(peer);
}

/** A file that counts how often it was released. */
function temporaryFile(length: number) {
  const folder = mkdtempSync(join(tmpdir(), "connection-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "file");
  writeFileSync(path, Buffer.alloc(length, "f"));
  const fd = closing(open(path, O_RDONLY));
  const file = { path, fd, released: 0, release: () => void file.released++ };
  return file;
}

describe("onDrain", () => {
  test("follows a write that returned false, once, when little waits any more", () => {
    const { loop, connection, peer, told } = connected();
    loop.settle();
    expect(connection.write(new Uint8Array(tooMuch))).toBe(false);
    loop.settle();
    expect(told).toEqual([]);
    receiveBytes(loop, peer, tooMuch);
    loop.settle();
    expect(told).toEqual(["drain"]);
    expect(connection.isWritable).toBe(true);
  });

  test("is not told to whom no write returned false", () => {
    const { loop, connection, peer, told } = connected();
    expect(connection.write(new Uint8Array(10))).toBe(true);
    loop.settle();
    receiveBytes(loop, peer, 10);
    loop.settle();
    expect(told).toEqual([]);
  });

  test("follows although a file that was sent in between took the last bytes along", () => {
    const { loop, connection, peer, told } = connected();
    loop.settle();
    const size = 300 * 1024;
    expect(connection.write(new Uint8Array(size))).toBe(false);
    // The peer makes room, and before the loop hears of it a file is sent.
    for (let round = 0; round < 50; round++) {
      receiveAll(peer);
      const file = temporaryFile(1);
      connection.sendFile(file, 0, 1);
      if (connection.isWritable) break;
    }
    for (let turn = 0; turn < 200 && told.length === 0; turn++) {
      receiveAll(peer);
      loop.turn(10);
    }
    expect(told).toEqual(["drain"]);
  });
});

describe("a write that has to wait", () => {
  test("costs one attempt, not another one in each turn", () => {
    const { loop, connection } = connected();
    loop.settle();
    connection.write(new Uint8Array(tooMuch));
    expect(loop.agains).toBe(0);
    connection.write(new Uint8Array(10));
    expect(loop.agains).toBe(0);
  });
});

describe("reading", () => {
  test("goes on behind urgent data, where recv returns short and no edge follows", () => {
    const { loop, told, say } = connected();
    loop.settle();
    say("one ");
    say("!", MSG_OOB);
    say("two");
    loop.until(() => told.join("").includes("one"));
    loop.settle();
    expect(told.join("")).toBe("one two");
  });

  test("rests while paused, and nothing is lost although the edge has passed", () => {
    const { loop, connection, told, say } = connected();
    loop.settle();
    connection.pause();
    say("hello");
    loop.turn(2000);
    loop.settle();
    expect(told).toEqual([]);
    connection.resume();
    loop.until(() => told.length > 0);
    expect(told).toEqual(["hello"]);
  });

  test("meets the end behind the last bytes, also when both came while paused", () => {
    const { loop, connection, peer, told, say } = connected();
    connection.pause();
    say("last");
    shutdown(peer, SHUT_WR);
    loop.turn(2000);
    loop.settle();
    connection.resume();
    loop.until(() => told.includes("end"));
    expect(told).toEqual(["last", "end"]);
  });
});

describe("a connection that breaks", () => {
  test("is told once, with the reason", () => {
    const { loop, connection, peer, told } = connected();
    loop.settle();
    reset(peer);
    loop.until(() => connection.isClosed);
    loop.settle();
    connection.destroy();
    connection.abort();
    expect(told).toEqual(["close: connection reset by peer (ECONNRESET)"]);
  });

  test("is noticed although its peer had ended before, and nothing is being sent", () => {
    const { loop, connection, peer, told } = connected();
    shutdown(peer, SHUT_WR);
    loop.until(() => told.includes("end"));
    reset(peer);
    loop.until(() => connection.isClosed);
    expect(told).toEqual(["end", expect.stringMatching(/^close: .*\(E/)]);
  });

  test("is noticed while paused, after its peer's end", () => {
    const { loop, connection, peer, told } = connected();
    shutdown(peer, SHUT_WR);
    loop.until(() => told.includes("end"));
    connection.pause();
    reset(peer);
    loop.until(() => connection.isClosed);
    expect(told[1]).toMatch(/^close: .*\(E/);
  });

  test("is noticed when it comes with the very bytes that make the handler pause", () => {
    const { loop, connection, peer, told, handler, say } = connected();
    handler.onData = (_bytes, length) => {
      told.push(`${length} bytes`);
      connection.pause();
    };
    loop.settle();
    say("one");
    reset(peer);
    loop.until(() => connection.isClosed);
    expect(told).toEqual(["3 bytes", "close: connection reset by peer (ECONNRESET)"]);
  });

  test("is told as a break also to whom just ended it", () => {
    const { loop, connection, peer, told } = connected();
    loop.settle();
    reset(peer);
    waitFor(connection.transport.fd, 0x1);
    connection.end();
    loop.settle();
    expect(told).toEqual([expect.stringMatching(/^close: .*\(E/)]);
  });

  test("still brings what the peer had sent before", () => {
    const { loop, connection, peer, told, say } = connected();
    loop.settle();
    say("last words");
    shutdown(peer, SHUT_WR);
    closed(peer); // its answer to our bytes is a reset
    connection.write(new Uint8Array(10));
    connection.write(new Uint8Array(10));
    loop.until(() => connection.isClosed);
    expect(told[0]).toBe("last words");
  });

  test("while it was paused and its writes failed does not stay open", () => {
    const { loop, connection, peer, told, handler, say } = connected();
    handler.onDrain = () => {
      told.push("drain");
      connection.resume();
    };
    loop.settle();
    connection.write(new Uint8Array(tooMuch));
    connection.pause();
    say("unread");
    loop.turn(2000);
    reset(peer);
    loop.until(() => connection.isClosed);
    expect(told.at(-1)).toMatch(/^close: .*\(E/);
  });
});

describe("a file that shrinks while it is sent", () => {
  test("cuts the connection: its peer must not take a part for the whole", () => {
    const { loop, connection, peer, told } = connected();
    loop.settle();
    const file = temporaryFile(tooMuch);
    connection.sendFile(file, 0, tooMuch);
    connection.end();
    truncateSync(file.path, 10);
    let last = 0;
    for (let turn = 0; turn < 200 && (last === 0 || last === -11) && !connection.isClosed; turn++) {
      last = receiveAll(peer).last;
      loop.turn(20);
    }
    expect(connection.isClosed).toBe(true);
    expect(told.at(-1)).toMatch(/^close: .*EIO/);
    expect(receiveAll(peer).last).toBe(-104);
    expect(file.released).toBe(1);
  });
});

describe("destroy", () => {
  test("is idempotent, releases files, and leaves the loop", () => {
    const { loop, connection, told } = connected();
    const { fd } = connection.transport;
    const file = temporaryFile(tooMuch * 4);
    connection.sendFile(file, 0, tooMuch * 4);
    connection.destroy();
    connection.destroy();
    expect(loop.isWatched(fd)).toBe(false);
    expect(file.released).toBe(1);
    expect(told).toEqual(["close: undefined"]);
  });

  test("may be called by the file that is released", () => {
    const { loop, connection, peer, told } = connected();
    loop.settle();
    const file = temporaryFile(10);
    connection.write(new Uint8Array(tooMuch));
    connection.sendFile({ fd: file.fd, release: () => connection.destroy() }, 0, 10);
    connection.end();
    receiveBytes(loop, peer, tooMuch + 10);
    loop.settle();
    expect(told.filter((each) => each.startsWith("close"))).toEqual(["close: undefined"]);
  });
});

describe("lingering", () => {
  test("drops what the peer still sends, and closes at its end", () => {
    const { loop, connection, peer, told, say } = connected();
    loop.settle();
    connection.write(Buffer.from("answer"));
    connection.endGracefully();
    say("more");
    loop.turn(2000);
    shutdown(peer, SHUT_WR);
    loop.until(() => connection.isClosed);
    expect(told).toEqual(["close: undefined"]);
    expect(receiveAll(peer)).toEqual({ bytes: 6, last: 0 });
  });

  test("reads again for whoever was paused", () => {
    const { loop, connection, peer, say } = connected();
    connection.pause();
    say("unread");
    loop.turn(2000);
    connection.endGracefully();
    loop.settle();
    expect(connection.bytesReceived).toBe(6);
    shutdown(peer, SHUT_WR);
    loop.until(() => connection.isClosed);
  });

  test("has an end although the peer's never comes", () => {
    const { loop, connection, told } = connected();
    loop.settle();
    connection.write(Buffer.from("answer"));
    connection.endGracefully();
    for (let second = 0; second < 3; second++) {
      loop.advance(1000);
      loop.settle();
    }
    expect(told).toEqual(["close: undefined"]);
    expect(loop.timers.size).toBe(0);
  });

  test("waits for a peer that goes on taking bytes, however slowly", () => {
    const { loop, connection, peer } = connected();
    loop.settle();
    connection.write(new Uint8Array(tooMuch));
    connection.endGracefully();
    let bytes = 0;
    for (let second = 0; bytes < tooMuch && second < 1000; second++) {
      const buffer = new Uint8Array(16 * 1024);
      const count = recv(peer, buffer, buffer.length);
      if (count === 0) break;
      if (count > 0) bytes += count;
      else waitFor(peer, 0x1);
      loop.turn(5);
      loop.settle();
      if (count > 0) loop.advance(900);
    }
    expect(bytes).toBe(tooMuch);
  });

  test("leaves no timer behind when the connection breaks", () => {
    const { loop, connection, peer } = connected();
    loop.settle();
    connection.write(Buffer.from("answer"));
    connection.endGracefully();
    loop.settle();
    reset(peer);
    loop.until(() => connection.isClosed);
    expect(loop.timers.size).toBe(0);
  });
});
