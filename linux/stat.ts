import { S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "./file-constants.ts";
import { ARCHITECTURE, type Architecture } from "./libc.ts";

/** Where the fields of `struct stat` lie, in bytes (`man 3type stat`). Times and sizes lie alike on both processors. */
export type StatLayout = {
  readonly bytes: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly nlink: number;
};

/** The layout on a processor; this machine's when none is named. */
export function statLayout(architecture: Architecture = ARCHITECTURE): StatLayout {
  return architecture === "x64"
    ? { bytes: 144, nlink: 16, mode: 24, uid: 28, gid: 32, rdev: 40 }
    : { bytes: 128, mode: 16, nlink: 20, uid: 24, gid: 28, rdev: 32 };
}

const DEV = 0;
const INO = 8;
const SIZE = 48;
const BLOCKS = 64;
const ATIME = 72;
const MTIME = 88;
const CTIME = 104;
/** Within a `struct timespec`. */
const NANOSECONDS = 8;

/**
 * `struct stat`, made once and filled by `fstat` again and again. Fields are read when they are asked for, so
 * a call that only wants the size costs nothing more.
 */
export class Stat {
  /** The structure's memory, for the kernel. */
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #layout: StatLayout;

  /** @param architecture whose layout to use; only tests name it */
  constructor(architecture: Architecture = ARCHITECTURE) {
    this.#layout = statLayout(architecture);
    this.bytes = new Uint8Array(this.#layout.bytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Device that holds the file. */
  get dev(): number {
    return this.#integer64(DEV);
  }
  /** The file's number on that device; a number above 2⁵³ is rounded. */
  get ino(): number {
    return this.#integer64(INO);
  }
  /** Kind and permissions. */
  get mode(): number {
    return this.#view.getUint32(this.#layout.mode, true);
  }
  /** Names that the file has; 0 when it was deleted while it is open. */
  get nlink(): number {
    return this.#view.getUint32(this.#layout.nlink, true);
  }
  /** Owner. */
  get uid(): number {
    return this.#view.getUint32(this.#layout.uid, true);
  }
  /** Group. */
  get gid(): number {
    return this.#view.getUint32(this.#layout.gid, true);
  }
  /** For a device file: which device it is. */
  get rdev(): number {
    return this.#integer64(this.#layout.rdev);
  }
  /** Length in bytes. */
  get size(): number {
    return this.#integer64(SIZE);
  }
  /** Room taken on the device, in units of 512 bytes; less than the size for a sparse file. */
  get blocks(): number {
    return this.#integer64(BLOCKS);
  }
  /** Last reading, in milliseconds since 1970, with fractions. */
  get atimeMs(): number {
    return this.#milliseconds(ATIME);
  }
  /** Last change of the content, in milliseconds since 1970, with fractions. */
  get mtimeMs(): number {
    return this.#milliseconds(MTIME);
  }
  /** Last change of the content or of the fields here, in milliseconds since 1970, with fractions. */
  get ctimeMs(): number {
    return this.#milliseconds(CTIME);
  }
  /** Last change of the content, in whole seconds since 1970: what Last-Modified shows. Allocates nothing. */
  get mtimeSeconds(): number {
    return this.#integer64(MTIME);
  }
  /** Last change of the content, in nanoseconds since 1970: exact, and a bigint as in Node's `BigIntStats`. */
  get mtimeNs(): bigint {
    return (
      this.#view.getBigInt64(MTIME, true) * 1_000_000_000n + this.#view.getBigInt64(MTIME + NANOSECONDS, true)
    );
  }

  /** A regular file: bytes on a disk, the only kind that a web server should send. */
  isFile(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }
  /** A directory. */
  isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }
  /** A symbolic link; only seen through O_PATH | O_NOFOLLOW. */
  isSymbolicLink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }
  /** A pipe, with or without a name. */
  isFIFO(): boolean {
    return (this.mode & S_IFMT) === S_IFIFO;
  }
  /** A socket. */
  isSocket(): boolean {
    return (this.mode & S_IFMT) === S_IFSOCK;
  }

  /** Two 32-bit reads instead of a bigint, which would allocate. */
  #integer64(offset: number): number {
    return this.#view.getInt32(offset + 4, true) * 0x1_0000_0000 + this.#view.getUint32(offset, true);
  }

  #milliseconds(offset: number): number {
    return this.#integer64(offset) * 1000 + this.#view.getUint32(offset + NANOSECONDS, true) / 1e6;
  }
}
