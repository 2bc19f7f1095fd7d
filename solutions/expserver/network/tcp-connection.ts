import {
  EAGAIN,
  ECONNRESET,
  EINTR,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  getsockopt,
  ioctl,
  SIOCOUTQ,
  SO_ERROR,
  SOL_SOCKET,
  type SocketAddress,
} from "expserver-course/linux";
import type { Loop } from "../core/loop.ts";
import type { Timer } from "../core/timers.ts";
import type { Handler } from "./poller.ts";
import { describeErrno } from "./socket.ts";
import type { Transport } from "./transport.ts";
import { type SendableFile, WriteQueue } from "./write-queue.ts";

/** Who is told what happens on a connection. */
export interface TcpHandler {
  /** Bytes have come: the first `length` of these. They are the handler's until it returns, and it may change them. */
  onData(bytes: Uint8Array, length: number): void;
  /** The peer has ended its stream. The other direction goes on until {@link TcpConnection.end}. */
  onEnd(): void;
  /** After a write that returned false: there is room again. */
  onDrain(): void;
  /**
   * The connection is closed. Called once.
   * @param error why, when it broke; `undefined` when both ends had ended, or when we closed it ourselves
   */
  onClose(error: string | undefined): void;
}

/** Where received bytes lie while a handler looks at them: one for all connections, since one is read at a time. */
const receiveBuffer = new Uint8Array(64 * 1024);
/** Bytes that one connection may receive in one turn before the others have theirs. */
const receiveBudget = 4 * receiveBuffer.length;
/** Above so many waiting bytes a write asks its caller to pause, … */
const highWater = 64 * 1024;
/** … and at so few it is told to go on. */
const lowWater = 16 * 1024;
/** How long an ended connection waits for its peer to take more bytes or to end too, in milliseconds. */
const lingerMs = 1000;

const news = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
/** Where SIOCOUTQ puts its answer. */
const unacknowledged = new Uint8Array(4);

const nobody: TcpHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/**
 * One TCP connection on a loop. Its socket is registered once, edge-triggered, for everything; after that no epoll_ctl
 * is needed: who does not want to read now just does not read. Writes leave in order; what the kernel does not
 * take waits in a bounded queue, provided that the caller pauses its source when `write` returns false.
 */
export class TcpConnection implements Handler {
  readonly peer: SocketAddress;
  readonly transport: Transport;
  /** Who is told; set it before the loop's next turn. */
  handler: TcpHandler = nobody;
  /** Bytes that have been received. */
  bytesReceived = 0;
  /** When bytes last came or left, by the loop's clock: what a time-out looks at when its time has come. */
  lastProgress = 0; // with a value from the start, V8 keeps the number in the object and does not box each new one
  readonly #loop: Loop;
  readonly #queue = new WriteQueue();
  readonly #onClosed: ((connection: TcpConnection) => void) | undefined;
  /** Epoll has told of bytes, and we have not met -EAGAIN since: there may be more, and it will not tell again. */
  #isReadable = false;
  /**
   * A read that brings less than the buffer holds does not mean that nothing is left: behind the bytes comes an end, which
   * has been told already, or there are urgent data among them, where `recv` stops.
   */
  #readsToEnd = false;
  #isPaused = false;
  #peerEnded = false;
  /** The end of our stream: `no`, to be sent `after` the queue, or `sent`. */
  #end: "no" | "after" | "sent" = "no";
  /** The last write asked for a pause, and the handler has not been told to go on yet. */
  #owesDrain = false;
  /** Why sending failed: nothing more leaves, but what the peer had sent before is still read. */
  #failure = 0;
  /** The connection is over, and not by both ends: it closes when the last bytes have been read. */
  #isBroken = false;
  /** {@link endGracefully} was called: input is dropped. */
  #isLingering = false;
  #lingerTimer: Timer | undefined;
  #isClosed = false;

  /**
   * @param transport a connected socket, which this object closes
   * @param onClosed is called when it is closed, before the handler
   * @throws {SystemCallError} the socket cannot be watched; it is not closed then
   */
  constructor(
    loop: Loop,
    transport: Transport,
    peer: SocketAddress,
    onClosed?: (connection: TcpConnection) => void,
  ) {
    this.#loop = loop;
    this.transport = transport;
    this.peer = peer;
    this.lastProgress = loop.now;
    this.#onClosed = onClosed;
    loop.add(transport.fd, news, this);
  }

  /** Whether so little waits that a source need not pause. */
  get isWritable(): boolean {
    return this.#queue.bytes < highWater && this.#queue.files === 0;
  }

  /** Bytes that the kernel has taken. */
  get bytesSent(): number {
    return this.#queue.sent;
  }

  /** Whether the peer has ended its stream. */
  get hasPeerEnded(): boolean {
    return this.#peerEnded;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  onReady(events: number): void {
    if ((events & ~EPOLLOUT) !== 0) this.#isReadable = true;
    if ((events & ~(EPOLLIN | EPOLLOUT)) !== 0) this.#readsToEnd = true;
    // EPOLLHUP: neither direction is open any more. Without our end, that was no orderly one.
    const isHungUp = (events & EPOLLHUP) !== 0 && this.#end !== "sent";
    if ((events & EPOLLERR) !== 0 || isHungUp) this.#isBroken = true;
    if (!this.#queue.isEmpty && ((events & EPOLLOUT) !== 0 || this.#isBroken)) this.#flush();
    if (this.#isReadable && !this.#isClosed) this.#receive();
  }

  /** A handler threw: its connection is cut, so that the peer does not take what it got for an answer. */
  onError(error: unknown): void {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    this.#close(String(error), true);
  }

  /**
   * Sends bytes after all that were written before. They are copied where they have to wait.
   * @param length how many of the bytes, from their start
   * @returns false when so much waits now that the source should pause until `onDrain`
   */
  write(bytes: Uint8Array, length = bytes.length): boolean {
    if (!this.#canSend()) return true;
    const sentBefore = this.#queue.sent;
    return this.#afterSending(sentBefore, this.#queue.write(this.transport, bytes, length));
  }

  /**
   * Sends a part of a file after all that was written before, without its bytes ever entering this process.
   * @param file is released when it is sent, or when the connection is closed
   * @returns as {@link write}: false while the file is on its way
   */
  sendFile(file: SendableFile, offset: number, length: number): boolean {
    if (!this.#canSend()) {
      file.release();
      return true;
    }
    const sentBefore = this.#queue.sent;
    return this.#afterSending(sentBefore, this.#queue.sendFile(this.transport, file, offset, length));
  }

  /** Stops reading: the kernel's buffer fills, and the peer has to wait. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Reads again, from the loop's next turn on. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#isReadable && !this.#isClosed) this.#loop.again(this.transport.fd, EPOLLIN);
  }

  /** Ends our stream after the last byte. The connection is closed when the peer has ended its own. */
  end(): void {
    if (!this.#canSend()) return;
    this.#end = "after";
    if (this.#queue.isEmpty) this.#sendEnd();
  }

  /**
   * Ends the connection as a server does that has said everything: our stream ends after the last byte, and what the
   * peer still sends is dropped until it ends too. To close at once would answer such bytes by a reset, and then the
   * peer loses what it has not received yet (RFC 9112 §9.6). Once all has left, a peer that takes nothing for a second
   * is not waited for.
   */
  endGracefully(): void {
    if (this.#isLingering || this.#isClosed) return;
    this.#isLingering = true;
    this.resume();
    if (this.#end === "sent") this.#linger();
    else this.end();
  }

  /** Cuts the connection: the peer meets a reset instead of an end, and cannot take a part for the whole. */
  abort(): void {
    this.#close(undefined, true);
  }

  /** Closes the connection at once; what was not sent is lost. Calling it again does nothing. */
  destroy(): void {
    this.#close(undefined, false);
  }

  #canSend(): boolean {
    return this.#end === "no" && this.#failure === 0 && !this.#isClosed;
  }

  #receive(): void {
    if (this.#isPaused) {
      // Who is paused may never read again. Bytes that are there wait for that; a connection that is over does not.
      const next = this.#isBroken ? this.transport.peek() : 1;
      if (next <= 0) this.#closeBroken(next);
      return;
    }
    for (let received = 0; received < receiveBudget; ) {
      const count = this.transport.read(receiveBuffer);
      if (count === -EINTR) continue;
      if (count <= 0) {
        this.#endOfReading(count);
        return;
      }
      received += count;
      this.bytesReceived += count;
      this.lastProgress = this.#loop.now;
      // A short read has emptied the socket, and the next bytes make a new edge (`man 7 epoll`); with exceptions, one of
      // them bytes that wait where the kernel does not see them.
      this.#isReadable = count === receiveBuffer.length || this.#readsToEnd || this.transport.hasPending;
      if (!this.#isLingering) this.handler.onData(receiveBuffer, count);
      // Paused with these very bytes: no event will tell of the break again, so look once more whether anything is left.
      if (this.#isPaused && this.#isBroken && !this.#isClosed) this.#loop.again(this.transport.fd, EPOLLIN);
      if (!this.#isReadable || this.#isPaused || this.#isClosed) return;
    }
    this.#loop.again(this.transport.fd, EPOLLIN);
  }

  /** What a read that brought no bytes means. */
  #endOfReading(result: number): void {
    this.#isReadable = false;
    // After a failure of ours 0 may stand for a reset, which the kernel tells one call only.
    if (result === 0 && this.#failure === 0 && !this.#peerEnded) {
      this.#peerEnded = true;
      if (!this.#isLingering) this.handler.onEnd();
      if (this.#end === "sent" && !this.#isBroken) this.#close(undefined, false);
    }
    if (this.#isBroken || (result < 0 && result !== -EAGAIN)) this.#closeBroken(result);
  }

  /** Closes with the reason. Where the fault was ours, the peer meets a reset: it must not take a part for the whole. */
  #closeBroken(result: number): void {
    if (this.#isClosed) return;
    const reason =
      this.#failure || result || -getsockopt(this.transport.fd, SOL_SOCKET, SO_ERROR) || -ECONNRESET;
    this.#close(describeErrno(reason), true);
  }

  #flush(): void {
    const sentBefore = this.#queue.sent;
    this.#afterSending(sentBefore, this.#queue.flush(this.transport));
    if (this.#owesDrain && this.#queue.bytes <= lowWater && this.#queue.files === 0) {
      this.#owesDrain = false;
      if (!this.#isLingering && !this.#isClosed) this.handler.onDrain();
    }
  }

  /** What follows from an attempt to send. Returns whether the source may go on. */
  #afterSending(sentBefore: number, result: number): boolean {
    if (this.#isClosed) return true; // by a file that was released
    if (this.#queue.sent > sentBefore) this.lastProgress = this.#loop.now;
    if (result < 0 && result !== -EAGAIN) {
      this.#fail(result);
    } else if (this.#queue.isEmpty) {
      if (this.#end === "after") this.#sendEnd();
    } else if (result === 0) {
      this.#loop.again(this.transport.fd, EPOLLOUT); // a share of a file is through, and there may be room for more
    }
    if (!this.isWritable) this.#owesDrain = true;
    return !this.#owesDrain;
  }

  /**
   * Nothing can be sent any more. The connection is not closed here, where a caller is in the middle of something: its
   * handler hears of it in the next turn, after what the peer had sent before.
   */
  #fail(errno: number): void {
    this.#failure = errno;
    this.#isBroken = true;
    this.#isReadable = true;
    this.#readsToEnd = true;
    this.#queue.clear();
    this.#loop.again(this.transport.fd, EPOLLIN);
  }

  /** Everything has left: the peer meets the end of our stream. */
  #sendEnd(): void {
    this.#end = "sent";
    const result = this.transport.shutdownWrite();
    // -ENOTCONN: the peer has reset the connection, and its event is still to come. That is a break and no end.
    if (result < 0 && result !== -EAGAIN) this.#fail(result);
    else if (this.#peerEnded) this.#close(undefined, false);
    else if (this.#isLingering) this.#linger();
  }

  /** Looks once in a while whether the peer still takes bytes, and closes when it does not. */
  #linger(): void {
    let before = this.#acknowledged();
    this.#lingerTimer = this.#loop.timers.set(
      lingerMs,
      () => {
        const now = this.#acknowledged();
        if (now <= before) this.destroy();
        else this.#loop.timers.rearm(this.#lingerTimer!, lingerMs);
        before = now;
      },
      (error) => this.onError(error),
    );
  }

  /** Bytes that have arrived at the peer's kernel (`man 7 tcp`, SIOCOUTQ). */
  #acknowledged(): number {
    ioctl(this.transport.fd, SIOCOUTQ, unacknowledged);
    return this.#queue.sent - new DataView(unacknowledged.buffer).getInt32(0, true);
  }

  #close(error: string | undefined, reset: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#lingerTimer !== undefined) this.#loop.timers.cancel(this.#lingerTimer);
    this.#loop.remove(this.transport.fd);
    this.transport.close(reset);
    this.#queue.clear();
    this.#onClosed?.(this);
    this.handler.onClose(error);
  }
}
