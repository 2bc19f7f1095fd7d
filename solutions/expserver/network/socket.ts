import {
  AF_INET,
  AF_INET6,
  bind,
  close,
  errnoMessage,
  errnoName,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  listen,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  type SocketAddress,
  setsockopt,
  socket,
  TCP_NODELAY,
} from "expserver-course/linux";

/**
 * A TCP socket that never makes its caller wait.
 * @param host a numeric address, by which the family is chosen
 * @throws {SystemCallError} EMFILE, EAFNOSUPPORT
 */
export function openSocket(host: string): number {
  const family = host.includes(":") ? AF_INET6 : AF_INET;
  return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/**
 * A socket that listens on an address. Connections accepted from it send at once what they are given
 * (TCP_NODELAY, which they inherit): the server hands over whole answers, so there is nothing to wait for.
 * @param address a numeric address; port 0 lets the kernel choose
 * @param backlog connections that may wait to be accepted
 * @throws {SystemCallError} EADDRINUSE, EACCES, EADDRNOTAVAIL, …; nothing stays open then
 */
export function listenOn(address: SocketAddress, backlog = SOMAXCONN): number {
  const fd = openSocket(address.host);
  try {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    // One socket for each family: `::` would otherwise take IPv4 clients too, and 0.0.0.0 beside it be refused.
    if (address.host.includes(":")) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    bind(fd, address);
    listen(fd, backlog);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** A result of a call on the data path in words: `connection reset by peer (ECONNRESET)`. Takes either sign. */
export function describeErrno(errno: number): string {
  const positive = Math.abs(errno);
  return `${errnoMessage(positive)} (${errnoName(positive)})`;
}
