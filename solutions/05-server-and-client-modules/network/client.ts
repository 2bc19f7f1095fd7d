import {
  close,
  EAGAIN,
  EINTR,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  recv,
  SHUT_WR,
  send,
  shutdown,
} from "expserver-course/linux";
import type { Handler, Poller } from "./poller.ts";

/** Where received bytes lie while `onData` looks at them: one buffer for all clients, since only one is served at a time. */
const receiveBuffer = new Uint8Array(64 * 1024);

/**
 * One connected client. Nothing here waits: what the kernel does not take at once is kept, and sent when epoll tells
 * that there is room. Whoever serves it sets the two callbacks.
 */
export class Client implements Handler {
  readonly fd: number;
  /** Bytes have come: the first `length` of these. They are the callee's until it returns, who may change them. */
  onData: (bytes: Uint8Array, length: number) => void = () => {};
  /** The peer has ended sending; it may still be reading. */
  onEnd: () => void = () => {};
  readonly #poller: Poller;
  readonly #onClose: () => void;
  /** What the kernel has not taken yet, in order. */
  #unsent: Uint8Array[] = [];
  #peerEnded = false;
  /** `end` was called: after the last unsent byte the stream ends. */
  #ending = false;
  #closed = false;

  /**
   * @param fd a connected, non-blocking socket, which this object closes
   * @param onClose is called once, when the descriptor has been closed for whatever reason
   */
  constructor(poller: Poller, fd: number, onClose: () => void) {
    this.#poller = poller;
    this.#onClose = onClose;
    this.fd = fd;
    poller.add(fd, EPOLLIN, this);
  }

  onReady(events: number): void {
    if ((events & EPOLLOUT) !== 0) this.#sendUnsent();
    if (this.#closed) return;
    if (this.#peerEnded) {
      // Nothing more is read, so this is news of the whole connection, which epoll tells unasked: it is broken.
      if ((events & (EPOLLERR | EPOLLHUP)) !== 0) this.destroy();
    } else if ((events & ~EPOLLOUT) !== 0) {
      this.#receive();
    }
  }

  /** A callback threw: this client leaves, the server stays. */
  onError(error: unknown): void {
    process.stderr.write(`a client's connection was closed: ${String(error)}\n`);
    this.destroy();
  }

  /** Sends bytes after all that were given before. They are copied where they must be kept. */
  send(bytes: Uint8Array): void {
    if (this.#closed || this.#ending) return;
    const taken = this.#unsent.length === 0 ? this.#trySend(bytes) : 0;
    if (taken === bytes.length || this.#closed) return;
    // A copy in any case: `slice` makes one of a Uint8Array, but a view of a Buffer.
    this.#unsent.push(new Uint8Array(bytes.subarray(taken)));
    this.#watch();
  }

  /** Ends the stream after the last byte. The descriptor is closed when the peer has ended its stream too. */
  end(): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    if (this.#unsent.length === 0) this.#finish();
  }

  /** Closes the descriptor at once; what was not sent is lost. Calling it again does nothing. */
  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsent = [];
    this.#poller.remove(this.fd);
    close(this.fd);
    this.#onClose();
  }

  #receive(): void {
    const count = recv(this.fd, receiveBuffer, receiveBuffer.length);
    if (count > 0) {
      this.onData(receiveBuffer, count);
    } else if (count === 0) {
      this.#peerEnded = true;
      this.#watch();
      this.onEnd();
      if (this.#ending && this.#unsent.length === 0) this.destroy();
    } else if (count !== -EAGAIN && count !== -EINTR) {
      this.destroy();
    }
  }

  /** Gives the kernel bytes. Returns how many it took; a connection that is over is closed. */
  #trySend(bytes: Uint8Array): number {
    const count = send(this.fd, bytes, bytes.length);
    if (count >= 0) return count;
    if (count !== -EAGAIN && count !== -EINTR) this.destroy();
    return 0;
  }

  #sendUnsent(): void {
    while (this.#unsent.length > 0) {
      const first = this.#unsent[0]!;
      const taken = this.#trySend(first);
      if (this.#closed) return;
      if (taken < first.length) {
        this.#unsent[0] = first.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
    this.#watch();
    if (this.#ending) this.#finish();
  }

  /** All is sent: the peer meets the end of the stream. */
  #finish(): void {
    if (this.#peerEnded || shutdown(this.fd, SHUT_WR) < 0) this.destroy();
  }

  /**
   * Asks for what is of interest now. The end of a stream stays readable and room to send stays there: asked for
   * without need, either would wake the loop again and again.
   */
  #watch(): void {
    this.#poller.modify(this.fd, (this.#peerEnded ? 0 : EPOLLIN) | (this.#unsent.length > 0 ? EPOLLOUT : 0));
  }
}
