import type { Loop } from "../core/loop.ts";
import type { Timer } from "../core/timers.ts";
import type { TcpConnection, TcpHandler } from "../network/tcp.ts";
import type { UpstreamAddress } from "../network/upstream.ts";
import {
  type ConnectionsFactory,
  connectFresh,
  type UpstreamConnections,
  type UpstreamUser,
} from "./upstream-connections.ts";

export type PoolLimits = {
  /** Connections to one upstream that wait for work. */
  idle: number;
  /** How long one may wait, in milliseconds: less than upstreams usually wait, so that it is seldom they who close. */
  idleMs: number;
  /** Requests that one may serve. */
  requests: number;
};

const defaultLimits: PoolLimits = { idle: 64, idleMs: 4000, requests: 100_000 };

/** Connections that go on after an exchange: to make a new one costs a proxy more than half of its work. */
export function pooledConnections(limits: PoolLimits = defaultLimits): ConnectionsFactory {
  return (loop, connectMs) => new UpstreamPool(loop, connectMs, limits);
}

/** A connection of a pool. Hears of it while nobody uses it: whatever happens then, it is of no more use. */
class PooledConnection implements TcpHandler {
  readonly connection: TcpConnection;
  readonly #onLost: (connection: PooledConnection) => void;
  /** Exchanges so far. */
  uses = 0;
  /** Since when it waits, by the loop's clock. */
  idleSince = 0;

  constructor(connection: TcpConnection, onLost: (connection: PooledConnection) => void) {
    this.connection = connection;
    this.#onLost = onLost;
  }

  /** An answer that nobody has asked for: the next request would be answered by it. */
  onData(): void {
    this.#onLost(this);
  }

  onEnd(): void {
    this.#onLost(this);
  }

  onDrain(): void {}

  onClose(): void {
    this.#onLost(this);
  }
}

/** The connections of one route, by upstream. The one that was used last is taken first, and the others grow old. */
class UpstreamPool implements UpstreamConnections {
  readonly persists = true;
  readonly #loop: Loop;
  readonly #connectMs: number;
  readonly #limits: PoolLimits;
  readonly #idle = new Map<UpstreamAddress, PooledConnection[]>();
  readonly #known = new WeakMap<TcpConnection, PooledConnection>();
  /** Closes those that have waited for too long. Set while there is one that waits. */
  #timer: Timer | undefined;
  #isDestroyed = false;

  constructor(loop: Loop, connectMs: number, limits: PoolLimits) {
    this.#loop = loop;
    this.#connectMs = connectMs;
    this.#limits = limits;
  }

  acquire(address: UpstreamAddress, user: UpstreamUser, isFresh: boolean): () => void {
    // TODO 10a: the one that was given back last, or else a new one. Who may take none that has served before gets a new one.
    const waiting = this.#idle.get(address)?.length;
    return todo(
      `10a: one of ${waiting}, fresh: ${isFresh}, ${this.#connectMs}: ${[user, connectFresh, this.#loop]}`,
    );
  }

  release(address: UpstreamAddress, connection: TcpConnection): void {
    let pooled = this.#known.get(connection);
    if (pooled === undefined) {
      pooled = new PooledConnection(connection, (lost) => this.#discard(address, lost));
      this.#known.set(connection, pooled);
    }
    // TODO 10b: one that has served enough, or has ended, or is one too many, is destroyed. The others wait, with `pooled` as their handler and reading
    // (or who hears of their end?), since `this.#loop.now`; and somebody has to come by when they have waited for too long.
    const waiting = this.#waiting(address);
    todo(
      `10b: ${pooled.uses} of ${this.#limits.requests}, ${waiting.length} of ${this.#limits.idle}, ${this.#isDestroyed}, ${this.#timer}: ${this.#sweepAfter}`,
    );
  }

  destroy(): void {
    this.#isDestroyed = true;
    if (this.#timer !== undefined) this.#loop.timers.cancel(this.#timer);
    for (const waiting of this.#idle.values()) {
      for (const { connection } of waiting.splice(0)) connection.destroy();
    }
  }

  #waiting(address: UpstreamAddress): PooledConnection[] {
    let waiting = this.#idle.get(address);
    if (waiting === undefined) {
      waiting = [];
      this.#idle.set(address, waiting);
    }
    return waiting;
  }

  #discard(address: UpstreamAddress, lost: PooledConnection): void {
    const waiting = this.#waiting(address);
    const index = waiting.indexOf(lost);
    if (index !== -1) waiting.splice(index, 1);
    lost.connection.destroy();
  }

  #sweepAfter(ms: number): void {
    this.#timer = this.#loop.timers.set(ms, () => this.#sweep());
  }

  /** Closes what has waited for too long, and comes again when the next one will have. */
  #sweep(): void {
    this.#timer = undefined;
    // TODO 10c: destroys those that have waited for `idleMs`: the oldest stand first. Then it comes again for the next, if there is one.
    todo(`10c: ${this.#idle.size} upstreams`);
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
