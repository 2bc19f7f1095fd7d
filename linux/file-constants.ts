import { openFlags } from "./open-flags.ts";

/** Constants of the file calls. Four flags of `open` differ between processors; all else is the same. */

/** Open for reading. */
export const O_RDONLY = 0;
/** Open for writing. */
export const O_WRONLY = 0o1;
/** Open for both. */
export const O_RDWR = 0o2;
/** The bits of the flags that say which of these three it is. */
export const O_ACCMODE = 0o3;
/** Create the file if there is none. */
export const O_CREAT = 0o100;
/** With O_CREAT: fail with EEXIST if there is one. */
export const O_EXCL = 0o200;
/** Do not make a terminal the process's own. */
export const O_NOCTTY = 0o400;
/** Drop what the file contains. */
export const O_TRUNC = 0o1000;
/** Every write goes to the end of the file. */
export const O_APPEND = 0o2000;
/** Calls return -EAGAIN instead of waiting; opening a FIFO does not wait either. */
export const O_NONBLOCK = 0o4000;
/** A write returns when the data is on the disk. */
export const O_DSYNC = 0o10000;
/** The descriptor is closed in programs that this one starts. */
export const O_CLOEXEC = 0o2000000;
/** Only a handle on the place in the tree, for `openat` and `fstat`: nothing can be read through it. */
export const O_PATH = 0o10000000;

const flags = openFlags();
/** Fail with ENOTDIR unless it is a directory. */
export const O_DIRECTORY = flags.O_DIRECTORY;
/** Fail with ELOOP if the last part of the path is a symbolic link. */
export const O_NOFOLLOW = flags.O_NOFOLLOW;
/** Read and write past the page cache. */
export const O_DIRECT = flags.O_DIRECT;

/** Instead of a directory's descriptor: paths start at the current directory. */
export const AT_FDCWD = -100;

/** No crossing into other mounted file systems. */
export const RESOLVE_NO_XDEV = 0x01;
/** No following of the links in `/proc/<pid>/fd` and their like. */
export const RESOLVE_NO_MAGICLINKS = 0x02;
/** No following of any symbolic link: -ELOOP. */
export const RESOLVE_NO_SYMLINKS = 0x04;
/** No leaving of the directory, by `..`, an absolute path or a link: -EXDEV. */
export const RESOLVE_BENEATH = 0x08;
/** The directory counts as `/`. */
export const RESOLVE_IN_ROOT = 0x10;

/** Position counts from the start of the file. */
export const SEEK_SET = 0;
/** Position counts from where the file stands. */
export const SEEK_CUR = 1;
/** Position counts from the end of the file. */
export const SEEK_END = 2;

/** The bits of a mode that say what kind of file it is. */
export const S_IFMT = 0o170000;
/** Socket. */
export const S_IFSOCK = 0o140000;
/** Symbolic link. */
export const S_IFLNK = 0o120000;
/** Regular file. */
export const S_IFREG = 0o100000;
/** Block device. */
export const S_IFBLK = 0o060000;
/** Directory. */
export const S_IFDIR = 0o040000;
/** Character device. */
export const S_IFCHR = 0o020000;
/** FIFO, a pipe with a name. */
export const S_IFIFO = 0o010000;

/** `fcntl`: a copy of the descriptor, closed on exec, numbered at least the argument. */
export const F_DUPFD_CLOEXEC = 1030;
/** `fcntl`: read FD_CLOEXEC. */
export const F_GETFD = 1;
/** `fcntl`: set FD_CLOEXEC. */
export const F_SETFD = 2;
/** `fcntl`: read O_NONBLOCK, O_APPEND and the access mode. */
export const F_GETFL = 3;
/** `fcntl`: set O_NONBLOCK and O_APPEND. */
export const F_SETFL = 4;
/** `fcntl`: read a pipe's size in bytes. */
export const F_GETPIPE_SZ = 1032;
/** `fcntl`: set a pipe's size in bytes. */
export const F_SETPIPE_SZ = 1031;
/** The flag of F_GETFD and F_SETFD: close in programs that this one starts. */
export const FD_CLOEXEC = 1;

/** `ioctl`: how many bytes can be read at once (an int). */
export const FIONREAD = 0x541b;
/** `ioctl`: how many sent bytes the peer has not acknowledged yet (an int). */
export const SIOCOUTQ = 0x5411;
/** `ioctl`: columns and rows of a terminal (`struct winsize`, 8 bytes). */
export const TIOCGWINSZ = 0x5413;

/** `eventfd`: each read takes 1 from the counter instead of all of it. */
export const EFD_SEMAPHORE = 1;
/** `eventfd`: calls return -EAGAIN instead of waiting. */
export const EFD_NONBLOCK = 0o4000;
/** `eventfd`: closed in programs that this one starts. */
export const EFD_CLOEXEC = 0o2000000;

/** Buffers that one `writev` takes at most. */
export const IOV_MAX = 1024;
