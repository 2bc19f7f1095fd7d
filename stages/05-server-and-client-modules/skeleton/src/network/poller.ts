/** What a poller calls when a descriptor is ready. */
export interface Handler {
  /**
   * Something can be done on the descriptor.
   * @param events EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLERR, EPOLLHUP, OR-ed together (`man 2 epoll_ctl`)
   */
  onReady(events: number): void;
  /**
   * `onReady` threw this. It is this handler's trouble alone: it ends what it serves, and everybody else goes on.
   */
  onError(error: unknown): void;
}

/** Watches descriptors and calls their handlers: what a server needs of an event loop, and no more. */
export interface Poller {
  /**
   * Begins to watch a descriptor.
   * @param events what to tell of: EPOLLIN | EPOLLOUT | EPOLLRDHUP, and EPOLLET for edges instead of states
   * @throws {SystemCallError} the descriptor is watched already (EEXIST), or cannot be watched (EPERM, EBADF)
   */
  add(fd: number, events: number, handler: Handler): void;
  /** Changes what is told of a watched descriptor. */
  modify(fd: number, events: number): void;
  /** Ends the watching, before `close`. Its handler is not called any more, not even for events that have been fetched. */
  remove(fd: number): void;
}
