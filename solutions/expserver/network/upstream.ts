import { lookup } from "node:dns";
import {
  close,
  connect,
  EINPROGRESS,
  EINTR,
  EPOLLOUT,
  ETIMEDOUT,
  errnoMessage,
  errnoName,
  formatAddress,
  getsockopt,
  IPPROTO_TCP,
  isNumericAddress,
  SO_ERROR,
  SOL_SOCKET,
  type SocketAddress,
  SystemCallError,
  setsockopt,
  TCP_NODELAY,
} from "expserver-course/linux";
import type { Loop } from "../core/loop.ts";
import type { Timer } from "../core/timers.ts";
import type { Handler } from "./poller.ts";
import { openSocket } from "./socket.ts";
import { TcpConnection } from "./tcp-connection.ts";
import { PlainTransport } from "./transport.ts";

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
      this.#setTimer(0, () => this.#tryNext());
    } else {
      this.#resolve();
    }
  }

  /** Gives the attempt up: neither of the handler's functions is called any more. */
  cancel(): void {
    this.#isOver = true;
    this.#leaveCurrent();
    if (this.#timer !== undefined) this.#loop.timers.cancel(this.#timer);
  }

  /** The kernel has an answer: the socket is writable, or broken. */
  onReady(): void {
    const { fd, address } = this.#current!;
    const error = getsockopt(fd, SOL_SOCKET, SO_ERROR);
    if (error !== 0) {
      this.#leaveCurrent();
      this.#tryNext(error);
      return;
    }
    this.#current = undefined;
    this.#loop.remove(fd);
    let connection: TcpConnection;
    try {
      connection = new TcpConnection(this.#loop, new PlainTransport(fd), address);
    } catch (failure) {
      close(fd);
      throw failure;
    }
    this.cancel(); // only now: had the connection failed, the handler would have to hear of it
    try {
      this.#handler.onConnect(connection);
    } catch (failure) {
      connection.onError(failure);
    }
  }

  onError(error: unknown): void {
    if (this.#isOver) {
      // The handler itself failed, and nobody else can be told.
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      return;
    }
    const reason = error instanceof SystemCallError ? error : { code: "EIO", message: String(error) };
    this.#fail(reason.code, reason.message);
  }

  /** Asks the resolver for all addresses of the name. `lookup` calls getaddrinfo, which waits, in a thread of its own. */
  #resolve(): void {
    const { host, port } = this.#upstream;
    this.#setTimer(this.#timeoutMs, () => this.#fail("ETIMEDOUT", "its name was not resolved in time"));
    lookup(host, { all: true }, (error, found) => {
      if (this.#isOver) return;
      // Node calls this, not the loop: what is thrown here would end the program.
      try {
        if (error !== null || found.length === 0) {
          this.#fail(error?.code ?? "ENOTFOUND", "its name has no address");
          return;
        }
        this.#addresses = found.map(({ address }) => ({ host: address, port }));
        this.#tryNext();
      } catch (failure) {
        this.onError(failure);
      }
    });
  }

  /** Begins with the next address. With none left, the last error is the answer. */
  #tryNext(lastErrno = 0): void {
    const address = this.#addresses.shift();
    if (address === undefined) {
      this.#fail(errnoName(lastErrno), errnoMessage(lastErrno));
      return;
    }
    let fd: number;
    try {
      fd = openSocket(address.host);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      this.#tryNext(error.errno);
      return;
    }
    this.#current = { fd, address }; // from here on #leaveCurrent closes it, whatever is thrown
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    const result = connect(fd, address);
    if (result < 0 && result !== -EINPROGRESS && result !== -EINTR) {
      this.#leaveCurrent();
      this.#tryNext(-result);
      return;
    }
    this.#loop.add(fd, EPOLLOUT, this);
    this.#setTimer(this.#timeoutMs, () => {
      this.#leaveCurrent();
      this.#tryNext(ETIMEDOUT);
    });
  }

  #leaveCurrent(): void {
    if (this.#current === undefined) return;
    this.#loop.remove(this.#current.fd);
    close(this.#current.fd);
    this.#current = undefined;
  }

  #setTimer(delayMs: number, onExpire: () => void): void {
    if (this.#timer !== undefined) this.#loop.timers.cancel(this.#timer);
    this.#timer = this.#loop.timers.set(delayMs, onExpire, (error) => this.onError(error));
  }

  #fail(code: string, reason: string): void {
    if (this.#isOver) return;
    this.cancel();
    this.#handler.onError(new UpstreamError(this.#upstream, code, reason));
  }
}
