import {
  AF_INET,
  close,
  connect,
  EAGAIN,
  EINPROGRESS,
  errnoName,
  getpeername,
  getsockname,
  getsockopt,
  IPPROTO_TCP,
  recv,
  SHUT_WR,
  SO_ERROR,
  SO_LINGER,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  send,
  setsockopt,
  shutdown,
  socket,
  TCP_NODELAY,
} from "../../linux/index.ts";
import { CheckFailure, count, describeMs } from "./evidence.ts";
import type { Deadline } from "./machine.ts";
import { type Endpoint, unreadBytes } from "./receive-queue.ts";
import type { TcpPeerOptions } from "./tcp-client.ts";

/** How a raw client's socket is set up. */
export type RawPeerOptions = TcpPeerOptions & {
  /** Bytes of SO_RCVBUF, before connecting: how much the kernel may keep for a client that does not read. */
  receiveBuffer?: number;
  /** Bytes of SO_SNDBUF. */
  sendBuffer?: number;
};

/** What is asked of a flood besides its end. */
export type FloodOptions = {
  /**
   * How often the server did something for others so far. Where it is given, the server counts as stopped only
   * when it was seen at work three times, from start to end, while it read nothing of this client.
   */
  served?: () => number;
  /** Milliseconds that the flood lasts at least. */
  forMs?: number;
  /** Milliseconds in which the kernel takes nothing; for the last three quarters the server must leave its queue as it is. */
  quietMs?: number;
};

const usualQuietMs = 400;
/** Signs of life meanwhile: one may have begun before, so it takes more than two. */
const servedMeanwhile = 3;

/**
 * One end of a connection made of system calls, for checks that must know what the kernel has taken: it sends and receives
 * only when it is told to, and nothing lies in buffers of its own.
 */
export class RawPeer {
  readonly name: string;
  /** Bytes that the kernel has taken. */
  sent = 0;
  /** Bytes that have been received. */
  received = 0;
  /** Whether the end of the stream was met. */
  ended = false;
  /** Why the connection broke, such as ECONNRESET. */
  broken: string | undefined;
  readonly #fd: number;
  readonly #options: RawPeerOptions;
  #closed = false;

  private constructor(fd: number, options: RawPeerOptions) {
    this.#fd = fd;
    this.#options = options;
    this.name = options.name;
  }

  /**
   * Connects to a server on this machine.
   * @throws CheckFailure when it refuses, or does not answer in time
   */
  static async connect(port: number, options: RawPeerOptions): Promise<RawPeer> {
    const { name, transcript, receiveBuffer, sendBuffer } = options;
    const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    const peer = new RawPeer(fd, options);
    try {
      if (receiveBuffer !== undefined) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer);
      if (sendBuffer !== undefined) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, sendBuffer);
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      let result = connect(fd, { host: "127.0.0.1", port });
      if (result === -EINPROGRESS) {
        // Called again, connect tells how the attempt stands; an error is told once, by SO_ERROR.
        const deadline = options.deadline(5000);
        const isOver = () => {
          const error = getsockopt(fd, SOL_SOCKET, SO_ERROR);
          result = error === 0 ? connect(fd, { host: "127.0.0.1", port }) : -error;
          return result === 0 || errnoName(result) === "EISCONN" || error !== 0;
        };
        await deadline.until(isOver, { pollMs: 2 });
      }
      // A refusal is ECONNREFUSED: this connection was there, and the server has broken it since.
      if (errnoName(result) === "ECONNRESET") peer.broken = "ECONNRESET";
      else if (result < 0 && errnoName(result) !== "EISCONN") {
        throw new CheckFailure({
          summary: `${name} could not connect to port ${port}`,
          expected: "a connection",
          observed: errnoName(result),
        });
      }
    } catch (error) {
      peer.close();
      throw error;
    }
    transcript.step(`${name} connected`);
    if (peer.broken !== undefined) transcript.step(`${name}: the connection broke (${peer.broken})`);
    return peer;
  }

  /** Speaks on a connection that a server of the check's has accepted: a non-blocking socket, which this object closes. */
  static adopt(fd: number, options: RawPeerOptions): RawPeer {
    const { receiveBuffer, sendBuffer } = options;
    if (receiveBuffer !== undefined) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer);
    if (sendBuffer !== undefined) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, sendBuffer);
    return new RawPeer(fd, options);
  }

  /** Whether nothing more can come. */
  get over(): boolean {
    return this.ended || this.broken !== undefined || this.#closed;
  }

  /** Sends what the kernel takes at once. Returns how many bytes that were. */
  sendSome(bytes: Uint8Array): number {
    if (this.#closed || this.broken !== undefined) return 0;
    const taken = send(this.#fd, bytes, bytes.length);
    if (taken < 0) {
      if (taken !== -EAGAIN) this.#break(taken);
      return 0;
    }
    this.sent += taken;
    return taken;
  }

  /** Bytes that lie unread in the program's socket; `undefined` when it has none for this connection (any more). */
  unreadByProgram(): number | undefined {
    if (this.over) return undefined;
    try {
      return unreadBytes(getpeername(this.#fd) as Endpoint, getsockname(this.#fd) as Endpoint);
    } catch {
      return undefined; // the connection has just broken
    }
  }

  /**
   * Sends a pattern again and again, and reads nothing, until the server has stopped reading: the kernel takes no more
   * for a while, and what the server has not read stays as it is meanwhile. A server that merely had no time to read
   * does not count as stopped when `served` tells that it had some.
   * @param limit bytes after which it gives up, because nothing seems to stop them
   * @returns whether the server has stopped reading; `false` also when it still reads after half a minute, or the
   * connection broke
   */
  async floodUntilStuck(
    pattern: Uint8Array,
    limit: number,
    { served = () => Number.POSITIVE_INFINITY, forMs = 0, quietMs = usualQuietMs }: FloodOptions = {},
  ): Promise<boolean> {
    const { transcript, deadline } = this.#options;
    transcript.step(`${this.name} sends without pause, and reads nothing`);
    const begin = this.sent;
    const least = deadline(forMs);
    let quiet = deadline(quietMs / 4);
    let standstill: { unread: number | undefined; served: number; until: Deadline } | undefined;
    let isStuck = false;
    const isOver = () => {
      const before = this.sent;
      // A turn's share, so that the other clients of the check have theirs.
      for (let burst = 0; burst < 16 && this.sent - begin < limit; burst++) {
        if (this.sendSome(pattern.subarray((this.sent - begin) % pattern.length)) === 0) break;
      }
      if (this.sent - begin >= limit || this.broken !== undefined || this.#closed) {
        isStuck = false;
        return true;
      }
      if (this.sent > before) {
        quiet = deadline(quietMs / 4);
        standstill = undefined;
        isStuck = false;
      }
      if (isStuck) return least.remaining() === 0;
      if (quiet.remaining() > 0) return false;
      standstill ??= { unread: this.unreadByProgram(), served: served(), until: deadline(quietMs * 0.75) };
      if (standstill.until.remaining() > 0 || served() < standstill.served + servedMeanwhile) return false;
      // With nothing unread it is the kernel that makes the client wait, as before it sends a lost segment again.
      isStuck = standstill.unread !== 0 && this.unreadByProgram() === standstill.unread;
      if (!isStuck) standstill = undefined;
      return isStuck && least.remaining() === 0;
    };
    await deadline(30_000).until(isOver, { pollMs: 1 });
    transcript.step(
      `${this.name} sent ${count(this.sent - begin, "byte")}${isStuck ? ", then the server stopped reading" : ""}`,
    );
    return isStuck;
  }

  /** Receives what is there. Returns its bytes, valid until the next call; empty when there are none. */
  receiveSome(): Uint8Array {
    if (this.over) return buffer.subarray(0, 0);
    const length = recv(this.#fd, buffer, buffer.length);
    if (length === 0) {
      this.ended = true;
      this.#options.transcript.step(`${this.name} met the end of the stream`);
    } else if (length < 0 && length !== -EAGAIN) {
      this.#break(length);
    }
    this.received += Math.max(0, length);
    return buffer.subarray(0, Math.max(0, length));
  }

  /**
   * Receives until a number of bytes has come, or nothing more can.
   * @param onBytes is given each piece; valid during the call only
   * @returns whether all came in time
   */
  async receive(length: number, onBytes: (bytes: Uint8Array) => void, withinMs = 20_000): Promise<boolean> {
    const end = this.received + length;
    const deadline = this.#options.deadline(withinMs);
    const isOver = () => {
      for (let piece = 0; piece < 16 && this.received < end; piece++) {
        const bytes = this.receiveSome();
        if (bytes.length === 0) break;
        onBytes(bytes);
      }
      return this.over || this.received >= end;
    };
    await deadline.until(isOver, { pollMs: 1 });
    if (this.received < end) {
      this.#options.transcript.step(
        `${this.name} had received ${count(this.received, "byte")} after ${describeMs(deadline.elapsed())}`,
      );
    }
    return this.received >= end;
  }

  /** Ends sending (`man 2 shutdown` with SHUT_WR). */
  end(): void {
    this.#options.transcript.step(`${this.name} ended sending`);
    if (!this.#closed) shutdown(this.#fd, SHUT_WR);
  }

  /** Breaks the connection with a reset. */
  reset(): void {
    if (this.#closed) return;
    this.#options.transcript.step(`${this.name} reset the connection`);
    setsockopt(this.#fd, SOL_SOCKET, SO_LINGER, 0);
    this.close();
  }

  /** Closes the connection. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.#fd);
  }

  #break(errno: number): void {
    this.broken = errnoName(errno);
    this.#options.transcript.step(`${this.name}: the connection broke (${this.broken})`);
  }
}

/** Where received bytes lie for the check to look at: one for all, since none of the calls waits. */
const buffer = new Uint8Array(256 * 1024);
