import type { Client } from "workspace:network/client";
import { Server } from "workspace:network/server";
import { listenOn } from "workspace:network/socket";
import {
  AF_INET,
  close,
  connect,
  EPOLLIN,
  F_DUPFD_CLOEXEC,
  fcntl,
  getrlimit,
  getsockname,
  RLIMIT_NOFILE,
  recv,
  SOCK_STREAM,
  SystemCallError,
  setrlimit,
  socket,
} from "expserver-course/linux";
import { assert, count } from "../../engine/evidence.ts";
import { isReadable, loopback, ManualPoller, openDescriptors, untilReady } from "./surroundings.ts";

/** Connects a socket to a server and lets the server accept it. */
function come(ours: number, server: Server, poller: ManualPoller, listener: number): void {
  connect(ours, server.address);
  untilReady([[listener, EPOLLIN]]);
  poller.tell(listener, EPOLLIN);
}

/** A port that is taken is an error that leaves nothing open. */
export function leavesNothingOfBusyPort(): void {
  const holder = listenOn(loopback);
  const address = getsockname(holder);
  const before = openDescriptors().length;
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
  const more = openDescriptors().length - before;
  assert(more === 0 && poller.watched.size === 0, {
    summary: "a Server that could not listen leaves something behind",
    expected: "its socket closed again, and nothing in the poller",
    observed: `${count(more, "more open descriptor")}, ${count(poller.watched.size, "watched descriptor")}`,
  });
  close(holder);
  class FullPoller extends ManualPoller {
    override add(): void {
      throw new Error("the probe's poller takes nobody: that is all right");
    }
  }
  const beforeFull = openDescriptors().length;
  let refused = false;
  try {
    new Server(new FullPoller(), loopback, () => {});
  } catch {
    refused = true;
  }
  const left = openDescriptors().length - beforeFull;
  assert(refused && left === 0, {
    summary: "a Server whose socket the poller does not take leaves it open, or does not say so",
    expected: "the poller's error passed on, and the socket closed again",
    observed: `${refused ? "the error" : "no error"}, ${count(left, "more open descriptor")}`,
  });
}

/** `destroy` is idempotent, and complete: the listener, the clients, the port. */
export function destroysWithClients(): void {
  const before = openDescriptors().length;
  const poller = new ManualPoller();
  const clients: Client[] = [];
  const server = new Server(poller, loopback, (client) => void clients.push(client));
  const listener = [...poller.watched.keys()][0]!;
  const ours = [0, 1, 2].map(() => {
    const fd = socket(AF_INET, SOCK_STREAM);
    come(fd, server, poller, listener);
    return fd;
  });
  const held = server.clients.size;
  assert(clients.length === ours.length && held === ours.length, {
    summary: "the Server does not hand over the clients that connect",
    expected: "one call of onClient for each of 3 connections, and all in `clients`",
    observed: `${count(clients.length, "call")}, ${count(held, "client")} in the set`,
  });
  clients[0]!.destroy();
  assert(server.clients.size === held - 1 && !server.clients.has(clients[0]!), {
    summary: "a client that was closed is still one of the server's",
    expected: "that it leaves `clients` when it is closed: what stays there is never freed",
    observed: `${count(server.clients.size, "client")} in the set, where 2 are connected`,
  });
  server.destroy();
  const open = openDescriptors().length - before - ours.length;
  assert(poller.watched.size === 0 && server.clients.size === 0 && open === 0, {
    summary: "server.destroy() leaves something open",
    expected: "the listening socket and all clients closed and out of the poller, and `clients` empty",
    observed: `${count(open, "descriptor")} open, ${count(poller.watched.size, "descriptor")} watched, ${count(server.clients.size, "client")} in the set`,
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
  assert(openDescriptors().length === before + ours.length + 1, {
    summary: "server.destroy() closes again when it is called twice",
    expected: "nothing at the second call: the numbers belong to others by then",
    observed: `descriptor ${again} of somebody else was closed`,
  });
  for (const fd of [...ours, again]) close(fd);
}

/** Runs something while no descriptor can be opened; those that are open stay. */
function withoutFreeDescriptor(act: () => void): void {
  const limit = getrlimit(RLIMIT_NOFILE);
  const highest = Math.max(...openDescriptors().map(Number));
  setrlimit(RLIMIT_NOFILE, { ...limit, rlim_cur: highest + 1 });
  const fillers: number[] = [];
  try {
    for (;;) fillers.push(fcntl(0, F_DUPFD_CLOEXEC, 0));
  } catch {
    // EMFILE: every number below the limit is taken.
  }
  try {
    act();
  } finally {
    setrlimit(RLIMIT_NOFILE, limit);
    for (const fd of fillers) close(fd);
  }
}

/** EMFILE: the server looks away, and back when there is room. */
export function waitsForDescriptor(): void {
  const poller = new ManualPoller();
  const clients: Client[] = [];
  const server = new Server(poller, loopback, (client) => void clients.push(client));
  const listener = [...poller.watched.keys()][0]!;
  const [first, second] = [socket(AF_INET, SOCK_STREAM), socket(AF_INET, SOCK_STREAM)] as const;
  come(first, server, poller, listener);
  connect(second, server.address);
  untilReady([[listener, EPOLLIN]]);
  withoutFreeDescriptor(() => poller.tell(listener, EPOLLIN));
  assert(poller.watched.has(listener) && server.clients.size === 1, {
    summary: "a Server does not go on when no descriptor is left",
    expected: "that it keeps its listening socket and its client, and accepts nobody for a while",
    observed: `the listening socket is ${poller.watched.has(listener) ? "" : "not "}watched, ${count(server.clients.size, "client")} in the set`,
  });
  const spins = (poller.mask(listener) & EPOLLIN) !== 0 && isReadable(listener);
  assert(!spins, {
    summary: "a Server that has no descriptor left goes on asking for connections",
    expected:
      "EPOLLIN out of the listening socket's mask: a connection that cannot be accepted keeps it readable, and the loop would spin",
    observed: "EPOLLIN in the mask, and a connection in the queue",
  });
  clients[0]!.destroy();
  assert((poller.mask(listener) & EPOLLIN) !== 0, {
    summary: "a Server does not accept again after a client has left",
    expected: "EPOLLIN in the listening socket's mask: there is a descriptor now",
    observed: `the mask 0x${poller.mask(listener).toString(16)}`,
  });
  // A server that closed the second connection to be rid of it needs a new one to be seen accepting.
  const third = socket(AF_INET, SOCK_STREAM);
  come(third, server, poller, listener);
  assert(server.clients.size > 0, {
    summary: "a Server accepts nobody any more after it had no descriptor left",
    expected: "that a client which comes later is accepted",
    observed: "no client in the set",
  });
  server.destroy();
  for (const fd of [first, second, third]) close(fd);
}
