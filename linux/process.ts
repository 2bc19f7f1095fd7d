import { countOrErrno, libcFunction, orThrow } from "./libc.ts";
import { traced } from "./trace.ts";
import { flagSet, type NameTable, oneOf, quotedText } from "./trace-format.ts";

/** `prctl`: signal that this process gets when its parent dies. */
export const PR_SET_PDEATHSIG = 1;
/** `prctl`: orphaned descendants become children of this process instead of process 1. */
export const PR_SET_CHILD_SUBREAPER = 36;

/** `waitpid`: return at once when no child has ended. */
export const WNOHANG = 1;
/** `waitpid`: report stopped children too. */
export const WUNTRACED = 2;

/** The terminal is gone; servers read their configuration again. */
export const SIGHUP = 1;
/** Ctrl-C. */
export const SIGINT = 2;
/** Ctrl-\. */
export const SIGQUIT = 3;
/** End at once; cannot be handled. */
export const SIGKILL = 9;
/** For the program's own use; Node opens its debugger unless somebody listens. */
export const SIGUSR1 = 10;
/** For the program's own use. */
export const SIGUSR2 = 12;
/** Written to a pipe or socket that nobody reads; Node ignores it. */
export const SIGPIPE = 13;
/** Please end. */
export const SIGTERM = 15;
/** A child has ended. */
export const SIGCHLD = 17;
/** Go on after SIGSTOP. */
export const SIGCONT = 18;
/** Stop; cannot be handled. */
export const SIGSTOP = 19;

const SIGNAL_NAMES: NameTable = {
  SIGHUP,
  SIGINT,
  SIGQUIT,
  SIGKILL,
  SIGUSR1,
  SIGUSR2,
  SIGPIPE,
  SIGTERM,
  SIGCHLD,
  SIGCONT,
  SIGSTOP,
};
const PRCTL_NAMES: NameTable = { PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER };

const libc_getpid = libcFunction<() => number>("int getpid()");
const libc_getppid = libcFunction<() => number>("int getppid()");
const libc_uname = libcFunction<(buffer: Uint8Array) => number>("int uname(void *buffer)");
const libc_prctl = libcFunction<(option: number, a2: number, a3: number, a4: number, a5: number) => number>(
  "int prctl(int option, int64_t a2, int64_t a3, int64_t a4, int64_t a5)",
);
const libc_waitpid = libcFunction<(pid: number, status: Int32Array, options: number) => number>(
  "int waitpid(int pid, void *status, int options)",
);
const libc_kill = libcFunction<(pid: number, signal: number) => number>("int kill(int pid, int signal)");

/**
 * This process's number.
 *
 * `man 2 getpid`
 */
export const getpid = traced(
  "getpid",
  function getpid(): number {
    return libc_getpid();
  },
  () => "",
);

/**
 * The parent's number; 1, or the nearest subreaper's, when the parent has died.
 *
 * `man 2 getppid`
 */
export const getppid = traced(
  "getppid",
  function getppid(): number {
    return libc_getppid();
  },
  () => "",
);

/** What `uname` tells. */
export type Utsname = {
  sysname: string;
  nodename: string;
  release: string;
  version: string;
  machine: string;
};

const UTSNAME_FIELD_BYTES = 65;
const utsname = Buffer.alloc(6 * UTSNAME_FIELD_BYTES);

/**
 * Names the system: kernel, host, kernel release, build, processor.
 *
 * `man 2 uname`
 */
export const uname = traced(
  "uname",
  function uname(): Utsname {
    orThrow(libc_uname(utsname), "uname");
    const field = (index: number): string => {
      const start = index * UTSNAME_FIELD_BYTES;
      return utsname.toString("utf8", start, utsname.indexOf(0, start));
    };
    return { sysname: field(0), nodename: field(1), release: field(2), version: field(3), machine: field(4) };
  },
  (names) =>
    `{sysname=${quotedText(names?.sysname ?? "")}, nodename=${quotedText(names?.nodename ?? "")}, ...}`,
);

/**
 * Changes a property of this process; with options whose argument is a number.
 * @param option PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, …
 * @param arg2 the option's value: 1 or 0, or a signal
 * @returns what the option asks for, mostly 0
 * @throws {SystemCallError} EINVAL (unknown option or value), EPERM
 *
 * `man 2 prctl`
 */
export const prctl = traced(
  "prctl",
  function prctl(option: number, arg2 = 0): number {
    // The kernel refuses some options unless the unused arguments are 0.
    return orThrow(libc_prctl(option, arg2, 0, 0, 0), "prctl", () => oneOf(option, PRCTL_NAMES));
  },
  (_, option, arg2 = 0) =>
    `${oneOf(option, PRCTL_NAMES)}, ${option === PR_SET_PDEATHSIG ? oneOf(arg2, SIGNAL_NAMES) : arg2}`,
);

const waitStatus = new Int32Array(1);

/**
 * Collects a child that has ended. Node collects the ones that it started itself: meant for adopted ones.
 * @param pid a child's number, or -1 for any
 * @param options WNOHANG returns at once; 0 waits, and Node runs nothing meanwhile
 * @returns pid: the child's number, 0 (WNOHANG: none has ended), or -ECHILD (no such child), -EINTR; status: how it
 * ended, for {@link WIFEXITED} and its like
 *
 * `man 2 waitpid`
 */
export const waitpid = traced(
  "waitpid",
  function waitpid(pid: number, options: number): { pid: number; status: number } {
    waitStatus[0] = 0;
    const child = countOrErrno(libc_waitpid(pid, waitStatus, options));
    return { pid: child, status: waitStatus[0]! };
  },
  (result, pid, options) => {
    const ended = result !== undefined && result.pid > 0;
    return `${pid}, ${ended ? `[${statusText(result.status)}]` : "..."}, ${flagSet(options, { WNOHANG, WUNTRACED })}`;
  },
  (result) => result.pid,
);

/** How a child ended, in strace's words. */
function statusText(status: number): string {
  if (WIFEXITED(status)) return `WIFEXITED(s) && WEXITSTATUS(s) == ${WEXITSTATUS(status)}`;
  if (WIFSIGNALED(status)) return `WIFSIGNALED(s) && WTERMSIG(s) == ${oneOf(WTERMSIG(status), SIGNAL_NAMES)}`;
  return String(status);
}

/** The child ended by itself (`man 2 waitpid`). */
export function WIFEXITED(status: number): boolean {
  return (status & 0x7f) === 0;
}
/** Its exit status, if it ended by itself (`man 2 waitpid`). */
export function WEXITSTATUS(status: number): number {
  return (status >> 8) & 0xff;
}
/** A signal ended the child (`man 2 waitpid`). */
export function WIFSIGNALED(status: number): boolean {
  const signal = status & 0x7f;
  return signal !== 0 && signal !== 0x7f;
}
/** Which signal, if one ended it (`man 2 waitpid`). */
export function WTERMSIG(status: number): number {
  return status & 0x7f;
}

/**
 * Sends a signal.
 * @param pid a process; 0 for the own process group, -n for process group n
 * @param signal SIGTERM, …; 0 sends nothing and only asks whether it could be sent
 * @returns 0, or -ESRCH (no such process), -EPERM (somebody else's)
 *
 * `man 2 kill`
 */
export const kill = traced(
  "kill",
  function kill(pid: number, signal: number): number {
    return countOrErrno(libc_kill(pid, signal));
  },
  (_, pid, signal) => `${pid}, ${oneOf(signal, SIGNAL_NAMES)}`,
);
