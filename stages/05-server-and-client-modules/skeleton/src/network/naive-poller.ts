import {
  EINTR,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  SystemCallError,
} from "expserver-course/linux";
import type { Handler, Poller } from "./poller.ts";

/**
 * A poller that is right and slow: it keeps its handlers in a list and searches it from the front for every event.
 * One event with ten thousand clients costs ten thousand comparisons. Stage 6 replaces it by a loop.
 */
export class NaivePoller implements Poller {
  readonly #epoll = epoll_create1();
  #watched: { fd: number; handler: Handler }[] = [];

  add(fd: number, events: number, handler: Handler): void {
    epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, events);
    this.#watched.push({ fd, handler });
  }

  modify(fd: number, events: number): void {
    epoll_ctl(this.#epoll, EPOLL_CTL_MOD, fd, events);
  }

  remove(fd: number): void {
    if (!this.#watched.some((each) => each.fd === fd)) return;
    epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd);
    this.#watched = this.#watched.filter((each) => each.fd !== fd);
  }

  /** Waits for events and calls their handlers, for ever. */
  run(): never {
    const events = new EpollEvents(1);
    for (;;) {
      // One event at a time: what its handler closes or opens cannot spoil another event that has been fetched.
      const count = epoll_wait(this.#epoll, events, 1, -1);
      if (count === -EINTR) continue;
      if (count < 0) throw new SystemCallError("epoll_wait", -count);
      const fd = events.data(0);
      const found = this.#watched.find((each) => each.fd === fd);
      if (found === undefined) continue;
      try {
        found.handler.onReady(events.events(0));
      } catch (error) {
        found.handler.onError(error);
      }
    }
  }
}
