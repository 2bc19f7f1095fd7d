import { onTestFinished, type TestContext } from "vitest";
import {
  AF_INET,
  AF_INET6,
  accept4,
  bind,
  close,
  connect,
  EPOLL_CTL_ADD,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  errnoName,
  getsockname,
  IN6ADDR_LOOPBACK,
  INADDR_LOOPBACK,
  listen,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  type SocketAddress,
  socket,
} from "./index.ts";

/** Builders for the tests beside this file. What they open is closed when the test is over. */

/** Has a descriptor closed at the end of the test; one that the test closed itself is left alone by {@link closed}. */
export function closing(fd: number): number {
  if (fd < 0) throw new Error(`no descriptor but ${errnoName(fd)}`);
  toClose.add(fd);
  onTestFinished(() => {
    if (toClose.delete(fd)) close(fd);
  });
  return fd;
}
const toClose = new Set<number>();

/** Closes a descriptor in mid-test. */
export function closed(fd: number): void {
  toClose.delete(fd);
  close(fd);
}

export type Family = "IPv4" | "IPv6";

/** A stream socket, blocking unless SOCK_NONBLOCK is given. */
export function tcpSocket(family: Family = "IPv4", flags = 0): number {
  return closing(socket(family === "IPv4" ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | flags));
}

/** A non-blocking listening socket on a free port of the loopback interface. */
export function listener(family: Family = "IPv4", backlog = 16): { fd: number; address: SocketAddress } {
  const fd = tcpSocket(family, SOCK_NONBLOCK);
  bind(fd, { host: family === "IPv4" ? INADDR_LOOPBACK : IN6ADDR_LOOPBACK, port: 0 });
  listen(fd, backlog);
  return { fd, address: getsockname(fd) };
}

/** Both ends of a TCP connection, non-blocking. */
export function tcpPair(family: Family = "IPv4"): { client: number; server: number } {
  const { fd, address } = listener(family);
  const client = tcpSocket(family, SOCK_NONBLOCK);
  connect(client, address);
  waitFor(fd, 0x1 /* EPOLLIN */);
  const server = closing(accept4(fd, null, SOCK_NONBLOCK | SOCK_CLOEXEC));
  waitFor(client, 0x4 /* EPOLLOUT */);
  return { client, server };
}

/**
 * Waits until a descriptor has one of the events, and fails the test when that takes two seconds.
 * @returns the events
 */
export function waitFor(fd: number, events: number): number {
  const set = epoll_create1();
  try {
    epoll_ctl(set, EPOLL_CTL_ADD, fd, events);
    const ready = new EpollEvents(1);
    if (epoll_wait(set, ready, 1, 2000) !== 1) throw new Error(`descriptor ${fd} got none of ${events}`);
    return ready.events(0);
  } finally {
    close(set);
  }
}

/** Skips a test, with the reason, where this machine has no IPv6 loopback address. */
export function needs(family: Family, context: TestContext): void {
  if (family === "IPv4") return;
  let fd = -1;
  try {
    fd = socket(AF_INET6, SOCK_STREAM);
    bind(fd, { host: IN6ADDR_LOOPBACK, port: 0 });
  } catch (error) {
    context.skip(`::1 cannot be bound here: ${(error as Error).message}`);
  } finally {
    if (fd >= 0) close(fd);
  }
}
