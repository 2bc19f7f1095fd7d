import { createRequire } from "node:module";
import { SystemCallError } from "./errno.ts";

type Koffi = typeof import("koffi");

/** The processors whose structures and numbers this folder knows. */
export type Architecture = "x64" | "arm64";

/**
 * Checks that system calls can be made here, and loads the library that makes them.
 * Importing any file of this folder runs it, so that a wrong system is told in one sentence.
 * @throws {Error} not Linux, an unknown processor, or koffi's prebuilt library is missing
 */
export function loadKoffi(
  platform: string = process.platform,
  architecture: string = process.arch,
  load: () => unknown = () => createRequire(import.meta.url)("koffi"),
): Koffi {
  if (platform !== "linux") {
    throw new Error(
      `expserver-course/linux makes Linux system calls, which ${platform} does not have: ` +
        "use WSL2 on Windows, or a Linux container or virtual machine anywhere else.",
    );
  }
  if (architecture !== "x64" && architecture !== "arm64") {
    throw new Error(
      `expserver-course/linux knows the structures of x64 and arm64, but this Node is built for ${architecture}: ` +
        "use a Node for x64 or arm64.",
    );
  }
  try {
    return load() as Koffi;
  } catch (cause) {
    throw new Error(
      `expserver-course/linux needs koffi and its prebuilt library for linux-${architecture}, which cannot be loaded: ` +
        "run `npm install` again with optional dependencies (no --omit=optional, no --no-optional), on this machine.",
      { cause },
    );
  }
}

const koffi = loadKoffi();

/** This machine's processor; layouts and constants that differ are chosen by it. */
export const ARCHITECTURE = process.arch as Architecture;

/** The Node process itself: glibc or musl is part of it, and so are libuv and OpenSSL. */
const processSymbols = koffi.load(null);

/**
 * Binds a function of the C library (or of another library inside the Node process) by its prototype.
 * `ssize_t` and `off_t` are `int64_t` here: koffi does not know the names, and on 64-bit Linux they are the same.
 * @throws {Error} when the process has no such symbol; bind what may be lacking at its first use
 */
export function libcFunction<F extends (...args: never[]) => unknown>(prototype: string): F {
  return processSymbols.func(prototype) as unknown as F;
}

/**
 * The error number that the C library left behind in the last call that failed. Only meaningful at once after it.
 * See `man 3 errno`.
 */
export const lastErrno: () => number = koffi.errno;

/**
 * The address of a buffer's first byte, for structures that hold pointers.
 * Asking for it moves a small array's bytes off V8's heap for good, so the address stays true while the array lives.
 */
export const addressOf: (buffer: Uint8Array) => bigint = koffi.address;

/** The data path's half of the error rule: a C result of −1 becomes the negative errno, all else stays. */
export function countOrErrno(result: number): number {
  return result < 0 ? -lastErrno() : result;
}

/**
 * The other half: a C result of −1 is thrown, all else returned.
 * @param syscall the call's name
 * @param detail what the call was about; a function where building the text costs something
 */
export function orThrow(result: number, syscall: string, detail?: string | (() => string)): number {
  if (result >= 0) return result;
  const errno = lastErrno();
  throw new SystemCallError(syscall, errno, typeof detail === "function" ? detail() : detail);
}
