import { Stat } from "expserver-course/linux";

/** An open regular file. Whoever opened it releases it. */
export class OpenFile {
  readonly fd: number;
  /** Length in bytes, when it was opened. */
  readonly size: number;
  /** Last change, in whole seconds since 1970. */
  readonly modifiedAt: number;
  #isReleased = false;

  constructor(fd: number, stat: Stat) {
    this.fd = fd;
    this.size = stat.size;
    this.modifiedAt = stat.mtimeSeconds;
  }

  /** Closes the file. Calling it again does nothing. */
  release(): void {
    // TODO 1a: close the descriptor, once.
    todo(`1a: release descriptor ${this.fd}, which is ${this.#isReleased ? "released" : "open"}`);
  }
}

const stat = new Stat();
/** How often a path is tried again when a directory was renamed while it was walked (`man 2 openat2`, EAGAIN). */
const attempts = 3;

/** A directory whose files are served, and nothing outside it. */
export class FileRoot {
  /** The directory; -1 when it was given back, which no call takes for an open descriptor. */
  #fd: number;

  /**
   * @param directory its path; what is there under this name now is served, also when it is renamed later
   * @throws {SystemCallError} ENOENT, ENOTDIR, EACCES
   */
  constructor(directory: string) {
    // TODO 1b: open the directory with O_PATH | O_DIRECTORY | O_CLOEXEC. open does not throw, so a result below 0 has to
    // become a SystemCallError that names the directory.
    this.#fd = todo(`1b: open ${directory}`);
  }

  /**
   * Opens a regular file below the directory. The kernel walks the path and refuses one that leads out, by `..`, by an
   * absolute path or by a symbolic link, also when somebody exchanges a link meanwhile: a comparison of
   * path texts could not be sure of that.
   * @param path relative to the directory, with or without slashes before it
   * @returns the file, or -ENOENT, -EACCES, -EXDEV (leads out), -ELOOP, -EISDIR, -EINVAL (neither file nor directory), -ENXIO (a socket), …
   */
  open(path: string): OpenFile | number {
    // TODO 1c: openat2 below the directory; O_NONBLOCK and O_NOCTTY beside O_RDONLY and O_CLOEXEC; RESOLVE_BENEATH and
    // RESOLVE_NO_MAGICLINKS. The path comes with slashes before it, and may be empty behind them. Then fstat: only a
    // regular file is handed out, whatever else was opened is closed again.
    return todo(
      `1c: open ${path} below descriptor ${this.#fd}, ${attempts} times at most, and look at it with ${stat.bytes.length} bytes of stat`,
    );
  }

  /** Gives the directory back: nothing can be opened any more. Files that were opened stay open. Calling it again does nothing. */
  destroy(): void {
    // TODO 1b: close the directory, once.
    todo("1b: close the directory");
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
