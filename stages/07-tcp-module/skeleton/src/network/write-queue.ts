import { EAGAIN } from "expserver-course/linux";
import type { Transport } from "./transport.ts";

/** A file that can be sent. Its sender calls `release` once, when it needs the descriptor no more. */
export type SendableFile = { readonly fd: number; release(): void };

/** Bytes of one chunk. */
const chunkSize = 64 * 1024;
/** Empty chunks that are kept for the next connection that has to wait. */
const keptChunks = 64;
/** Bytes of files that one call of `flush` sends at most, so that a fast peer does not keep the loop for itself. */
const fileBudget = 1024 * 1024;

const freeChunks: Uint8Array[] = [];

/** A part of the queue: bytes from `start` to `end` of a chunk, or of a file. */
type Item =
  | { chunk: Uint8Array; start: number; end: number }
  | { chunk: undefined; file: SendableFile; start: number; end: number };

/**
 * What a connection has to send and the kernel has not taken yet, in order: copied bytes, and parts of files. Bytes lie
 * in chunks of 64 KiB that go from one connection to the next, so a relay between a fast and a slow peer makes no garbage.
 */
export class WriteQueue {
  readonly #items: Item[] = [];
  /** Copied bytes that wait: the memory that the queue needs. Files need none. */
  bytes = 0;
  /** Parts of files that wait. */
  files = 0;
  /** Bytes that the kernel has taken so far, from the start of the connection. */
  sent = 0;

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /**
   * Sends the first `length` bytes after all that waits. What the kernel does not take now is copied.
   * @returns as {@link flush}; -EAGAIN also when others wait in front
   */
  write(transport: Transport, bytes: Uint8Array, length: number): number {
    // TODO 3b: when nothing waits, give the bytes to the transport: it may take all of them, a part, or
    // nothing (-EAGAIN, -EINTR); any other errno is the caller's. Count in `sent` what was taken, and #copy
    // the rest. When others wait already, the bytes stand behind them, whether there is room by now or not.
    // TODO 4b: after a part was taken nobody has met -EAGAIN yet, and nothing else promises an edge: flush.
    return todo(`3b: write ${length} of ${bytes.length} bytes to descriptor ${transport.fd}`);
  }

  /**
   * Sends a part of a file after all that waits.
   * @returns as {@link flush}; -EAGAIN also when others wait in front
   */
  sendFile(transport: Transport, file: SendableFile, offset: number, length: number): number {
    const isFirst = this.isEmpty;
    this.#items.push({ chunk: undefined, file, start: offset, end: offset + length });
    this.files++;
    return isFirst ? this.flush(transport) : -EAGAIN;
  }

  /**
   * Sends as much as the kernel takes.
   * @returns 0 when nothing waits any more, or when a turn's share of a file has been sent; -EAGAIN when the kernel's
   * buffer is full, so that epoll will tell of room; another negative errno when sending is over, -EIO when a file is
   * shorter than it was to be
   */
  flush(transport: Transport): number {
    // TODO 4a: as long as something waits: give the first item to the transport (of a chunk the bytes from
    // `start` to `end`). -EINTR: try again; another errno: return it. Move `start` on by what was taken, and
    // count it, in `sent` and, for a chunk, in `bytes`. An item that is through leaves the queue and is
    // #released. A file goes by transport.sendFile(file.fd, start, …), at most what is left of fileBudget, of
    // which its count is taken off; when that is used up, the turn is over: return 0. A file that gives 0
    // bytes is shorter than it was: -EIO. (Of a part without any bytes nothing has to be asked for: it is through.)
    return todo(`4a: flush to descriptor ${transport.fd}, at most ${fileBudget} bytes of files`);
  }

  /** Drops everything. */
  clear(): void {
    for (const item of this.#items.splice(0)) this.#release(item);
    this.bytes = 0;
  }

  /** Copies the bytes from `start` to `end` to the end of the queue. */
  #copy(source: Uint8Array, start: number, end: number): void {
    // TODO 3b: append to the last item if that is a chunk with room; else take a chunk (a free one, or a new
    // one of chunkSize bytes) and put it behind the others. As often as it takes. And `bytes` grows.
    todo(
      `3b: copy the bytes from ${start} to ${end} of ${source.length}, ${freeChunks.length} chunks are free`,
    );
  }

  #release(item: Item): void {
    if (item.chunk === undefined) {
      this.files--;
      item.file.release();
    } else if (freeChunks.length < keptChunks) {
      freeChunks.push(item.chunk);
    }
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
