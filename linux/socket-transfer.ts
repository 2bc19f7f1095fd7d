import { checkLength } from "./bounds.ts";
import { countOrErrno, libcFunction } from "./libc.ts";
import { MESSAGE_FLAGS, SHUTDOWN_NAMES } from "./socket-names.ts";
import { traced } from "./trace.ts";
import { flagSet, oneOf, quoted, received } from "./trace-format.ts";

type Descriptor = number;

const libc_recv = libcFunction<(fd: number, buffer: Uint8Array, length: number, flags: number) => number>(
  "int64_t recv(int fd, void *buffer, size_t length, int flags)",
);
const libc_send = libcFunction<(fd: number, buffer: Uint8Array, length: number, flags: number) => number>(
  "int64_t send(int fd, const void *buffer, size_t length, int flags)",
);
const libc_shutdown = libcFunction<(fd: number, how: number) => number>("int shutdown(int fd, int how)");

/**
 * Receives bytes that the peer has sent. Allocates nothing.
 * @param buffer is filled from its start
 * @param length bytes at most; not more than the buffer has
 * @param flags MSG_PEEK, MSG_DONTWAIT, …
 * @returns the bytes received, 0 when the peer has ended its stream, or -EAGAIN (nothing there yet), -ECONNRESET
 * (the peer has cut the connection), -EINTR
 * @throws {RangeError} length is more than the buffer holds
 *
 * `man 2 recv`
 */
export const recv = traced(
  "recv",
  function recv(fd: Descriptor, buffer: Uint8Array, length: number, flags = 0): number {
    checkLength("recv", buffer, length);
    return countOrErrno(libc_recv(fd, buffer, length, flags));
  },
  (result, fd, buffer, length, flags = 0) =>
    `${fd}, ${received(result, buffer)}, ${length}, ${flagSet(flags, MESSAGE_FLAGS)}`,
);

/**
 * Sends bytes. The kernel may take fewer than it was given: the caller sends the rest later. Allocates nothing.
 * @param buffer is sent from its start
 * @param length bytes at most; not more than the buffer has
 * @param flags MSG_MORE, MSG_DONTWAIT, …; passed on as they are (Node ignores SIGPIPE, so MSG_NOSIGNAL is not needed)
 * @returns the bytes that the kernel has taken, or -EAGAIN (its buffer is full: wait for EPOLLOUT), -EPIPE (the
 * connection is over), -ECONNRESET, -EINTR
 * @throws {RangeError} length is more than the buffer holds
 *
 * `man 2 send`
 */
export const send = traced(
  "send",
  function send(fd: Descriptor, buffer: Uint8Array, length: number, flags = 0): number {
    checkLength("send", buffer, length);
    return countOrErrno(libc_send(fd, buffer, length, flags));
  },
  (_, fd, buffer, length, flags = 0) =>
    `${fd}, ${quoted(buffer, length)}, ${length}, ${flagSet(flags, MESSAGE_FLAGS)}`,
);

/**
 * Ends one or both directions of a connection; the descriptor stays open.
 * @param how SHUT_RD, SHUT_WR (the peer then receives 0) or SHUT_RDWR
 * @returns 0, or -ENOTCONN (the peer has reset the connection, or there never was one)
 *
 * `man 2 shutdown`
 */
export const shutdown = traced(
  "shutdown",
  function shutdown(fd: Descriptor, how: number): number {
    return countOrErrno(libc_shutdown(fd, how));
  },
  (_, fd, how) => `${fd}, ${oneOf(how, SHUTDOWN_NAMES)}`,
);
