import { libcFunction } from "./libc.ts";

let defaultLoop: unknown;
/** Node's loop in the main thread. Bound at the first use: a Node linked without libuv's symbols can still make system calls. */
function uv_default_loop(): unknown {
  defaultLoop ??= libcFunction<() => unknown>("void *uv_default_loop()")();
  return defaultLoop;
}

/**
 * The epoll descriptor of Node's own event loop. A program with a loop of its own adds it to its epoll set: it becomes
 * readable when Node has something to do (a signal, a child's end, a message), and the program then hands the thread
 * back for a moment, with `setImmediate`. Node's timers do not show in it: {@link uv_backend_timeout}.
 * Only in the main thread: a worker thread has another loop. Belongs to libuv, not to Linux: <https://docs.libuv.org/en/v1.x/loop.html>.
 * @returns the descriptor; only to be watched, never to be closed
 * @throws {Error} this Node does not export libuv's functions
 */
export function uv_backend_fd(): number {
  return libcFunction<(loop: unknown) => number>("int uv_backend_fd(void *loop)")(uv_default_loop());
}

let libuv_backend_timeout: ((loop: unknown) => number) | undefined;
let libuv_update_time: ((loop: unknown) => void) | undefined;

/**
 * How long Node's own event loop would sleep now: the time until its next timer. A program with a loop of its own sleeps
 * no longer than this. Right only while something keeps Node's loop alive (a handle such as an open MessagePort), and not
 * inside `setImmediate`, which counts as work that is waiting.
 * @returns milliseconds since the last {@link uv_update_time}, 0 when something is waiting to run, -1 for no limit
 */
export function uv_backend_timeout(): number {
  libuv_backend_timeout ??= libcFunction<(loop: unknown) => number>("int uv_backend_timeout(void *loop)");
  return libuv_backend_timeout(uv_default_loop());
}

/**
 * Brings the clock of Node's loop up to date. Node itself does so once per turn, and a program that runs a loop inside
 * one such turn would set its `setTimeout` by the time at which that turn began.
 */
export function uv_update_time(): void {
  libuv_update_time ??= libcFunction<(loop: unknown) => void>("void uv_update_time(void *loop)");
  libuv_update_time(uv_default_loop());
}
