import { EISDIR, fstat, pread, Stat } from "expserver-course/linux";
import type { SendableFile } from "../network/tcp.ts";
import type { FileRoot, OpenFile } from "./file.ts";

/**
 * Files of at most so many bytes are kept in memory: head and body in one `send` take 11.5 µs instead of 17 by `send` and
 * `sendfile` for 4 KiB, 14.5 instead of 15.7 for 32 KiB, and 26 instead of 19 for 64 KiB.
 */
const smallFile = 32 * 1024;
/** How long an entry is believed before the file is looked at again, in milliseconds. */
const believedMs = 1000;

/** A file that several responses send from: each holds it by a reference of its own, which sending releases. */
export type SharedFile = SendableFile & { retain(): void };

export type CacheLimits = {
  /** Files that are known at once. */
  entries: number;
  /** Bytes of small files in memory. */
  bytes: number;
};

const defaultLimits: CacheLimits = { entries: 4096, bytes: 32 * 1024 * 1024 };

const stat = new Stat();

/**
 * A file that was opened once and is served again and again. `T` is what its user keeps beside it, such as header fields
 * that were rendered.
 */
export class CachedFile<T> implements SharedFile {
  readonly #file: OpenFile;
  /** The whole file, where it is small; its descriptor is closed then. */
  readonly content: Uint8Array | undefined;
  /** Bytes of the file when it was opened. */
  readonly size: number;
  /** Last change, in seconds since 1970, … */
  readonly modifiedAt: number;
  /** … and exactly, in nanoseconds. */
  readonly modifiedNs: bigint;
  readonly #device: number;
  readonly #inode: number;
  /** What the user of the cache keeps beside it. */
  readonly facts: T;
  /** When the cache last saw that the path still means this file. */
  checkedAt = 0;
  /** Whether somebody asked for it since the cache last looked for one to give up. */
  wasUsed = false;
  /** The cache's own reference, and one for each response on its way. */
  #references = 1;

  /** @param file becomes this object's own */
  constructor(file: OpenFile, makeFacts: (file: CachedFile<T>) => T) {
    this.#file = file;
    fstat(file.fd, stat);
    this.modifiedAt = stat.mtimeSeconds;
    this.modifiedNs = stat.mtimeNs;
    this.#device = stat.dev;
    this.#inode = stat.ino;
    this.content = stat.size <= smallFile ? readWhole(file.fd, stat.size) : undefined;
    this.size = this.content?.length ?? stat.size;
    if (this.content !== undefined) file.release();
    this.facts = makeFacts(this);
  }

  get fd(): number {
    return this.#file.fd;
  }

  /** Whether an opened file is this one, unchanged. */
  isSameAs(file: OpenFile): boolean {
    fstat(file.fd, stat);
    return (
      stat.ino === this.#inode &&
      stat.dev === this.#device &&
      stat.size === this.size &&
      stat.mtimeNs === this.modifiedNs
    );
  }

  /** Keeps the descriptor open until it is released once more. */
  retain(): void {
    this.#references++;
  }

  release(): void {
    if (--this.#references === 0) this.#file.release();
  }
}

/**
 * The files of a folder that are asked for again and again: to open one and to look at it takes several system calls, so
 * the cache believes for a second what it saw. After that the path is walked again from the folder: a link that was
 * exchanged meanwhile leads nowhere outside.
 */
export class OpenFileCache<T> {
  readonly #root: FileRoot;
  readonly #clock: () => number;
  readonly #makeFacts: (file: CachedFile<T>, path: string) => T;
  readonly #limits: CacheLimits;
  readonly #files = new Map<string, CachedFile<T>>();
  /** Bytes of all contents in memory. */
  #bytes = 0;

  /**
   * @param clock milliseconds, such as the loop's `now`
   * @param makeFacts is called once for each file that was opened
   */
  constructor(
    root: FileRoot,
    clock: () => number,
    makeFacts: (file: CachedFile<T>, path: string) => T,
    limits: CacheLimits = defaultLimits,
  ) {
    this.#root = root;
    this.#clock = clock;
    this.#makeFacts = makeFacts;
    this.#limits = limits;
  }

  /** Files that are known now. */
  get size(): number {
    return this.#files.size;
  }

  /**
   * The file under a path below the folder. Whoever sends from its descriptor retains it and releases it after.
   * @returns a negative errno as {@link FileRoot.open} does
   */
  get(path: string): CachedFile<T> | number {
    const known = this.#files.get(path);
    if (known !== undefined && this.#clock() - known.checkedAt < believedMs) {
      known.wasUsed = true;
      return known;
    }
    // A name that ends in a slash can only be a folder, and the kernel would say so by ENOTDIR.
    const opened = path.endsWith("/") ? -EISDIR : this.#root.open(path);
    if (typeof opened !== "number" && known?.isSameAs(opened)) {
      opened.release();
      known.checkedAt = this.#clock();
      known.wasUsed = true;
      return known;
    }
    if (known !== undefined) this.#forget(path, known);
    if (typeof opened === "number") return opened;
    const file = new CachedFile<T>(opened, (cached) => this.#makeFacts(cached, path));
    file.checkedAt = this.#clock();
    this.#files.set(path, file);
    this.#bytes += file.content?.length ?? 0;
    this.#makeRoom(file);
    return file;
  }

  /** Closes what nobody sends from; the rest is closed when it has been sent. Calling it again does nothing. */
  destroy(): void {
    for (const [path, file] of this.#files) this.#forget(path, file);
  }

  /**
   * Gives up files until the limits hold, but not the newest. Goes round the map as round a clock: one that was used gets
   * a second chance, at the map's end, so that nothing has to be moved when a file is found.
   */
  #makeRoom(newest: CachedFile<T>): void {
    for (const [path, file] of this.#files) {
      const isRoomy = this.#files.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes;
      if (isRoomy || this.#files.size === 1) return;
      if (!file.wasUsed && file !== newest) {
        this.#forget(path, file);
        continue;
      }
      file.wasUsed = false;
      this.#files.delete(path);
      this.#files.set(path, file);
    }
  }

  #forget(path: string, file: CachedFile<T>): void {
    this.#files.delete(path);
    this.#bytes -= file.content?.length ?? 0;
    file.release();
  }
}

/** Reads a file from its start. One that was made shorter meanwhile is what is left of it. */
function readWhole(fd: number, size: number): Uint8Array {
  const content = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const count = pread(fd, content.subarray(length), size - length, length);
    if (count <= 0) break;
    length += count;
  }
  return content.subarray(0, length);
}
