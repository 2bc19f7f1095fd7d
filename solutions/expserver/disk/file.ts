import {
  close,
  EAGAIN,
  EINTR,
  EINVAL,
  EISDIR,
  fstat,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOCTTY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  open,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  Stat,
  SystemCallError,
} from "expserver-course/linux";

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
    if (this.#isReleased) return;
    this.#isReleased = true;
    close(this.fd);
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
    const fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) throw new SystemCallError("open", -fd, directory);
    this.#fd = fd;
  }

  /**
   * Opens a regular file below the directory. The kernel walks the path and refuses one that leads out, by `..`, by an
   * absolute path or by a symbolic link, also when somebody exchanges a link meanwhile: a comparison of
   * path texts could not be sure of that.
   * @param path relative to the directory, with or without slashes before it
   * @returns the file, or -ENOENT, -EACCES, -EXDEV (leads out), -ELOOP, -EISDIR, -EINVAL (neither file nor directory), -ENXIO (a socket), …
   */
  open(path: string): OpenFile | number {
    // O_NONBLOCK: to open a named pipe would wait for its writer. O_NOCTTY: a terminal must not become ours.
    const how = {
      flags: O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
      resolve: RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    const relative = path.replace(/^\/+/, "") || ".";
    let fd = -EAGAIN;
    for (let attempt = 0; attempt < attempts && (fd === -EAGAIN || fd === -EINTR); attempt++) {
      fd = openat2(this.#fd, relative, how);
    }
    if (fd < 0) return fd;
    const result = fstat(fd, stat);
    if (result === 0 && stat.isFile()) return new OpenFile(fd, stat);
    close(fd);
    if (result < 0) return result;
    return stat.isDirectory() ? -EISDIR : -EINVAL;
  }

  /** Gives the directory back: nothing can be opened any more. Files that were opened stay open. Calling it again does nothing. */
  destroy(): void {
    if (this.#fd < 0) return;
    close(this.#fd);
    this.#fd = -1;
  }
}
