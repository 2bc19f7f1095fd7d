import { close } from "./descriptor.ts";
import { EINVAL, ELOOP, ENOENT, ENOSYS, ENOTDIR, EXDEV } from "./errno.ts";
import { fstat, openat, pathProblem } from "./file.ts";
import {
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "./file-constants.ts";
import { directoryName, octal, openFlagNames, resolveNames } from "./file-names.ts";
import { countOrErrno, libcFunction } from "./libc.ts";
import { Stat } from "./stat.ts";
import { traced } from "./trace.ts";
import { quotedText } from "./trace-format.ts";

/** `struct open_how` (`man 2 openat2`). */
export type OpenHow = {
  /** As for `openat`; flags that the kernel does not know are refused. */
  flags: number;
  /** Permissions of a created file; must be 0, or left out, without O_CREAT. */
  mode?: number;
  /** How the path may be walked: RESOLVE_BENEATH, … */
  resolve?: number;
};

// C libraries got a function for it only lately; the number is the same on every processor.
const SYS_openat2 = 437;
const libc_openat2 = libcFunction<
  (number: number, dirfd: number, path: string | null, how: Uint32Array | null, size: number) => number
>("int64_t syscall(int64_t number, int dirfd, const char *path, void *how, size_t size)");

/** `struct open_how`: three 64-bit numbers, written as 32-bit halves of which the high ones stay 0. */
const how = new Uint32Array(6);

let kernelHasOpenat2: boolean | undefined;

/**
 * Linux has openat2 since 5.6, but some sandboxes (gVisor, old seccomp profiles) answer ENOSYS or EPERM for it.
 * Called with a structure of size 0, the real thing answers EINVAL before it looks at anything else.
 */
function probeOpenat2(): boolean {
  return countOrErrno(libc_openat2(SYS_openat2, -1, null, null, 0)) === -EINVAL;
}

/**
 * Opens a file below a directory and lets the kernel see to it that the path does not lead out: the safe way to open
 * what a client names. Where the kernel lacks the call, {@link openByWalking} takes its place.
 * @param dirfd a directory's descriptor, or AT_FDCWD
 * @param path relative to the directory
 * @param options flags and mode as for `openat`; resolve RESOLVE_BENEATH (no way out), RESOLVE_NO_SYMLINKS, …
 * @returns the descriptor, or -EXDEV (the path leads out), -ELOOP (a symbolic link that is not allowed),
 * -EAGAIN (somebody renamed a directory meanwhile: try again), and all that `openat` returns
 *
 * `man 2 openat2`
 */
export const openat2 = traced(
  "openat2",
  function openat2(dirfd: number, path: string, options: OpenHow): number {
    const problem = pathProblem(path);
    if (problem !== 0) return problem;
    kernelHasOpenat2 ??= probeOpenat2();
    if (!kernelHasOpenat2) return openByWalking(dirfd, path, options);
    how[0] = options.flags;
    how[2] = options.mode ?? 0;
    how[4] = options.resolve ?? 0;
    return countOrErrno(libc_openat2(SYS_openat2, dirfd, path, how, how.byteLength));
  },
  (_, dirfd, path, { flags, mode = 0, resolve = 0 }) =>
    `${directoryName(dirfd)}, ${quotedText(path)}, {flags=${openFlagNames(flags)}, mode=${octal(mode)}, ` +
    `resolve=${resolveNames(resolve)}}, ${how.byteLength}`,
);

const stat = new Stat();

/**
 * What `openat2` does, made from `openat`: opens one directory after the other without following links. Stricter
 * than the kernel, since it follows no symbolic link at all, also none that stays inside.
 * @param options resolve must have RESOLVE_BENEATH, RESOLVE_IN_ROOT or RESOLVE_NO_SYMLINKS, and not RESOLVE_NO_XDEV
 * @returns as {@link openat2}; -ENOSYS for the ways of walking that it does not know
 */
export function openByWalking(dirfd: number, path: string, options: OpenHow): number {
  const { flags, mode = 0, resolve = 0 } = options;
  const problem = pathProblem(path);
  if (problem !== 0) return problem;
  const known = RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const stays = (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0;
  if ((resolve & ~known) !== 0 || (!stays && (resolve & RESOLVE_NO_SYMLINKS) === 0)) return -ENOSYS;
  if (path === "") return -ENOENT;
  if (path.startsWith("/") && (resolve & RESOLVE_IN_ROOT) === 0) return stays ? -EXDEV : -ENOSYS;

  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  // What follows a last "/" or "/." is a directory: the kernel refuses a file there, and so does opening "." in it.
  const last = /(^|\/)\.{0,2}$/.test(path) ? "." : names.pop()!;
  /** The directories on the way from dirfd down; `..` goes back to the one before, whatever was renamed meanwhile. */
  const opened: number[] = [];
  try {
    for (const name of names) {
      if (name === "..") {
        if (opened.length > 0) close(opened.pop()!);
        else if ((resolve & RESOLVE_BENEATH) !== 0) return -EXDEV;
        else if (!stays) return -ENOSYS;
        continue;
      }
      const next = openat(opened.at(-1) ?? dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
      if (next < 0) return next;
      opened.push(next);
      fstat(next, stat);
      if (stat.isSymbolicLink()) return -ELOOP;
      if (!stat.isDirectory()) return -ENOTDIR;
    }
    return openat(opened.at(-1) ?? dirfd, last, flags | O_NOFOLLOW, mode);
  } finally {
    for (const fd of opened) close(fd);
  }
}
