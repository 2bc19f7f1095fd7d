import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  AF_INET,
  AF_UNIX,
  accept4,
  bind,
  connect,
  EAGAIN,
  EBADF,
  ECONNRESET,
  ENOTCONN,
  EPIPE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  EpollEvents,
  epoll_create1,
  epoll_wait,
  getsockname,
  MSG_DONTWAIT,
  MSG_MORE,
  MSG_NOSIGNAL,
  MSG_PEEK,
  pread,
  recv,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_LINGER,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SockaddrStorage,
  send,
  setsockopt,
  shutdown,
  socket,
  socketpair,
} from "./index.ts";
import { closed, closing, listener, needs, tcpPair, tcpSocket, waitFor } from "./test-sockets.ts";

function unixPair(flags = SOCK_NONBLOCK): [number, number] {
  return socketpair(AF_UNIX, SOCK_STREAM | flags).map(closing) as [number, number];
}

/** Bytes whose value tells their position. */
function numbered(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = index * 7 + (index >> 8);
  return bytes;
}

/** Everything that arrives until the end of the stream or `length` bytes. */
function receiveAll(fd: number, length: number): Buffer {
  const parts: Buffer[] = [];
  const buffer = Buffer.alloc(65536);
  let total = 0;
  while (total < length) {
    waitFor(fd, EPOLLIN);
    const count = recv(fd, buffer, buffer.length);
    if (count <= 0) break;
    parts.push(Buffer.from(buffer.subarray(0, count)));
    total += count;
  }
  return Buffer.concat(parts);
}

describe.each(["IPv4", "IPv6"] as const)("send and recv over %s", (family) => {
  it("carry bytes of every value, and leave the rest of the buffer alone", (context) => {
    needs(family, context);
    const { client, server } = tcpPair(family);
    const sent = Uint8Array.from({ length: 256 }, (_, value) => value);
    expect(send(client, sent, 256)).toBe(256);
    waitFor(server, EPOLLIN);
    const buffer = Buffer.alloc(300, 0xaa);
    expect(recv(server, buffer, 300)).toBe(256);
    expect(buffer.equals(Buffer.concat([sent, Buffer.alloc(44, 0xaa)]))).toBe(true);
  });
});

describe("recv", () => {
  it("returns -EAGAIN when nothing has come, and 0 at the end of the stream", () => {
    const { client, server } = tcpPair();
    expect(recv(server, new Uint8Array(8), 8)).toBe(-EAGAIN);
    closed(client);
    waitFor(server, EPOLLRDHUP);
    expect(recv(server, new Uint8Array(8), 8)).toBe(0);
  });

  it("takes no more than the length and keeps the rest for the next call", () => {
    const [a, b] = unixPair();
    send(a, Buffer.from("abcdef"), 6);
    const buffer = Buffer.alloc(8, ".");
    expect([recv(b, buffer, 4), buffer.toString()]).toEqual([4, "abcd...."]);
    expect([recv(b, buffer, 8), buffer.toString()]).toEqual([2, "efcd...."]);
  });

  it("leaves the bytes where they are with MSG_PEEK", () => {
    const [a, b] = unixPair();
    send(a, Buffer.from("x"), 1);
    const buffer = new Uint8Array(2);
    expect([recv(b, buffer, 2, MSG_PEEK), recv(b, buffer, 2), recv(b, buffer, 2)]).toEqual([1, 1, -EAGAIN]);
  });

  it("does not wait on a blocking socket with MSG_DONTWAIT", () => {
    const [, b] = unixPair(0);
    expect(recv(b, new Uint8Array(1), 1, MSG_DONTWAIT)).toBe(-EAGAIN);
  });

  it("fills a view from the view's own start, also a small one that V8 keeps on its heap", () => {
    const [a, b] = unixPair();
    send(a, Buffer.from("xyz"), 3);
    const whole = new Uint8Array(8);
    expect(recv(b, whole.subarray(5), 3)).toBe(3);
    expect([...whole]).toEqual([0, 0, 0, 0, 0, 120, 121, 122]);
  });

  it("returns -ECONNRESET after the peer has closed with SO_LINGER 0, and then send returns -EPIPE", () => {
    const { client, server } = tcpPair();
    setsockopt(client, SOL_SOCKET, SO_LINGER, 0);
    closed(client);
    expect(waitFor(server, EPOLLIN) & EPOLLHUP).toBe(EPOLLHUP);
    expect(recv(server, new Uint8Array(1), 1)).toBe(-ECONNRESET);
    expect(send(server, new Uint8Array(1), 1)).toBe(-EPIPE);
  });

  it("reports what is not connected or not open", () => {
    expect(recv(tcpSocket(), new Uint8Array(1), 1)).toBe(-ENOTCONN);
    expect(recv(-1, new Uint8Array(1), 1)).toBe(-EBADF);
  });
});

describe("send", () => {
  it("takes a part when the kernel's buffer is nearly full, then -EAGAIN, and every taken byte arrives once", () => {
    const { client, server } = tcpPair();
    setsockopt(client, SOL_SOCKET, SO_SNDBUF, 32768);
    const data = numbered(2 * 1024 * 1024);
    let taken = 0;
    let partial = false;
    for (;;) {
      const count = send(client, data.subarray(taken), data.length - taken);
      if (count < 0) {
        expect(count).toBe(-EAGAIN);
        break;
      }
      partial ||= count < data.length - taken;
      taken += count;
    }
    expect(partial).toBe(true);
    expect(receiveAll(server, taken).equals(data.subarray(0, taken))).toBe(true);
    waitFor(client, EPOLLOUT);
    expect(send(client, data, 1)).toBe(1);
  });

  it("sends from the start of the buffer, as many bytes as the length says", () => {
    const [a, b] = unixPair();
    expect(send(a, Buffer.from("hello"), 2, MSG_NOSIGNAL)).toBe(2);
    expect(receiveAll(b, 2).toString()).toBe("he");
  });

  it("passes its flags on: with MSG_MORE, UDP waits for the rest of the datagram", () => {
    const [from, to] = [0, 1].map(() => closing(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK))) as [
      number,
      number,
    ];
    bind(to, { host: "127.0.0.1", port: 0 });
    connect(from, getsockname(to));
    send(from, Buffer.from("head "), 5, MSG_MORE);
    expect(recv(to, new Uint8Array(8), 8)).toBe(-EAGAIN);
    send(from, Buffer.from("body"), 4);
    waitFor(to, EPOLLIN);
    const buffer = Buffer.alloc(16);
    expect([recv(to, buffer, 16), buffer.toString("latin1", 0, 9)]).toEqual([9, "head body"]);
  });

  it("returns -EPIPE after the own sending was shut down", () => {
    const { client } = tcpPair();
    shutdown(client, SHUT_WR);
    expect(send(client, new Uint8Array(1), 1)).toBe(-EPIPE);
  });
});

describe("a length outside the buffer", () => {
  const [over, negative, notANumber] = [9, -1, Number.NaN];
  it.each([over, negative, notANumber])("is refused by recv: %d", (length) => {
    const [a, b] = unixPair();
    send(a, new Uint8Array(20), 20);
    const neighbour = new Uint8Array(32);
    expect(() => recv(b, neighbour.subarray(0, 8), length)).toThrow(RangeError);
    expect(() => recv(b, neighbour.subarray(0, 8), length)).toThrow(
      `recv: length ${length} must be between 0 and the buffer's 8 bytes`,
    );
    expect(recv(b, new Uint8Array(64), 64)).toBe(20); // nothing was taken by the refused calls
  });

  it.each([over, negative, notANumber])("is refused by send: %d", (length) => {
    const [a, b] = unixPair();
    expect(() => send(a, new Uint8Array(8), length)).toThrow(
      `send: length ${length} must be between 0 and the buffer's 8 bytes`,
    );
    expect(recv(b, new Uint8Array(64), 64)).toBe(-EAGAIN);
  });
});

describe("shutdown", () => {
  it("ends one direction: the peer reads the end but can still be heard", () => {
    const { client, server } = tcpPair();
    expect(shutdown(client, SHUT_WR)).toBe(0);
    waitFor(server, EPOLLRDHUP);
    expect(recv(server, new Uint8Array(1), 1)).toBe(0);
    expect(send(server, Buffer.from("late"), 4)).toBe(4);
    expect(receiveAll(client, 4).toString()).toBe("late");
  });

  it("ends the receiving at once", () => {
    const { server } = tcpPair();
    expect(shutdown(server, SHUT_RD)).toBe(0);
    expect(recv(server, new Uint8Array(1), 1)).toBe(0);
  });

  it("returns -ENOTCONN for a socket that never was connected", () => {
    expect(shutdown(tcpSocket(), SHUT_RDWR)).toBe(-ENOTCONN);
  });
});

describe("the data path", () => {
  it("allocates nothing on the JavaScript heap", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const [a, b] = unixPair();
    const { fd } = listener();
    const set = closing(epoll_create1());
    const events = new EpollEvents(4);
    const peer = new SockaddrStorage();
    const buffer = new Uint8Array(4096);
    const round = (): void => {
      send(a, buffer, 64);
      recv(b, buffer, 4096);
      recv(b, buffer, 4096);
      accept4(fd, peer, SOCK_NONBLOCK);
      epoll_wait(set, events, 4, 0);
      pread(b, buffer, 64, 0);
    };
    const rounds = 10_000;
    for (let index = 0; index < rounds; index++) round(); // until V8 has compiled it
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < rounds; index++) round();
    const bytesPerRound = (process.memoryUsage().heapUsed - before) / rounds;
    // One small object in one of the six calls would be at least 16 bytes.
    expect(bytesPerRound).toBeLessThan(12);
  });
});
