import {
  close,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
} from "expserver-course/linux";
import { onTestFinished } from "vitest";
import type { Loop } from "../core/loop.ts";
import { Timers } from "../core/timers.ts";
import type { Handler } from "./poller.ts";

/** A loop for the tests beside this file: it turns when the test says so, and its clock is the test's. */
export class SteppedLoop {
  /** Milliseconds; moved by {@link advance} only. */
  now = 0;
  readonly timers = new Timers(() => this.now);
  /** Calls of `again` so far. */
  agains = 0;
  readonly #epoll = epoll_create1();
  readonly #events = new EpollEvents(64);
  readonly #handlers = new Map<number, Handler>();
  #again = new Map<number, number>();

  constructor() {
    onTestFinished(() => close(this.#epoll));
  }

  /** As the modules ask for it. */
  get asLoop(): Loop {
    return this as unknown as Loop;
  }

  add(fd: number, events: number, handler: Handler): void {
    epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, events);
    this.#handlers.set(fd, handler);
  }

  remove(fd: number): void {
    if (this.#handlers.delete(fd)) epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd);
  }

  again(fd: number, events: number): void {
    this.agains++;
    this.#again.set(fd, (this.#again.get(fd) ?? 0) | events);
  }

  /** All descriptors that are watched. */
  get watched(): Iterable<number> {
    return this.#handlers.keys();
  }

  isWatched(fd: number): boolean {
    return this.#handlers.has(fd);
  }

  /**
   * One turn: what is ready, or becomes so within some milliseconds, and what was to be told again.
   * @returns how many handlers were told
   */
  turn(waitMs = 0): number {
    const again = this.#again;
    this.#again = new Map();
    const count = epoll_wait(this.#epoll, this.#events, 64, again.size > 0 ? 0 : waitMs);
    const told: [fd: number, events: number][] = [...again];
    for (let i = 0; i < count; i++) told.push([this.#events.data(i), this.#events.events(i)]);
    for (const [fd, events] of told) {
      const handler = this.#handlers.get(fd);
      try {
        handler?.onReady(events);
      } catch (error) {
        handler!.onError(error);
      }
    }
    return told.length;
  }

  /** Turns until something holds; fails the test when nothing happens for two seconds before. */
  until(holds: () => boolean): void {
    while (!holds()) if (this.turn(2000) === 0) throw new Error(`nothing happens any more: ${holds}`);
  }

  /** Turns until nothing is ready. */
  settle(): void {
    while (this.turn() > 0);
  }

  /** Lets time pass and calls the timers that are due. */
  advance(ms: number): void {
    this.now += ms;
    this.timers.expire();
  }
}
