import { SystemCallError } from "./errno.ts";
import { countOrErrno, libcFunction, orThrow } from "./libc.ts";
import { formatAddress, SockaddrStorage, type SocketAddress } from "./socket-address.ts";
import { FAMILY_NAMES, protocolName, SOCKET_FLAGS, typeName } from "./socket-names.ts";
import { traced } from "./trace.ts";
import { addressText, flagSet, oneOf } from "./trace-format.ts";

type Descriptor = number;

const libc_socket = libcFunction<(domain: number, type: number, protocol: number) => number>(
  "int socket(int domain, int type, int protocol)",
);
const libc_socketpair = libcFunction<
  (domain: number, type: number, protocol: number, pair: Int32Array) => number
>("int socketpair(int domain, int type, int protocol, void *pair)");
const libc_bind = libcFunction<(fd: number, address: Uint8Array, length: number) => number>(
  "int bind(int fd, const void *address, uint32_t length)",
);
const libc_listen = libcFunction<(fd: number, backlog: number) => number>("int listen(int fd, int backlog)");
const libc_connect = libcFunction<(fd: number, address: Uint8Array, length: number) => number>(
  "int connect(int fd, const void *address, uint32_t length)",
);
type AddressFiller = (fd: number, address: Uint8Array | null, length: Uint32Array | null) => number;
const libc_getsockname = libcFunction<AddressFiller>("int getsockname(int fd, void *address, void *length)");
const libc_getpeername = libcFunction<AddressFiller>("int getpeername(int fd, void *address, void *length)");
const libc_accept = libcFunction<AddressFiller>("int accept(int fd, void *address, void *length)");
const libc_accept4 = libcFunction<
  (fd: number, address: Uint8Array | null, length: Uint32Array | null, flags: number) => number
>("int accept4(int fd, void *address, void *length, int flags)");

/** For addresses that only pass through; calls never overlap, since each of them runs to its end. */
const scratch = new SockaddrStorage();
const scratchPair = new Int32Array(2);

/**
 * Creates a socket.
 * @param domain AF_INET, AF_INET6 or AF_UNIX
 * @param type SOCK_STREAM or SOCK_DGRAM, with SOCK_NONBLOCK and SOCK_CLOEXEC OR-ed in as wanted
 * @param protocol 0 for the usual one of the type
 * @returns the new descriptor
 * @throws {SystemCallError} EMFILE (too many open descriptors), EAFNOSUPPORT (no such family here)
 *
 * `man 2 socket`
 */
export const socket = traced(
  "socket",
  function socket(domain: number, type: number, protocol = 0): Descriptor {
    return orThrow(libc_socket(domain, type, protocol), "socket", () => oneOf(domain, FAMILY_NAMES));
  },
  (_, domain, type, protocol = 0) =>
    `${oneOf(domain, FAMILY_NAMES)}, ${typeName(type)}, ${protocolName(protocol)}`,
);

/**
 * Creates two sockets that are connected with each other.
 * @param domain AF_UNIX; the kernel knows no other pairs
 * @param type as for {@link socket}
 * @returns both descriptors
 * @throws {SystemCallError} EMFILE, EOPNOTSUPP (no pairs in this family)
 *
 * `man 2 socketpair`
 */
export const socketpair = traced(
  "socketpair",
  function socketpair(domain: number, type: number, protocol = 0): [Descriptor, Descriptor] {
    const result = libc_socketpair(domain, type, protocol, scratchPair);
    orThrow(result, "socketpair", () => oneOf(domain, FAMILY_NAMES));
    return [scratchPair[0]!, scratchPair[1]!];
  },
  (pair, domain, type, protocol = 0) =>
    `${oneOf(domain, FAMILY_NAMES)}, ${typeName(type)}, ${protocolName(protocol)}, [${pair?.join(", ") ?? "..."}]`,
);

/**
 * Gives a socket its own address.
 * @param address host and port; port 0 lets the kernel choose, {@link getsockname} tells which
 * @throws {SystemCallError} EADDRINUSE (somebody has the port), EACCES (ports below 1024 need a privilege),
 * EADDRNOTAVAIL (no interface has this host), EINVAL (bound already)
 * @throws {TypeError | RangeError} not a numeric address, not a port
 *
 * `man 2 bind`
 */
export const bind = traced(
  "bind",
  function bind(fd: Descriptor, address: SocketAddress): void {
    scratch.set(address);
    orThrow(libc_bind(fd, scratch.bytes, scratch.length), "bind", () => formatAddress(address));
  },
  (_, fd, address) => `${fd}, ${addressText(address)}, ${address.host.includes(":") ? 28 : 16}`,
);

/**
 * Lets a socket take connections.
 * @param backlog completed connections that may wait to be accepted
 * @throws {SystemCallError} EADDRINUSE (another socket listens on the port: with SO_REUSEADDR both could bind)
 *
 * `man 2 listen`
 */
export const listen = traced(
  "listen",
  function listen(fd: Descriptor, backlog: number): void {
    const result = libc_listen(fd, backlog);
    if (result < 0) {
      // First the reason, because finding out the address is a system call of its own.
      const errno = -countOrErrno(result);
      throw new SystemCallError("listen", errno, boundAddress(fd));
    }
  },
  (_, fd, backlog) => `${fd}, ${backlog}`,
);

/** What a message about a listening socket calls it: its address if it has one. */
function boundAddress(fd: Descriptor): string {
  scratch.reset();
  if (libc_getsockname(fd, scratch.bytes, scratch.lengthCell) < 0) return `on descriptor ${fd}`;
  try {
    return formatAddress(scratch.address());
  } catch {
    return `on descriptor ${fd}`;
  }
}

/**
 * Tells a socket's own address.
 * @throws {SystemCallError} EBADF, ENOTSOCK
 * @throws {TypeError} the socket is neither IPv4 nor IPv6
 *
 * `man 2 getsockname`
 */
export const getsockname = traced(
  "getsockname",
  function getsockname(fd: Descriptor): SocketAddress {
    scratch.reset();
    orThrow(
      libc_getsockname(fd, scratch.bytes, scratch.lengthCell),
      "getsockname",
      () => `on descriptor ${fd}`,
    );
    return scratch.address();
  },
  (address, fd) => `${fd}, ${address ? addressText(address) : "..."}`,
);

/**
 * Tells the address of the socket's peer.
 * @throws {SystemCallError} ENOTCONN (not connected, or the peer has reset the connection), EBADF, ENOTSOCK
 * @throws {TypeError} the socket is neither IPv4 nor IPv6
 *
 * `man 2 getpeername`
 */
export const getpeername = traced(
  "getpeername",
  function getpeername(fd: Descriptor): SocketAddress {
    scratch.reset();
    orThrow(
      libc_getpeername(fd, scratch.bytes, scratch.lengthCell),
      "getpeername",
      () => `on descriptor ${fd}`,
    );
    return scratch.address();
  },
  (address, fd) => `${fd}, ${address ? addressText(address) : "..."}`,
);

/** The peer's part of a trace line. */
function peerText(result: number | undefined, peer: SockaddrStorage | null | undefined): string {
  if (!peer) return "NULL, NULL";
  if (result === undefined || result < 0) return "..., ...";
  const isUnix = peer.bytes[0] === FAMILY_NAMES.AF_UNIX;
  return `${isUnix ? "{sa_family=AF_UNIX}" : addressText(peer.address())}, [${peer.length}]`;
}

/**
 * Takes a waiting connection. The new socket blocks and is inherited by started programs: servers use
 * {@link accept4}.
 * @param fd a listening socket
 * @param peer is filled with the client's address; leave it out when nobody asks
 * @returns the connection's descriptor, or -EAGAIN (none waiting), -EMFILE, -ECONNABORTED (the client left
 * while it waited), -EINTR
 *
 * `man 2 accept`
 */
export const accept = traced(
  "accept",
  function accept(fd: Descriptor, peer?: SockaddrStorage | null): number {
    if (!peer) return countOrErrno(libc_accept(fd, null, null));
    peer.reset();
    return countOrErrno(libc_accept(fd, peer.bytes, peer.lengthCell));
  },
  (result, fd, peer) => `${fd}, ${peerText(result, peer)}`,
);

/**
 * Takes a waiting connection and sets its flags in the same call. Allocates nothing.
 * @param fd a listening socket
 * @param peer is filled with the client's address, or null
 * @param flags SOCK_NONBLOCK | SOCK_CLOEXEC
 * @returns as for {@link accept}
 *
 * `man 2 accept4`
 */
export const accept4 = traced(
  "accept4",
  function accept4(fd: Descriptor, peer: SockaddrStorage | null, flags: number): number {
    if (peer === null) return countOrErrno(libc_accept4(fd, null, null, flags));
    peer.reset();
    return countOrErrno(libc_accept4(fd, peer.bytes, peer.lengthCell, flags));
  },
  (result, fd, peer, flags) => `${fd}, ${peerText(result, peer)}, ${flagSet(flags, SOCKET_FLAGS)}`,
);

/**
 * Connects a socket to a server.
 * @returns 0, or -EINPROGRESS (a non-blocking socket: wait for EPOLLOUT, then read SO_ERROR), -ECONNREFUSED
 * (nobody listens), -ETIMEDOUT, -ENETUNREACH, -EADDRNOTAVAIL (no free port left), -EALREADY
 * @throws {TypeError | RangeError} not a numeric address, not a port
 *
 * `man 2 connect`
 */
export const connect = traced(
  "connect",
  function connect(fd: Descriptor, address: SocketAddress): number {
    scratch.set(address);
    return countOrErrno(libc_connect(fd, scratch.bytes, scratch.length));
  },
  (_, fd, address) => `${fd}, ${addressText(address)}, ${address.host.includes(":") ? 28 : 16}`,
);
