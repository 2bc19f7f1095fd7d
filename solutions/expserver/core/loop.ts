import {
  close,
  EINTR,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLIN,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  SystemCallError,
  uv_backend_fd,
  uv_backend_timeout,
  uv_update_time,
} from "expserver-course/linux";
import type { Handler, Poller } from "../network/poller.ts";
import { Timers } from "./timers.ts";

/** Events that one epoll_wait takes. A turn with so many lasts about a millisecond, and others wait no longer. */
const batchSize = 256;

/** Milliseconds that fit into the int of epoll_wait: of a time that does not fit it would take any part, and spin. */
const longestSleep = 2 ** 31 - 1;

/** A watched descriptor. */
type Watch = {
  readonly fd: number;
  readonly handler: Handler;
  /** The turn in which it was added: events that this turn had fetched before are not its own. */
  readonly since: number;
  /** Events to be told again in the next turn; 0 while it is not in that list. */
  again: number;
};

const nothing: Watch[] = [];

/**
 * The event loop: sleeps until a descriptor is ready or a timer is due, and calls the handlers. A handler is found by
 * its descriptor in an array, so a turn costs the same with ten and with ten thousand idle connections.
 *
 * Node's own loop goes on inside ours. Its epoll set is a member of our set, and its next timer limits our sleep; when
 * one of them is due we return to Node and come back by a message to ourselves. So signals, children, `setTimeout`
 * and promises of Node's functions work as ever. What a handler leaves to `process.nextTick` or to a promise
 * of its own runs at the next such return only: handlers do their work before they return.
 */
export class Loop implements Poller {
  /** Timers of this loop, in milliseconds of {@link now}. */
  readonly timers = new Timers(() => this.now);
  /** Milliseconds on a clock that never jumps, read once per turn. */
  now = performance.now();
  readonly #epoll = epoll_create1();
  readonly #events = new EpollEvents(batchSize);
  /** By descriptor: the kernel gives the lowest free numbers, so the array stays dense. */
  readonly #watches: (Watch | undefined)[] = [];
  #again: Watch[] = [];
  #turn = 0;
  #running = false;
  readonly #nodeFd = uv_backend_fd();
  /** When Node's clock was last brought up to date. */
  #nodeNow = 0;

  constructor() {
    epoll_ctl(this.#epoll, EPOLL_CTL_ADD, this.#nodeFd, EPOLLIN);
  }

  add(fd: number, events: number, handler: Handler): void {
    epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, events);
    this.#watches[fd] = { fd, handler, since: this.#turn, again: 0 };
  }

  modify(fd: number, events: number): void {
    epoll_ctl(this.#epoll, EPOLL_CTL_MOD, fd, events);
  }

  remove(fd: number): void {
    if (this.#watches[fd] === undefined) return;
    this.#watches[fd] = undefined;
    // Also before a close, which would do it: a started program may have inherited the socket and hold it open.
    epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd);
  }

  /**
   * Tells a descriptor's handler of events in the next turn, before the loop sleeps again: for a handler that let
   * others take their turn, and for bytes that wait where epoll cannot see them.
   */
  again(fd: number, events: number): void {
    const watch = this.#watches[fd];
    if (watch === undefined) return;
    if (watch.again === 0) this.#again.push(watch);
    watch.again |= events;
  }

  /** Runs until {@link stop}. Only one loop of a process can run at a time. */
  async run(): Promise<void> {
    this.#running = true;
    const { port1: inbox, port2: ourselves } = new MessageChannel();
    try {
      await new Promise<void>((resolve, reject) => {
        inbox.on("message", () => {
          try {
            this.#runTurns();
          } catch (error) {
            reject(error);
            return;
          }
          // By way of setImmediate, so that Node has its whole turn first: a port goes on delivering what arrives
          // while it delivers, and would come back to us a thousand times before Node looked at anything else.
          if (this.#running) setImmediate(() => ourselves.postMessage(null));
          else resolve();
        });
        ourselves.postMessage(null);
      });
    } finally {
      this.#running = false;
      inbox.close();
    }
  }

  /** Lets {@link run} end after this turn. */
  stop(): void {
    this.#running = false;
  }

  /** Gives the epoll descriptor back. The loop is over; the descriptors that it watched stay open. */
  close(): void {
    close(this.#epoll);
  }

  /** Turns until it is Node's turn. */
  #runTurns(): void {
    for (let isNodeReady = false; this.#running && !isNodeReady; ) {
      this.now = performance.now();
      // Not in each turn, as it takes a tenth of a microsecond: a millisecond is all that Node's timers know.
      if (this.now - this.#nodeNow >= 1) {
        this.#nodeNow = this.now;
        uv_update_time();
      }
      const untilNode = uv_backend_timeout();
      isNodeReady = this.#runTurn(untilNode) || untilNode === 0;
    }
  }

  /** One turn: waits, calls handlers, then timers. Returns whether Node's loop has something to do. */
  #runTurn(untilNode: number): boolean {
    let untilTimer = this.#again.length > 0 ? 0 : this.timers.untilNext();
    if (untilTimer === -1 || (untilNode !== -1 && untilNode < untilTimer)) untilTimer = untilNode;
    // Rounded up: half a millisecond early, the loop would turn idly until the timer is due.
    const timeout = Math.min(Math.ceil(untilTimer), longestSleep);
    const count = epoll_wait(this.#epoll, this.#events, batchSize, timeout);
    if (count < 0 && count !== -EINTR) throw new SystemCallError("epoll_wait", -count);
    this.#turn++;
    this.now = performance.now();
    // Another list than the one that the handlers of this turn add to, also when it is empty.
    let again = nothing;
    if (this.#again.length > 0) {
      again = this.#again;
      this.#again = [];
    }
    let isNodeReady = false;
    for (let i = 0; i < count; i++) {
      const fd = this.#events.data(i);
      if (fd === this.#nodeFd) isNodeReady = true;
      else this.#tell(this.#watches[fd], this.#events.events(i));
    }
    for (const watch of again) {
      const events = watch.again;
      watch.again = 0;
      if (this.#watches[watch.fd] === watch) this.#tell(watch, events);
    }
    this.timers.expire();
    return isNodeReady;
  }

  #tell(watch: Watch | undefined, events: number): void {
    // Removed by an earlier handler of this batch; or its number was given to a new descriptor meanwhile, and the
    // event is that of the old one.
    if (watch === undefined || watch.since === this.#turn) return;
    try {
      watch.handler.onReady(events);
    } catch (error) {
      watch.handler.onError(error);
    }
  }
}
