import { ARCHITECTURE, type Architecture } from "./libc.ts";

/**
 * `struct epoll_event { uint32_t events; epoll_data_t data; }` (`man 3type epoll_event`).
 * On x86-64 it is packed, so that 32-bit programs share it: 12 bytes, the 8 bytes of data at offset 4. Elsewhere the
 * data is aligned: 16 bytes, data at offset 8. Both are counted in 32-bit words here.
 */
export type EpollEventLayout = {
  /** 32-bit words from one event to the next. */
  readonly stride: number;
  /** Word at which the data begins; the events are word 0. */
  readonly dataWord: number;
};

/** The layout on a processor; this machine's when none is named. */
export function epollEventLayout(architecture: Architecture = ARCHITECTURE): EpollEventLayout {
  return architecture === "x64" ? { stride: 3, dataWord: 1 } : { stride: 4, dataWord: 2 };
}

/**
 * An array of `struct epoll_event`, which `epoll_wait` fills. Made once: reading an event allocates nothing and
 * costs two array reads.
 */
export class EpollEvents {
  /** Events that fit. */
  readonly capacity: number;
  /** The array's memory, for the kernel. */
  readonly words: Uint32Array;
  readonly #stride: number;
  readonly #dataWord: number;

  /**
   * @param capacity events that one `epoll_wait` can report at most
   * @param architecture whose layout to use; only tests name it
   * @throws {RangeError} the capacity is not a whole number of at least 1
   */
  constructor(capacity: number, architecture: Architecture = ARCHITECTURE) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`EpollEvents: capacity ${capacity} must be a whole number of at least 1.`);
    }
    const layout = epollEventLayout(architecture);
    this.capacity = capacity;
    this.words = new Uint32Array(capacity * layout.stride);
    this.#stride = layout.stride;
    this.#dataWord = layout.dataWord;
  }

  /** What happened: EPOLLIN, EPOLLOUT, … OR-ed together. Only events below the count of `epoll_wait` are new. */
  events(index: number): number {
    return this.words[index * this.#stride]!;
  }

  /** The number that `epoll_ctl` was given for this descriptor: the descriptor itself unless it was told otherwise. */
  data(index: number): number {
    return this.words[index * this.#stride + this.#dataWord]!;
  }

  /** Writes an event as the kernel would; `epoll_ctl` passes its argument through this. */
  set(index: number, events: number, data: number): void {
    this.words[index * this.#stride] = events;
    this.words[index * this.#stride + this.#dataWord] = data;
  }
}
