/**
 * Linux's system calls for TypeScript, published as `expserver-course/linux`. Names and arguments are those of the
 * man pages. Calls that set something up throw a `SystemCallError`; calls on the data path return a count of at least 0
 * or a negative errno, and never throw one.
 */
export { close, dup, eventfd, fcntl, ioctl, pipe2 } from "./descriptor.ts";
export * from "./epoll.ts";
export { EpollEvents } from "./epoll-events.ts";
export * from "./errno.ts";
export { fstat, lseek, open, openat, pread, read, sendfile, write, writev } from "./file.ts";
export * from "./file-constants.ts";
export * from "./network-interface.ts";
export * from "./node-loop.ts";
export { type OpenHow, openat2 } from "./openat2.ts";
export * from "./process.ts";
export * from "./rlimit.ts";
export * from "./socket.ts";
export { formatAddress, isNumericAddress, SockaddrStorage, type SocketAddress } from "./socket-address.ts";
export * from "./socket-constants.ts";
export * from "./socket-options.ts";
export * from "./socket-transfer.ts";
export { Stat } from "./stat.ts";
