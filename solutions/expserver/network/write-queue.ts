import { EAGAIN, EINTR, EIO } from "expserver-course/linux";
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
    if (!this.isEmpty) {
      this.#copy(bytes, 0, length);
      return -EAGAIN;
    }
    const result = transport.write(bytes, length);
    if (result < 0 && result !== -EAGAIN && result !== -EINTR) return result;
    const taken = Math.max(0, result);
    this.sent += taken;
    if (taken === length) return 0;
    this.#copy(bytes, taken, length);
    // That epoll will tell of room is promised by -EAGAIN only. The kernel takes a part when its buffer is full by then, but
    // a transport may have reasons of its own, such as the end of a TLS record.
    return result === -EAGAIN ? result : this.flush(transport);
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
    let budget = fileBudget;
    for (let item = this.#items[0]; item !== undefined && budget > 0; item = this.#items[0]) {
      const length = item.end - item.start;
      let count: number;
      if (item.chunk !== undefined) {
        count = transport.write(item.chunk.subarray(item.start, item.end), length);
      } else if (length === 0) {
        count = 0;
      } else {
        count = transport.sendFile(item.file.fd, item.start, Math.min(length, budget));
        if (count === 0) return -EIO;
        budget -= Math.max(0, count);
      }
      if (count === -EINTR) continue;
      if (count < 0) return count;
      item.start += count;
      this.sent += count;
      if (item.chunk !== undefined) this.bytes -= count;
      if (item.start === item.end) this.#release(this.#items.shift()!);
    }
    return 0;
  }

  /** Drops everything. */
  clear(): void {
    for (const item of this.#items.splice(0)) this.#release(item);
    this.bytes = 0;
  }

  /** Copies the bytes from `start` to `end` to the end of the queue. */
  #copy(source: Uint8Array, start: number, end: number): void {
    this.bytes += end - start;
    while (start < end) {
      let last = this.#items.at(-1);
      if (last?.chunk === undefined || last.end === chunkSize) {
        last = { chunk: freeChunks.pop() ?? new Uint8Array(chunkSize), start: 0, end: 0 };
        this.#items.push(last);
      }
      const taken = Math.min(end - start, chunkSize - last.end);
      last.chunk.set(source.subarray(start, start + taken), last.end);
      last.end += taken;
      start += taken;
    }
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
