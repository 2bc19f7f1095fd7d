import * as constants from "./file-constants.ts";
import { openFlags } from "./open-flags.ts";
import type { NameTable } from "./trace-format.ts";
import { flagSet, oneOf } from "./trace-format.ts";

const ACCESS_NAMES: NameTable = {
  O_RDONLY: constants.O_RDONLY,
  O_WRONLY: constants.O_WRONLY,
  O_RDWR: constants.O_RDWR,
};
const OPEN_FLAGS: NameTable = {
  O_CREAT: constants.O_CREAT,
  O_EXCL: constants.O_EXCL,
  O_NOCTTY: constants.O_NOCTTY,
  O_TRUNC: constants.O_TRUNC,
  O_APPEND: constants.O_APPEND,
  O_NONBLOCK: constants.O_NONBLOCK,
  O_DSYNC: constants.O_DSYNC,
  ...openFlags(),
  O_CLOEXEC: constants.O_CLOEXEC,
  O_PATH: constants.O_PATH,
};
const RESOLVE_FLAGS: NameTable = {
  RESOLVE_NO_XDEV: constants.RESOLVE_NO_XDEV,
  RESOLVE_NO_MAGICLINKS: constants.RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS: constants.RESOLVE_NO_SYMLINKS,
  RESOLVE_BENEATH: constants.RESOLVE_BENEATH,
  RESOLVE_IN_ROOT: constants.RESOLVE_IN_ROOT,
};
const KIND_NAMES: NameTable = {
  S_IFSOCK: constants.S_IFSOCK,
  S_IFLNK: constants.S_IFLNK,
  S_IFREG: constants.S_IFREG,
  S_IFBLK: constants.S_IFBLK,
  S_IFDIR: constants.S_IFDIR,
  S_IFCHR: constants.S_IFCHR,
  S_IFIFO: constants.S_IFIFO,
};
const FCNTL_NAMES: NameTable = {
  F_DUPFD_CLOEXEC: constants.F_DUPFD_CLOEXEC,
  F_GETFD: constants.F_GETFD,
  F_SETFD: constants.F_SETFD,
  F_GETFL: constants.F_GETFL,
  F_SETFL: constants.F_SETFL,
  F_GETPIPE_SZ: constants.F_GETPIPE_SZ,
  F_SETPIPE_SZ: constants.F_SETPIPE_SZ,
};
const SEEK_NAMES: NameTable = {
  SEEK_SET: constants.SEEK_SET,
  SEEK_CUR: constants.SEEK_CUR,
  SEEK_END: constants.SEEK_END,
};

/** The flags of `open`: `O_RDONLY|O_CLOEXEC`. */
export function openFlagNames(flags: number): string {
  const access = oneOf(flags & constants.O_ACCMODE, ACCESS_NAMES);
  const rest = flags & ~constants.O_ACCMODE;
  return rest === 0 ? access : `${access}|${flagSet(rest, OPEN_FLAGS)}`;
}

/** How `openat2` may walk: `RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS`. */
export function resolveNames(resolve: number): string {
  return flagSet(resolve, RESOLVE_FLAGS);
}

/** A mode with the kind of file: `S_IFREG|0644`. */
export function modeName(mode: number): string {
  return `${oneOf(mode & constants.S_IFMT, KIND_NAMES)}|${octal(mode & ~constants.S_IFMT)}`;
}

/** Permissions as C writes them: `0644`. */
export function octal(mode: number): string {
  return mode === 0 ? "0" : `0${mode.toString(8)}`;
}

/** Where `openat` starts: `AT_FDCWD` or a descriptor. */
export function directoryName(dirfd: number): string {
  return oneOf(dirfd, { AT_FDCWD: constants.AT_FDCWD });
}

/** A command of `fcntl`: `F_SETFL`. */
export function fcntlName(command: number): string {
  return oneOf(command, FCNTL_NAMES);
}

/** The argument of an `fcntl` command: `O_NONBLOCK`, `FD_CLOEXEC`, a number. */
export function fcntlArgument(command: number, argument: number): string {
  if (command === constants.F_SETFL) return openFlagNames(argument);
  if (command === constants.F_SETFD) return flagSet(argument, { FD_CLOEXEC: constants.FD_CLOEXEC });
  return String(argument);
}

/** What a position counts from: `SEEK_SET`. */
export function seekName(whence: number): string {
  return oneOf(whence, SEEK_NAMES);
}

/** A request of `ioctl`: `FIONREAD`, or its number in hexadecimal. */
export function ioctlName(request: number): string {
  const { FIONREAD, SIOCOUTQ, TIOCGWINSZ } = constants;
  const name = oneOf(request, { FIONREAD, SIOCOUTQ, TIOCGWINSZ, SIOCGIFFLAGS: 0x8913, SIOCSIFFLAGS: 0x8914 });
  return name === String(request) ? `0x${request.toString(16)}` : name;
}
