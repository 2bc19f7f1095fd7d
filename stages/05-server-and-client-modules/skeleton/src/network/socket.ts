import {
  errnoMessage,
  errnoName,
  formatAddress,
  SOMAXCONN,
  type SocketAddress,
} from "expserver-course/linux";

/**
 * A TCP socket that never makes its caller wait.
 * @param host a numeric address, by which the family is chosen
 * @throws {SystemCallError} EMFILE, EAFNOSUPPORT
 */
export function openSocket(host: string): number {
  // TODO 1a: a stream socket of the family that the host is written in, with SOCK_NONBLOCK and SOCK_CLOEXEC.
  return todo(`1a: a socket for ${host}`);
}

/**
 * A socket that listens on an address. Connections accepted from it send at once what they are given
 * (TCP_NODELAY, which they inherit): the server hands over whole answers, so there is nothing to wait for.
 * @param address a numeric address; port 0 lets the kernel choose
 * @param backlog connections that may wait to be accepted
 * @throws {SystemCallError} EADDRINUSE, EACCES, EADDRNOTAVAIL, …; nothing stays open then
 */
export function listenOn(address: SocketAddress, backlog = SOMAXCONN): number {
  // TODO 1b: a socket, SO_REUSEADDR, TCP_NODELAY (of IPPROTO_TCP), for IPv6 also IPV6_V6ONLY, bind, listen. Each of
  // these calls can throw: then the socket that is open already has to be closed before the error goes on.
  return todo(`1b: listen on ${formatAddress(address)}, with room for ${backlog}`);
}

/** A result of a call on the data path in words: `connection reset by peer (ECONNRESET)`. Takes either sign. */
export function describeErrno(errno: number): string {
  const positive = Math.abs(errno);
  return `${errnoMessage(positive)} (${errnoName(positive)})`;
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
