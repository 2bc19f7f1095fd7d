import { checkLength } from "./bounds.ts";
import { EINVAL, ENAMETOOLONG } from "./errno.ts";
import { O_CREAT } from "./file-constants.ts";
import { directoryName, modeName, octal, openFlagNames, seekName } from "./file-names.ts";
import { ARCHITECTURE, addressOf, countOrErrno, libcFunction } from "./libc.ts";
import type { Stat } from "./stat.ts";
import { traced } from "./trace.ts";
import { quoted, quotedText, received } from "./trace-format.ts";

const libc_open = libcFunction<(path: string, flags: number, mode: number) => number>(
  "int open(const char *path, int flags, int mode)",
);
const libc_openat = libcFunction<(dirfd: number, path: string, flags: number, mode: number) => number>(
  "int openat(int dirfd, const char *path, int flags, int mode)",
);
type Transfer = (fd: number, buffer: Uint8Array, length: number) => number;
const libc_read = libcFunction<Transfer>("int64_t read(int fd, void *buffer, size_t length)");
const libc_write = libcFunction<Transfer>("int64_t write(int fd, const void *buffer, size_t length)");
const libc_pread = libcFunction<(fd: number, buffer: Uint8Array, length: number, offset: number) => number>(
  "int64_t pread(int fd, void *buffer, size_t length, int64_t offset)",
);
const libc_writev = libcFunction<(fd: number, vectors: BigUint64Array, count: number) => number>(
  "int64_t writev(int fd, const void *vectors, int count)",
);
const libc_sendfile = libcFunction<
  (out: number, input: number, offset: Uint32Array, count: number) => number
>("int64_t sendfile(int out, int input, void *offset, size_t count)");
const libc_lseek = libcFunction<(fd: number, offset: number, whence: number) => number>(
  "int64_t lseek(int fd, int64_t offset, int whence)",
);

// glibc before 2.33 has no `fstat` that could be bound, only a macro around __fxstat; the kernel's own call is the
// same with every C library, and so is the structure that it fills.
const SYS_fstat = ARCHITECTURE === "x64" ? 5 : 80;
const libc_fstat = libcFunction<(number: number, fd: number, stat: Uint8Array) => number>(
  "int64_t syscall(int64_t number, int fd, void *stat)",
);

const PATH_MAX = 4096;

/**
 * A path that C would misread or that the kernel would refuse anyway.
 * @returns 0, -EINVAL (it contains a NUL, at which C would stop reading) or -ENAMETOOLONG
 */
export function pathProblem(path: string): number {
  if (path.length >= PATH_MAX) return -ENAMETOOLONG;
  return path.includes("\0") ? -EINVAL : 0;
}

/** The mode is only looked at, and only shown, where a file may be created. */
function modeText(flags: number, mode: number): string {
  return flags & O_CREAT ? `, ${octal(mode)}` : "";
}

/**
 * Opens a file.
 * @param flags O_RDONLY, O_WRONLY or O_RDWR, with O_CREAT, O_CLOEXEC, … OR-ed in
 * @param mode permissions of a file that is created, before the umask
 * @returns the descriptor, or -ENOENT (no such file), -EACCES, -ENOTDIR, -EISDIR (a directory, for writing), -ELOOP
 * (O_NOFOLLOW and a symbolic link), -EMFILE, -EINVAL (a NUL in the path)
 *
 * `man 2 open`
 */
export const open = traced(
  "open",
  function open(path: string, flags: number, mode = 0o644): number {
    return pathProblem(path) || countOrErrno(libc_open(path, flags, mode));
  },
  (_, path, flags, mode = 0o644) => `${quotedText(path)}, ${openFlagNames(flags)}${modeText(flags, mode)}`,
);

/**
 * Opens a file; a relative path starts at a directory that is open already. `..` and links may lead out of it:
 * {@link openat2} can forbid that.
 * @param dirfd a directory's descriptor, or AT_FDCWD
 * @returns as for {@link open}
 *
 * `man 2 openat`
 */
export const openat = traced(
  "openat",
  function openat(dirfd: number, path: string, flags: number, mode = 0o644): number {
    return pathProblem(path) || countOrErrno(libc_openat(dirfd, path, flags, mode));
  },
  (_, dirfd, path, flags, mode = 0o644) =>
    `${directoryName(dirfd)}, ${quotedText(path)}, ${openFlagNames(flags)}${modeText(flags, mode)}`,
);

/**
 * Reads bytes from where the file stands. Allocates nothing.
 * @param buffer is filled from its start
 * @param length bytes at most; not more than the buffer has
 * @returns the bytes read, 0 at the end, or -EAGAIN, -EISDIR, -EBADF, -EINTR
 * @throws {RangeError} length is more than the buffer holds
 *
 * `man 2 read`
 */
export const read = traced(
  "read",
  function read(fd: number, buffer: Uint8Array, length: number): number {
    checkLength("read", buffer, length);
    return countOrErrno(libc_read(fd, buffer, length));
  },
  (result, fd, buffer, length) => `${fd}, ${received(result, buffer)}, ${length}`,
);

/**
 * Reads bytes from a position and leaves alone where the file stands, so that several readers share a descriptor.
 * @param offset position in bytes
 * @returns as for {@link read}; -ESPIPE for pipes and sockets
 * @throws {RangeError} length is more than the buffer holds
 *
 * `man 2 pread`
 */
export const pread = traced(
  "pread",
  function pread(fd: number, buffer: Uint8Array, length: number, offset: number): number {
    checkLength("pread", buffer, length);
    return countOrErrno(libc_pread(fd, buffer, length, offset));
  },
  (result, fd, buffer, length, offset) => `${fd}, ${received(result, buffer)}, ${length}, ${offset}`,
);

/**
 * Writes bytes. A pipe or socket may take fewer than it was given. Allocates nothing.
 * @param buffer is written from its start
 * @param length bytes at most; not more than the buffer has
 * @returns the bytes written, or -EAGAIN, -EPIPE (nobody reads the pipe), -ENOSPC, -EBADF, -EINTR
 * @throws {RangeError} length is more than the buffer holds
 *
 * `man 2 write`
 */
export const write = traced(
  "write",
  function write(fd: number, buffer: Uint8Array, length: number): number {
    checkLength("write", buffer, length);
    return countOrErrno(libc_write(fd, buffer, length));
  },
  (_, fd, buffer, length) => `${fd}, ${quoted(buffer, length)}, ${length}`,
);

/** `struct iovec { void *base; size_t length; }`, both 64 bits; grows to the longest list seen. */
let vectors = new BigUint64Array(2 * 16);

/**
 * Writes several buffers in one call, as if they were one: a head and a body without copying them together.
 * @param buffers written in order and whole; at most IOV_MAX of them
 * @returns the bytes written, which may end inside any of the buffers, or -EAGAIN, -EPIPE, -EINVAL (too many buffers)
 *
 * `man 2 writev`
 */
export const writev = traced(
  "writev",
  function writev(fd: number, buffers: readonly Uint8Array[]): number {
    const count = buffers.length;
    if (vectors.length < 2 * count) vectors = new BigUint64Array(2 * count);
    for (let index = 0; index < count; index++) {
      vectors[2 * index] = addressOf(buffers[index]!);
      vectors[2 * index + 1] = BigInt(buffers[index]!.length);
    }
    return countOrErrno(libc_writev(fd, vectors, count));
  },
  (_, fd, buffers) => {
    const shown = buffers.map((one) => `{iov_base=${quoted(one, one.length)}, iov_len=${one.length}}`);
    return `${fd}, [${shown.join(", ")}], ${buffers.length}`;
  },
);

/** The `off_t` that `sendfile` reads and advances, as two words: a bigint would allocate. */
const sendfileOffset = new Uint32Array(2);

/**
 * Sends part of a file to a socket without the bytes ever entering this process. Where the file stands is
 * neither used nor changed. Allocates nothing.
 * @param out_fd the socket
 * @param in_fd a regular file
 * @param offset position in the file, in bytes
 * @param count bytes at most
 * @returns the bytes sent, 0 at the end of the file, or -EAGAIN (the socket's buffer is full), -EPIPE, -ECONNRESET,
 * -EINVAL (not a regular file, or a negative offset)
 *
 * `man 2 sendfile`
 */
export const sendfile = traced(
  "sendfile",
  function sendfile(out_fd: number, in_fd: number, offset: number, count: number): number {
    sendfileOffset[0] = offset;
    sendfileOffset[1] = Math.floor(offset / 0x1_0000_0000);
    return countOrErrno(libc_sendfile(out_fd, in_fd, sendfileOffset, count));
  },
  (_, out_fd, in_fd, offset, count) => `${out_fd}, ${in_fd}, [${offset}], ${count}`,
);

/**
 * Tells what an open file is.
 * @param stat is filled
 * @returns 0, or -EBADF
 *
 * `man 2 fstat`
 */
export const fstat = traced(
  "fstat",
  function fstat(fd: number, stat: Stat): number {
    return countOrErrno(libc_fstat(SYS_fstat, fd, stat.bytes));
  },
  (result, fd, stat) =>
    `${fd}, ${result === 0 ? `{st_mode=${modeName(stat.mode)}, st_size=${stat.size}, ...}` : "..."}`,
);

/**
 * Moves where a file stands.
 * @param offset in bytes, counted from what `whence` names; may be negative
 * @param whence SEEK_SET, SEEK_CUR or SEEK_END
 * @returns the new position from the start of the file, or -ESPIPE (a pipe or socket), -EINVAL (before the start)
 *
 * `man 2 lseek`
 */
export const lseek = traced(
  "lseek",
  function lseek(fd: number, offset: number, whence: number): number {
    return countOrErrno(libc_lseek(fd, offset, whence));
  },
  (_, fd, offset, whence) => `${fd}, ${offset}, ${seekName(whence)}`,
);
