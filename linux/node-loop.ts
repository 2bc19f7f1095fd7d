import { libcFunction } from "./libc.ts";

/**
 * The epoll descriptor of Node's own event loop. A program with a loop of its own adds it to its epoll set: it becomes
 * readable when Node has something to do (a signal, a child's end, a message), and the program then hands the thread
 * back for a moment, with `setImmediate`. Node's timers do not show in it.
 * Only in the main thread: a worker thread has another loop. Belongs to libuv, not to Linux: <https://docs.libuv.org/en/v1.x/loop.html>.
 * @returns the descriptor; only to be watched, never to be closed
 * @throws {Error} this Node does not export libuv's functions
 */
export function uv_backend_fd(): number {
  // Bound at the first use: a Node that was linked without them can still make system calls.
  const uv_default_loop = libcFunction<() => unknown>("void *uv_default_loop()");
  const backend = libcFunction<(loop: unknown) => number>("int uv_backend_fd(void *loop)");
  return backend(uv_default_loop());
}
