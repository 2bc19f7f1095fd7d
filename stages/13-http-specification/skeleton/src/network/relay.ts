import type { TcpConnection, TcpHandler } from "./tcp.ts";

/**
 * Joins two connections: what one receives the other sends, both ways, until both have ended. The end of each direction
 * is passed on by itself (half-close), and a side that does not read makes the other one wait.
 */
export function relay(one: TcpConnection, other: TcpConnection): void {
  one.handler = new RelayEnd(one, other);
  other.handler = new RelayEnd(other, one);
  one.resume();
  other.resume();
}

/** One of the two ends: hears of its own connection, and acts on the other. */
class RelayEnd implements TcpHandler {
  readonly #own: TcpConnection;
  readonly #other: TcpConnection;

  constructor(own: TcpConnection, other: TcpConnection) {
    this.#own = own;
    this.#other = other;
  }

  onData(bytes: Uint8Array, length: number): void {
    if (!this.#other.write(bytes, length)) this.#own.pause();
  }

  onEnd(): void {
    this.#other.end();
  }

  onDrain(): void {
    this.#other.resume();
  }

  onClose(error: string | undefined): void {
    const ownIsWhole = this.#own.hasPeerEnded;
    // Both directions have ended: the other side closes by itself when its last byte has left.
    if (error === undefined && ownIsWhole && this.#other.hasPeerEnded) return;
    // It had said everything, and broke because it does not listen any more, as a server that refuses an upload
    // half-way. The other side still gets all of it.
    if (error !== undefined && ownIsWhole) this.#other.endGracefully();
    // A break is passed on as a break: an end would make a part look like the whole.
    else this.#other.abort();
  }
}
