import {
  close,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
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
    // TODO 2a: into the epoll set, then into the array.
    todo(`2a: watch descriptor ${fd}`);
  }

  modify(fd: number, events: number): void {
    // TODO 2a
    todo(`2a: change what is told of descriptor ${fd}`);
  }

  remove(fd: number): void {
    // TODO 2a: out of the array, and out of the epoll set. One that is not watched may be removed too.
    todo(`2a: watch descriptor ${fd} no longer`);
  }

  /**
   * Tells a descriptor's handler of events in the next turn, before the loop sleeps again: for a handler that let
   * others take their turn, and for bytes that wait where epoll cannot see them.
   */
  again(fd: number, events: number): void {
    // TODO 2c: note the events in the watch, and the watch in the list, once.
    todo(`2c: tell descriptor ${fd} again`);
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
    // TODO 2a: wait for events, at most untilNode milliseconds (-1: as long as it takes), count the turn, read the clock.
    // Then tell each event to its watch, and the timers to expire. What Node's descriptor brings is only noted.
    // TODO 2c: with something in the list of `again` there is no waiting; the list is told after the events.
    // TODO 2d: wait no longer than until the next timer, nor than longestSleep.
    return todo(`2a: a turn of at most ${untilNode} ms`);
  }

  #tell(watch: Watch | undefined, events: number): void {
    // TODO 2a: call the handler.
    // TODO 2b: unless the event is not for this watch; and what the handler throws is its own trouble.
    todo(`2a: tell descriptor ${watch?.fd} of events ${events}`);
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
