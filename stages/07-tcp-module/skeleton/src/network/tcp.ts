import {
  close,
  EPOLLET,
  EPOLLIN,
  getsockname,
  SockaddrStorage,
  type SocketAddress,
} from "expserver-course/linux";
import type { Loop } from "../core/loop.ts";
import type { Timer } from "../core/timers.ts";
import type { Handler } from "./poller.ts";
import { listenOn } from "./socket.ts";
import { TcpConnection } from "./tcp-connection.ts";
import { PlainTransport } from "./transport.ts";

export { TcpConnection, type TcpHandler } from "./tcp-connection.ts";
export { PlainTransport, type TlsInfo, type Transport } from "./transport.ts";
export type { SendableFile } from "./write-queue.ts";

/** Connections that one turn accepts at most, before those that are there have their turn. */
const acceptBudget = 64;
/** How long accepting rests when it fails for want of descriptors or memory, in milliseconds. */
const restMs = 100;

const peerAddress = new SockaddrStorage();

/** Listens on one address and makes a {@link TcpConnection} of each connection that comes. */
export class TcpServer implements Handler {
  /** Where it listens; with the port that the kernel chose when none was asked for. */
  readonly address: SocketAddress;
  readonly #loop: Loop;
  readonly #fd: number;
  readonly #onConnection: (connection: TcpConnection) => void;
  readonly #connections = new Set<TcpConnection>();
  readonly #forget = (connection: TcpConnection) => void this.#connections.delete(connection);
  /** Ends a rest. One for all rests: each connection that comes meanwhile is a new edge, and must not begin a second one. */
  #rest: Timer | undefined;
  /** The last trouble with accepting that was told. */
  #complaint = "";
  #isPaused = true;
  #isDestroyed = false;

  private constructor(loop: Loop, fd: number, onConnection: (connection: TcpConnection) => void) {
    this.#loop = loop;
    this.#fd = fd;
    this.#onConnection = onConnection;
    this.address = getsockname(fd);
    this.resume();
  }

  /**
   * Listens on an address.
   * @param address a numeric address; port 0 lets the kernel choose
   * @param onConnection gets each new connection and sets its handler
   * @throws {SystemCallError} EADDRINUSE, EACCES, …; nothing stays open then
   */
  static listen(
    loop: Loop,
    address: SocketAddress,
    onConnection: (connection: TcpConnection) => void,
  ): TcpServer {
    return TcpServer.adopt(loop, listenOn(address), onConnection);
  }

  /**
   * Serves a socket that listens already, such as one that a worker inherited.
   * @param fd a non-blocking listening socket, which this object closes
   */
  static adopt(loop: Loop, fd: number, onConnection: (connection: TcpConnection) => void): TcpServer {
    try {
      return new TcpServer(loop, fd, onConnection);
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /** The connections that are open now. */
  get connections(): ReadonlySet<TcpConnection> {
    return this.#connections;
  }

  /** Stops accepting: new connections wait in the kernel's queue, or go to another process with the same socket. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#loop.remove(this.#fd);
  }

  /** Accepts again. */
  resume(): void {
    if (!this.#isPaused || this.#isDestroyed) return;
    this.#isPaused = false;
    this.#loop.add(this.#fd, EPOLLIN | EPOLLET, this);
  }

  onReady(): void {
    // TODO 1b: accept4 (peerAddress; non-blocking, close-on-exec), again and again, until -EAGAIN says that
    // nobody waits: epoll tells of this socket when somebody comes, not while somebody waits. #welcome each.
    // -ECONNABORTED and -EINTR mean nothing: go on with the next. Stop when a handler has paused or destroyed
    // this server meanwhile. After acceptBudget of them let others have their turn: loop.again(this.#fd,
    // EPOLLIN).
    // TODO 8: another errno: no descriptor is left, most likely. #complain about it (`cannot accept
    // connections for now: …`), #restForAWhile, and return.
    todo(`1b: accept from descriptor ${this.#fd}, at most ${acceptBudget}`);
  }

  onError(error: unknown): void {
    this.#complain(error instanceof Error ? error.stack! : String(error));
    this.#restForAWhile(); // those behind the one that failed wait, and make no new edge
  }

  /** Closes the listening socket and all its connections. Calling it again does nothing. */
  destroy(): void {
    // TODO 1c: once only: pause, forget the rest's timer, close the socket, destroy all connections (a copy
    // of the set: each one that closes takes itself out of it).
    todo("1c: destroy the server");
  }

  #welcome(fd: number): void {
    let connection: TcpConnection;
    try {
      connection = new TcpConnection(this.#loop, new PlainTransport(fd), peerAddress.address(), this.#forget);
    } catch (error) {
      close(fd);
      throw error;
    }
    this.#complaint = "";
    this.#connections.add(connection);
    try {
      this.#onConnection(connection);
    } catch (error) {
      connection.onError(error);
    }
  }

  /** Looks again after a while: for connections that wait already, epoll does not tell. */
  #restForAWhile(): void {
    this.#rest ??= this.#loop.timers.set(restMs, () => this.#loop.again(this.#fd, EPOLLIN));
    this.#loop.timers.rearm(this.#rest, restMs);
  }

  /** Tells the operator of a trouble, once until it is over. */
  #complain(sentence: string): void {
    if (sentence === this.#complaint) return;
    this.#complaint = sentence;
    process.stderr.write(`${sentence}\n`);
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
