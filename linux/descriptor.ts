import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  O_CLOEXEC,
  O_DIRECT,
  O_NONBLOCK,
} from "./file-constants.ts";
import { fcntlArgument, fcntlName, ioctlName } from "./file-names.ts";
import { libcFunction, orThrow } from "./libc.ts";
import { traced } from "./trace.ts";
import { flagSet } from "./trace-format.ts";

const libc_close = libcFunction<(fd: number) => number>("int close(int fd)");
const libc_dup = libcFunction<(fd: number) => number>("int dup(int fd)");
const libc_pipe2 = libcFunction<(pair: Int32Array, flags: number) => number>(
  "int pipe2(void *pair, int flags)",
);
const libc_eventfd = libcFunction<(initial: number, flags: number) => number>(
  "int eventfd(unsigned int initial, int flags)",
);
const libc_fcntl = libcFunction<(fd: number, cmd: number, arg: number) => number>(
  "int fcntl(int fd, int cmd, int64_t arg)",
);
const libc_ioctl = libcFunction<(fd: number, request: number, argument: Uint8Array) => number>(
  "int ioctl(int fd, unsigned long request, void *argument)",
);

const pair = new Int32Array(2);

/**
 * Closes a descriptor. Its number is free at once, and the next `socket`, `accept4` or `open` gets it: closing twice
 * closes somebody else's descriptor, which is why a failure here is a fault of the program and thrown.
 * @throws {SystemCallError} EBADF (it was not open), EIO (earlier writes failed; it is closed nevertheless)
 *
 * `man 2 close`
 */
export const close = traced(
  "close",
  function close(fd: number): void {
    orThrow(libc_close(fd), "close", () => `of descriptor ${fd}`);
  },
  (_, fd) => `${fd}`,
);

/**
 * Makes a second descriptor for the same open file or socket; both share position and flags.
 * @returns the lowest free number; it is inherited by started programs (`fcntl` with F_DUPFD_CLOEXEC: it is not)
 * @throws {SystemCallError} EBADF, EMFILE
 *
 * `man 2 dup`
 */
export const dup = traced(
  "dup",
  function dup(fd: number): number {
    return orThrow(libc_dup(fd), "dup", () => `of descriptor ${fd}`);
  },
  (_, fd) => `${fd}`,
);

/**
 * Creates a pipe.
 * @param flags O_CLOEXEC, O_NONBLOCK
 * @returns the end to read from, and the end to write to
 * @throws {SystemCallError} EMFILE, ENFILE
 *
 * `man 2 pipe2`
 */
export const pipe2 = traced(
  "pipe2",
  function pipe2(flags: number): [number, number] {
    orThrow(libc_pipe2(pair, flags), "pipe2");
    return [pair[0]!, pair[1]!];
  },
  (ends, flags) => `[${ends?.join(", ") ?? "..."}], ${flagSet(flags, { O_NONBLOCK, O_DIRECT, O_CLOEXEC })}`,
);

/**
 * Creates a counter that can be waited for: writing 8 bytes adds to it, reading 8 bytes takes it.
 * @param initial its first value
 * @param flags EFD_NONBLOCK, EFD_CLOEXEC, EFD_SEMAPHORE
 * @throws {SystemCallError} EMFILE, EINVAL
 *
 * `man 2 eventfd`
 */
export const eventfd = traced(
  "eventfd",
  function eventfd(initial: number, flags: number): number {
    return orThrow(libc_eventfd(initial, flags), "eventfd");
  },
  (_, initial, flags) => `${initial}, ${flagSet(flags, { EFD_SEMAPHORE, EFD_NONBLOCK, EFD_CLOEXEC })}`,
);

/**
 * Reads or changes a descriptor's properties. Only commands whose argument is a number, such as F_GETFL and
 * F_SETFL (O_NONBLOCK), F_GETFD and F_SETFD (FD_CLOEXEC).
 * @returns what the command asks for
 * @throws {SystemCallError} EBADF, EINVAL
 *
 * `man 2 fcntl`
 */
export const fcntl = traced(
  "fcntl",
  function fcntl(fd: number, cmd: number, arg = 0): number {
    return orThrow(libc_fcntl(fd, cmd, arg), "fcntl", () => `${fcntlName(cmd)} on descriptor ${fd}`);
  },
  (_, fd, cmd, arg) => `${fd}, ${fcntlName(cmd)}${arg === undefined ? "" : `, ${fcntlArgument(cmd, arg)}`}`,
);

const IFREQ_BYTES = 40;
/** Bytes that the older requests touch; newer ones carry the size in their number. */
const ARGUMENT_BYTES = new Map([
  [0x541b, 4], // FIONREAD
  [0x5411, 4], // SIOCOUTQ
  [0x5421, 4], // FIONBIO
  [0x5413, 8], // TIOCGWINSZ
]);
/** No older request touches more than this. */
const UNKNOWN_ARGUMENT_BYTES = 256;

/** Bytes of memory that an `ioctl` request may read or write. */
export function ioctlArgumentBytes(request: number): number {
  const known = ARGUMENT_BYTES.get(request);
  if (known !== undefined) return known;
  const encoded = (request >>> 16) & 0x3fff;
  if (encoded !== 0) return encoded;
  return request >>> 8 === 0x89 ? IFREQ_BYTES : UNKNOWN_ARGUMENT_BYTES;
}

/**
 * Asks a driver for something that has no call of its own, such as FIONREAD.
 * @param argument the request's structure; the kernel reads it, fills it, or both
 * @returns what the driver answers, mostly 0
 * @throws {SystemCallError} ENOTTY (this kind of file does not know the request), EBADF, EINVAL
 * @throws {RangeError} the structure is larger than the argument
 *
 * `man 2 ioctl`
 */
export const ioctl = traced(
  "ioctl",
  function ioctl(fd: number, request: number, argument: Uint8Array): number {
    const needed = ioctlArgumentBytes(request);
    if (argument.length < needed) {
      throw new RangeError(
        `ioctl ${ioctlName(request)}: the argument has ${argument.length} bytes, but the kernel may touch ${needed}.`,
      );
    }
    const result = libc_ioctl(fd, request, argument);
    return orThrow(result, "ioctl", () => `${ioctlName(request)} on descriptor ${fd}`);
  },
  (_, fd, request, argument) => {
    const isInt = ioctlArgumentBytes(request) === 4;
    const int = argument[0]! | (argument[1]! << 8) | (argument[2]! << 16) | (argument[3]! << 24);
    return `${fd}, ${ioctlName(request)}, ${isInt ? `[${int}]` : `{${argument.length} bytes}`}`;
  },
);
