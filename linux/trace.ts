import { errnoMessage, errnoName, SystemCallError } from "./errno.ts";
import { lastErrno, libcFunction } from "./libc.ts";

/**
 * The trace: with `EXPSERVER_TRACE=<path>` or `EXPSERVER_TRACE=<descriptor number>` every system call becomes one line,
 *
 *     0.001234 recv(5, "hello\n", 65536, 0) = 6 <0.000004>
 *
 * time since the process started in seconds, the call, its result, and how long it took. `%p` in a path stands for
 * the process id. Without the variable nothing is wrapped: the exported functions are the bare ones.
 */

const rawOpen = libcFunction<(path: string, flags: number, mode: number) => number>(
  "int open(const char *path, int flags, int mode)",
);
const rawWrite = libcFunction<(fd: number, bytes: Uint8Array, count: number) => number>(
  "int64_t write(int fd, const void *buffer, size_t count)",
);
const rawFcntl = libcFunction<(fd: number, command: number, argument: number) => number>(
  "int fcntl(int fd, int command, int64_t argument)",
);

// Spelled out because the files with the constants import this one. They are the same on x86-64 and arm64.
const O_WRONLY_CREAT_APPEND_CLOEXEC = 0o1 | 0o100 | 0o2000 | 0o2000000;
const F_GETFD = 1;

/**
 * Opens what EXPSERVER_TRACE names.
 * @returns the descriptor to write to, or null when tracing is off
 * @throws {SystemCallError} the file cannot be opened, or the descriptor is not open: a trace that silently
 * stays empty would mislead
 */
export function openTrace(target: string | undefined): number | null {
  if (target === undefined || target === "") return null;
  if (/^\d+$/.test(target)) {
    const fd = Number(target);
    if (rawFcntl(fd, F_GETFD, 0) < 0) throw new SystemCallError("EXPSERVER_TRACE", lastErrno(), target);
    return fd;
  }
  const path = target.replaceAll("%p", String(process.pid));
  // Append mode: each line lands behind the last one, whichever process wrote that.
  const fd = rawOpen(path, O_WRONLY_CREAT_APPEND_CLOEXEC, 0o644);
  if (fd < 0) throw new SystemCallError("EXPSERVER_TRACE", lastErrno(), path);
  return fd;
}

const traceDescriptor = openTrace(process.env.EXPSERVER_TRACE);
const encoder = new TextEncoder();

/** Written at once and past all of Node's buffers, so that a killed process leaves a complete trace. */
function writeLine(line: string): void {
  const bytes = encoder.encode(line);
  rawWrite(traceDescriptor!, bytes, bytes.length);
}

/** `6`, or as strace shows a failure: `-1 EAGAIN (resource temporarily unavailable)`. */
function formatResult(value: number): string {
  return value >= 0 ? String(value) : `-1 ${errnoName(value)} (${errnoMessage(value)})`;
}

/**
 * Makes a system call traceable. With tracing off, which is decided once when this file is loaded, it returns
 * the function it was given.
 * @param name the name in the trace; not taken from the function, which a bundler may rename
 * @param call the bare function
 * @param describe the text between the parentheses, built after the call so that it can show what was received;
 * the result is undefined when the call threw
 * @param value the number after the `=` where the result is not a number itself
 */
export function traced<F extends (...args: never[]) => unknown>(
  name: string,
  call: F,
  describe: (result: ReturnType<F> | undefined, ...args: Parameters<F>) => string,
  value?: (result: ReturnType<F>) => number,
): F {
  if (traceDescriptor === null) return call;
  const run = (...args: Parameters<F>): ReturnType<F> => {
    const started = performance.now();
    let result: ReturnType<F> | undefined;
    let failure: unknown;
    try {
      result = call(...args) as ReturnType<F>;
    } catch (error) {
      // Anything but a SystemCallError was refused before the kernel was asked: no call, no line.
      if (!(error instanceof SystemCallError)) throw error;
      failure = error;
    }
    const ended = performance.now();
    let shown = 0;
    if (failure instanceof SystemCallError) shown = -failure.errno;
    else if (value !== undefined) shown = value(result as ReturnType<F>);
    else if (typeof result === "number") shown = result;
    const seconds = (ended - started) / 1000;
    writeLine(
      `${(started / 1000).toFixed(6)} ${name}(${describe(result, ...args)}) = ` +
        `${formatResult(shown)} <${seconds.toFixed(6)}>\n`,
    );
    if (failure !== undefined) throw failure;
    return result as ReturnType<F>;
  };
  return run as unknown as F;
}
