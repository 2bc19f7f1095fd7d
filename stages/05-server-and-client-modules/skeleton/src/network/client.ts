import { EPOLLIN } from "expserver-course/linux";
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
    // TODO 3d: with EPOLLOUT there is room: send what waits. With anything else: receive; but after the peer has
    // ended, EPOLLERR and EPOLLHUP mean that the connection is broken.
    todo(`3d: events ${events}`);
  }

  /** A callback threw: this client leaves, the server stays. */
  onError(error: unknown): void {
    process.stderr.write(`a client's connection was closed: ${String(error)}\n`);
    this.destroy();
  }

  /** Sends bytes after all that were given before. They are copied where they must be kept. */
  send(bytes: Uint8Array): void {
    // TODO 3b: try to send, unless something waits already: then the order would be wrong. What the kernel did not
    // take is kept as a copy, and from now on epoll has to tell when there is room (#watch).
    todo(`3b: send ${bytes.length} bytes`);
  }

  /** Ends the stream after the last byte. The descriptor is closed when the peer has ended its stream too. */
  end(): void {
    // TODO 3c: what waits is sent first; then #finish.
    todo("3c: end");
  }

  /** Closes the descriptor at once; what was not sent is lost. Calling it again does nothing. */
  destroy(): void {
    // TODO 3a: once only: out of the poller, close, tell #onClose.
    todo(`3a: close descriptor ${this.fd}`);
  }

  #receive(): void {
    // TODO 3a: one recv. Bytes go to onData; 0 is the peer's end, told to onEnd once, and after it EPOLLIN must not be
    // asked for any more; -EAGAIN and -EINTR mean nothing; any other error ends this client.
    // TODO 3c: at the peer's end: if our stream has ended before, both have: destroy.
    todo(`3a: receive up to ${receiveBuffer.length} bytes`);
  }

  /** Gives the kernel bytes. Returns how many it took; a connection that is over is closed. */
  #trySend(bytes: Uint8Array): number {
    // TODO 3b: one send. Returns how many bytes it took: 0 after -EAGAIN and -EINTR. Another error ends this client.
    return todo(`3b: send ${bytes.length} bytes`);
  }

  #sendUnsent(): void {
    // TODO 3d: piece by piece, as long as the kernel takes whole pieces. When all is gone: ask no more for EPOLLOUT, and
    // finish if the end was asked for.
    todo(`3d: send ${this.#unsent.length} pieces`);
  }

  /** All is sent: the peer meets the end of the stream. */
  #finish(): void {
    // TODO 3c: both ended: destroy. Else end our stream with shutdown; if that fails, destroy.
    todo("3c: finish");
  }

  /**
   * Asks for what is of interest now. The end of a stream stays readable and room to send stays there: asked for
   * without need, either would wake the loop again and again.
   */
  #watch(): void {
    // TODO 3d: EPOLLIN until the peer has ended, EPOLLOUT while something waits.
    todo("3d: watch");
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
