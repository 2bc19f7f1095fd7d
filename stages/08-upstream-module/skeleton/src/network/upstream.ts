import { formatAddress, isNumericAddress, type SocketAddress } from "expserver-course/linux";
import type { Loop } from "../core/loop.ts";
import type { Timer } from "../core/timers.ts";
import type { Handler } from "./poller.ts";
import type { TcpConnection } from "./tcp.ts";

/** Where a server is that we connect to. */
export type UpstreamAddress = {
  /** A numeric address or a name. */
  host: string;
  port: number;
};

/** Why there is no connection to an upstream. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  /** ECONNREFUSED, ETIMEDOUT, ENOTFOUND, … */
  readonly code: string;

  constructor(upstream: UpstreamAddress, code: string, reason: string) {
    super(`cannot connect to ${formatAddress(upstream)}: ${reason} (${code})`);
    this.code = code;
  }
}

/** Who waits for a connection to an upstream. One of the two is called, once, in a later turn of the loop. */
export interface ConnectHandler {
  /** The connection is there; set its handler now. */
  onConnect(connection: TcpConnection): void;
  onError(error: UpstreamError): void;
}

/**
 * An attempt to connect to an upstream. Nothing waits meanwhile: names are resolved in a thread of Node's, and `connect`
 * on a non-blocking socket goes on in the kernel until epoll tells that it is over (`man 2 connect`, EINPROGRESS). Of
 * several addresses each is tried in turn.
 */
export class UpstreamConnect implements Handler {
  readonly #loop: Loop;
  readonly #upstream: UpstreamAddress;
  readonly #handler: ConnectHandler;
  readonly #timeoutMs: number;
  /** Addresses that have not been tried yet. */
  #addresses: SocketAddress[] = [];
  /** The address that is being tried, and its socket. */
  #current: { fd: number; address: SocketAddress } | undefined;
  #timer: Timer | undefined;
  #isOver = false;

  /** @param timeoutMs how long each address may take to answer */
  constructor(loop: Loop, upstream: UpstreamAddress, handler: ConnectHandler, timeoutMs = 3000) {
    this.#loop = loop;
    this.#upstream = upstream;
    this.#handler = handler;
    this.#timeoutMs = timeoutMs;
    if (isNumericAddress(upstream.host)) {
      this.#addresses = [upstream];
      // Not at once: the caller is not done with us before the constructor is through.
      this.#setTimer(0, () => this.#tryNext());
    } else {
      this.#resolve();
    }
  }

  /** Gives the attempt up: neither of the handler's functions is called any more. */
  cancel(): void {
    // TODO 2b: it is over; the socket that is being connected leaves (#leaveCurrent), and no timer stays behind.
    todo(`2b: give up ${this.#current?.fd}, over: ${this.#isOver}`);
  }

  /** The kernel has an answer: the socket is writable, or broken. */
  onReady(): void {
    // TODO 2d: ask the socket for SO_ERROR. With 0 it is connected: out of the loop, and into a TcpConnection with a
    // PlainTransport, for `onConnect`. (Who closes the socket if that constructor throws?) Then this attempt is over.
    // TODO 5a: with another number: leave this socket, and try the next address.
    todo(`2d: the answer is there; ${this.#addresses.length} addresses are left`);
  }

  /** Something threw, here or in a timer of ours: no connection. */
  onError(error: unknown): void {
    if (this.#isOver) {
      // The handler itself failed, and nobody else can be told.
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      return;
    }
    this.#fail("EIO", String(error));
  }

  /** Asks the resolver for all addresses of the name. `lookup` calls getaddrinfo, which waits, in a thread of its own. */
  #resolve(): void {
    // TODO 6: lookup(host, { all: true }, …) of node:dns. No answer within the time limit: #fail with ETIMEDOUT. An error
    // instead of addresses: #fail with its code. Node calls you back, not the loop: nobody catches what you throw there.
    todo(`6: look up the addresses of ${this.#upstream.host}`);
  }

  /** Begins with the next address. With none left, the last error is the answer. */
  #tryNext(lastErrno = 0): void {
    // TODO 2c: take an address out of the list, open a socket (openSocket of stage 5) and connect it. -EINPROGRESS is what you
    // hope for. Remember it in #current, and ask the loop to tell when it is writable. Set TCP_NODELAY on it.
    // TODO 5a: any other error of connect or openSocket: the next address. No address left: #fail, with the name of the
    // last errno and its message.
    // TODO 5b: no answer within the time limit: leave it, and try the next address with ETIMEDOUT.
    todo(`2c: try the next of ${this.#addresses.length} addresses (the last one: ${lastErrno})`);
  }

  /** Takes the socket that is being connected out of the loop, and closes it. */
  #leaveCurrent(): void {
    // TODO 2b: if there is one.
    todo(`2b: leave ${this.#current?.fd}`);
  }

  /** Sets the one timer of this attempt to something new. */
  #setTimer(delayMs: number, onExpire: () => void): void {
    if (this.#timer !== undefined) this.#loop.timers.cancel(this.#timer);
    this.#timer = this.#loop.timers.set(delayMs, onExpire, (error) => this.onError(error));
  }

  /** There is no connection, and the handler hears why; unless the attempt is over already. */
  #fail(code: string, reason: string): void {
    if (this.#isOver) return;
    this.cancel();
    this.#handler.onError(new UpstreamError(this.#upstream, code, reason));
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
