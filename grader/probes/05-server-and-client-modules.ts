/** What the modules of stage 5 promise to each other, seen from inside. */
import { readdirSync } from "node:fs";
import { Client } from "workspace:network/client";
import { LineReverser } from "workspace:network/lines";
import type { Handler, Poller } from "workspace:network/poller";
import { Server } from "workspace:network/server";
import { listenOn } from "workspace:network/socket";
import {
  AF_INET,
  accept4,
  bind,
  close,
  connect,
  EPOLLIN,
  F_DUPFD_CLOEXEC,
  fcntl,
  getsockname,
  INADDR_LOOPBACK,
  listen,
  recv,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  type SocketAddress,
  SystemCallError,
  setsockopt,
  socket,
} from "expserver-course/linux";
import { assert, CheckFailure, count, quote } from "../engine/evidence.ts";

const loopback: SocketAddress = { host: INADDR_LOOPBACK, port: 0 };

/** A poller that waits for nothing: the probe calls the handlers by itself. */
class ManualPoller implements Poller {
  readonly watched = new Map<number, { events: number; handler: Handler }>();

  add(fd: number, events: number, handler: Handler): void {
    this.watched.set(fd, { events, handler });
  }
  modify(fd: number, events: number): void {
    const entry = this.watched.get(fd);
    assert(entry !== undefined, {
      summary: "modify is called for a descriptor that is not watched",
      expected: "add before modify, and no modify after remove",
      observed: `modify(${fd}, ${events})`,
    });
    entry.events = events;
  }
  remove(fd: number): void {
    this.watched.delete(fd);
  }
  /** Tells a descriptor's handler of events. */
  tell(fd: number, events: number): void {
    this.watched.get(fd)?.handler.onReady(events);
  }
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** A connected pair over TCP: ours, and the one that a server accepted. */
function connectedPair(): [number, number] {
  const listener = socket(AF_INET, SOCK_STREAM);
  bind(listener, loopback);
  listen(listener, 1);
  const ours = socket(AF_INET, SOCK_STREAM);
  setsockopt(ours, SOL_SOCKET, SO_RCVBUF, 4096);
  connect(ours, getsockname(listener));
  const theirs = accept4(listener, null, SOCK_NONBLOCK);
  setsockopt(theirs, SOL_SOCKET, SO_SNDBUF, 4096);
  close(listener);
  return [ours, theirs];
}

/** What a LineReverser sends for pieces of a stream. */
function reversedPieces(pieces: (string | Uint8Array)[]): string {
  let sent = "";
  const lines = new LineReverser((bytes, length) => {
    sent += Buffer.from(bytes.subarray(0, length)).toString("latin1");
  });
  for (const piece of pieces) {
    // As in a receive buffer: more room than bytes, and older bytes behind them.
    const bytes = Buffer.alloc(200, "older bytes\n");
    const length = bytes.fill(piece, 0, piece.length).length && piece.length;
    lines.push(bytes, length);
  }
  lines.end();
  return sent;
}

export const probes = {
  "busy-port"() {
    const holder = listenOn(loopback);
    const address = getsockname(holder);
    const before = openDescriptors();
    const poller = new ManualPoller();
    let error: unknown;
    try {
      new Server(poller, address, () => {});
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof SystemCallError && error.code === "EADDRINUSE", {
      summary: "a Server on a port that is taken does not say so",
      expected: "the SystemCallError EADDRINUSE of bind or listen, passed on",
      observed: error === undefined ? "no error" : String(error),
    });
    assert(openDescriptors() === before && poller.watched.size === 0, {
      summary: "a Server that could not listen leaves something behind",
      expected: "its socket closed again, and nothing in the poller",
      observed: `${count(openDescriptors() - before, "more open descriptor")}, ${count(poller.watched.size, "watched descriptor")}`,
    });
  },

  "server-destroy"() {
    const before = openDescriptors();
    const poller = new ManualPoller();
    const clients: Client[] = [];
    const server = new Server(poller, loopback, (client) => void clients.push(client));
    const listener = [...poller.watched.keys()][0]!;
    const ours = [0, 1].map(() => {
      const fd = socket(AF_INET, SOCK_STREAM);
      connect(fd, server.address);
      poller.tell(listener, EPOLLIN);
      return fd;
    });
    const held = server.clients.size;
    assert(clients.length === 2 && held === 2, {
      summary: "the Server does not hand over the clients that connect",
      expected: "one call of onClient for each of 2 connections, and both in `clients`",
      observed: `${count(clients.length, "call")}, ${count(held, "client")} in the set`,
    });
    server.destroy();
    assert(poller.watched.size === 0 && server.clients.size === 0 && openDescriptors() === before + 2, {
      summary: "server.destroy() leaves something open",
      expected: "the listening socket and both clients closed and out of the poller, and `clients` empty",
      observed: `${count(openDescriptors() - before - 2, "descriptor")} open, ${count(poller.watched.size, "descriptor")} watched, ${count(server.clients.size, "client")} in the set`,
    });
    const byte = new Uint8Array(1);
    for (const fd of ours) {
      assert(recv(fd, byte, 1) <= 0, {
        summary: "a client does not notice that server.destroy() was called",
        expected: "the end of its stream",
        observed: "bytes",
      });
    }
    const again = listenOn(server.address);
    server.destroy();
    assert(openDescriptors() === before + 3, {
      summary: "server.destroy() closes again when it is called twice",
      expected: "nothing at the second call: the numbers belong to others by then",
      observed: `descriptor ${again} of somebody else was closed`,
    });
    for (const fd of [...ours, again]) close(fd);
  },

  "client-destroy"() {
    const poller = new ManualPoller();
    const [ours, theirs] = connectedPair();
    let closed = 0;
    const client = new Client(poller, theirs, () => closed++);
    client.destroy();
    assert(!poller.watched.has(theirs), {
      summary: "client.destroy() leaves the descriptor in the poller",
      expected: "poller.remove before close",
      observed: `descriptor ${theirs} is watched still`,
    });
    const reused = fcntl(ours, F_DUPFD_CLOEXEC, theirs); // the number as the next accept would give it out
    client.destroy();
    const open = readdirSync("/proc/self/fd").includes(String(reused));
    assert(reused === theirs && open && closed === 1, {
      summary: "client.destroy() acts again when it is called twice",
      expected: "nothing at the second call: the number belongs to another socket by then",
      observed: `${open ? "" : `descriptor ${reused}, of another socket, was closed; `}onClose was called ${count(closed, "time")}`,
    });
    close(reused);
    close(ours);
  },

  "write-interest"() {
    const poller = new ManualPoller();
    const [ours, theirs] = connectedPair();
    const client = new Client(poller, theirs, () => {});
    const sent = Buffer.alloc(256 * 1024, "0123456789abcdef");
    client.send(sent.subarray(0, sent.length - 5));
    client.send(sent.subarray(sent.length - 5));
    client.end();
    const EPOLLOUT = 0x4;
    const asks = () => ((poller.watched.get(theirs)?.events ?? 0) & EPOLLOUT) !== 0;
    assert(asks(), {
      summary: "a client with unsent bytes does not ask for EPOLLOUT",
      expected: "EPOLLOUT in the mask while something waits to be sent",
      observed: `the mask 0x${(poller.watched.get(theirs)?.events ?? 0).toString(16)}`,
    });
    // Too early: soon the kernel takes nothing (EAGAIN), and that is no error.
    for (let turn = 0; turn < 20; turn++) poller.tell(theirs, EPOLLOUT);
    const received: Buffer[] = [];
    const buffer = new Uint8Array(4096);
    for (let turn = 0; turn < 10_000; turn++) {
      const length = recv(ours, buffer, buffer.length, 0x40);
      if (length === 0) break;
      if (length > 0) received.push(Buffer.from(buffer.subarray(0, length)));
      else if (asks()) poller.tell(theirs, EPOLLOUT);
    }
    const got = Buffer.concat(received);
    assert(got.equals(sent), {
      summary: "what waited was not sent as it was given",
      expected: `${count(sent.length, "byte")} in order, then the end`,
      observed: `${count(got.length, "byte")}${got.length === sent.length ? " in another order" : ""}`,
    });
    assert(!asks(), {
      summary: "a client without unsent bytes still asks for EPOLLOUT",
      expected: "EPOLLOUT out of the mask when nothing waits: a socket with room is ready all the time",
      observed: "EPOLLOUT in the mask",
    });
    client.destroy();
    close(ours);
  },

  "line-reverser"() {
    const cases: [pieces: string[], expected: string][] = [
      [["one\ntwo\n"], "eno\nowt\n"],
      [["o", "n", "e", "\n"], "eno\n"],
      [["on", "e\ntw", "o\nthree"], "eno\nowt\neerht"],
      [["\n\n", "\n"], "\n\n\n"],
      [["ab", "", "c\n"], "cba\n"],
      [[], ""],
    ];
    for (const [pieces, expected] of cases) {
      const observed = reversedPieces(pieces);
      if (observed === expected) continue;
      throw new CheckFailure({
        summary: "LineReverser sends other lines than expected",
        expected: `${quote(Buffer.from(expected))} for the pieces ${pieces.map((piece) => quote(Buffer.from(piece))).join(" ")}`,
        observed: quote(Buffer.from(observed, "latin1")),
      });
    }
  },
};
