/** What the probes of stage 5 put around a module: a poller by hand, connected pairs, and the kernel's own news. */
import { readdirSync } from "node:fs";
import type { Handler, Poller } from "workspace:network/poller";
import {
  AF_INET,
  accept4,
  bind,
  close,
  connect,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  getsockname,
  INADDR_LOOPBACK,
  listen,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  type SocketAddress,
  setsockopt,
  socket,
} from "expserver-course/linux";
import { assert } from "../../engine/evidence.ts";

export const loopback: SocketAddress = { host: INADDR_LOOPBACK, port: 0 };

/** A poller that waits for nothing: the probe calls the handlers by itself. */
export class ManualPoller implements Poller {
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
  /** What a descriptor's handler asks for now; 0 when it is not watched. */
  mask(fd: number): number {
    return this.watched.get(fd)?.events ?? 0;
  }
  /** Tells a descriptor's handler of events, and of what it throws, as a poller does; only a gap is for the learner. */
  tell(fd: number, events: number): void {
    const handler = this.watched.get(fd)?.handler;
    try {
      handler?.onReady(events);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("TODO")) throw error;
      handler?.onError(error);
    }
  }
}

export function openDescriptors(): string[] {
  return readdirSync("/proc/self/fd");
}

/** How long the kernel may take for what is on its way already, on a machine with much else to do. */
const arrivesWithinMs = 10_000;
const events = new EpollEvents(4);

/**
 * Waits until something can be done on one of some descriptors: what a connection carries may arrive a little
 * after the call that sent it has returned.
 * @returns whether there is anything
 */
export function untilReady(wanted: [fd: number, events: number][], withinMs = arrivesWithinMs): boolean {
  const epoll = epoll_create1();
  for (const [fd, mask] of wanted) epoll_ctl(epoll, EPOLL_CTL_ADD, fd, mask);
  let count = epoll_wait(epoll, events, events.capacity, withinMs);
  while (count < 0) count = epoll_wait(epoll, events, events.capacity, withinMs);
  close(epoll);
  return count > 0;
}

/** Whether there is something to read, or to accept, at this moment. */
export function isReadable(fd: number): boolean {
  return untilReady([[fd, EPOLLIN]], 0);
}

/** A connected pair over TCP: ours, and the one that a server accepted. */
export function connectedPair(): [number, number] {
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
