import type { TcpConnection, TcpHandler } from "./tcp.ts";

/**
 * Joins two connections: what one receives the other sends, both ways, until both have ended. The end of each direction
 * is passed on by itself (half-close), and a side that does not read makes the other one wait.
 */
export function relay(one: TcpConnection, other: TcpConnection): void {
  one.handler = new RelayEnd(one, other);
  other.handler = new RelayEnd(other, one);
  // TODO 3a: both are read from now on.
  todo("3a: relay");
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
    // TODO 3a: the other side sends them.
    // TODO 3b: `write` says whether there is room for more. Where there is none, who has to wait?
    todo(`3a: pass on ${length} of ${bytes.length} bytes`);
  }

  onEnd(): void {
    // TODO 4a: no more comes from this side. What does the other side have to hear of that?
    todo("4a: pass on the end");
  }

  onDrain(): void {
    // TODO 3b: there is room again on this side. Who was waiting for that?
    todo("3b: go on");
  }

  onClose(error: string | undefined): void {
    // TODO 4b: this side is closed. What becomes of the other side depends on three things: on whether this side broke
    // (`error`), on whether its peer had ended its stream before, and on whether the other one's peer has.
    todo(`4b: ${this.#own.transport.fd} is closed (${error}), and ${this.#other.transport.fd} is not`);
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
