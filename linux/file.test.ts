import { execFileSync } from "node:child_process";
import {
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as linux from "./index.ts";
import {
  AF_UNIX,
  AT_FDCWD,
  EAGAIN,
  EBADF,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ESPIPE,
  F_GETPIPE_SZ,
  fcntl,
  fstat,
  IOV_MAX,
  lseek,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  open,
  openat,
  openat2,
  pipe2,
  pread,
  read,
  recv,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  Stat,
  sendfile,
  socketpair,
  write,
  writev,
} from "./index.ts";
import { openFlags } from "./open-flags.ts";
import { closed, closing } from "./test-sockets.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "expserver-linux-"));
  mkdirSync(join(folder, "root/inner"), { recursive: true });
  writeFileSync(join(folder, "root/ten"), "0123456789");
  writeFileSync(join(folder, "root/inner/deep"), "deep");
  writeFileSync(join(folder, "outside"), "secret");
  symlinkSync("ten", join(folder, "root/link"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);

/** Opens a file for reading. */
function opened(name: string): number {
  return closing(open(path(name), O_RDONLY | O_CLOEXEC));
}

/** The content behind a descriptor, which is closed; or the negative errno that stands in its place. */
function contentOf(fd: number): string | number {
  if (fd < 0) return fd;
  closing(fd);
  const buffer = Buffer.alloc(64);
  const count = read(fd, buffer, 64);
  closed(fd);
  return count < 0 ? count : buffer.toString("latin1", 0, count);
}

describe("constants", () => {
  it("agree with Node's where Node has them", () => {
    const exported: Record<string, unknown> = linux;
    const names = Object.keys(constants).filter((name) => /^(O|S)_/.test(name) && name in exported);
    expect(names.length).toBeGreaterThan(15);
    const expected = names.map((name) => [name, constants[name as keyof typeof constants]]);
    expect(names.map((name) => [name, exported[name]])).toEqual(expected);
  });

  it("number four flags of open differently on arm64", () => {
    // From the kernel's include/uapi/asm-generic/fcntl.h and arch/arm64/include/uapi/asm/fcntl.h.
    const x64 = { O_DIRECT: 0x4000, O_LARGEFILE: 0x8000, O_DIRECTORY: 0x10000, O_NOFOLLOW: 0x20000 };
    const arm64 = { O_DIRECTORY: 0x4000, O_NOFOLLOW: 0x8000, O_DIRECT: 0x10000, O_LARGEFILE: 0x20000 };
    expect([openFlags("x64"), openFlags("arm64")]).toEqual([x64, arm64]);
  });
});

describe("open", () => {
  it("opens for reading and reads to the end", () => {
    const fd = opened("root/ten");
    const buffer = Buffer.alloc(8, ".");
    expect([read(fd, buffer, 8), buffer.toString()]).toEqual([8, "01234567"]);
    expect([read(fd, buffer, 8), buffer.toString()]).toEqual([2, "89234567"]);
    expect(read(fd, buffer, 8)).toBe(0);
  });

  it("creates with the mode that it is given, less the umask", () => {
    const old = process.umask(0o022);
    try {
      const fd = closing(open(path("created"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666));
      expect(write(fd, Buffer.from("new"), 3)).toBe(3);
      expect(statSync(path("created")).mode & 0o777).toBe(0o644);
      expect(readFileSync(path("created"), "utf8")).toBe("new");
      expect(open(path("created"), O_WRONLY | O_CREAT | O_EXCL)).toBe(-EEXIST);
    } finally {
      process.umask(old);
      rmSync(path("created"), { force: true });
    }
  });

  it("empties with O_TRUNC and writes behind the end with O_APPEND", () => {
    writeFileSync(path("log"), "old content");
    closed(closing(open(path("log"), O_WRONLY | O_TRUNC | O_CLOEXEC)));
    for (const text of ["a", "b"]) {
      const fd = closing(open(path("log"), O_WRONLY | O_APPEND | O_CLOEXEC));
      write(fd, Buffer.from(text), 1);
    }
    expect(readFileSync(path("log"), "utf8")).toBe("ab");
  });

  it("returns what is wrong with a path", () => {
    expect(open(path("missing"), O_RDONLY)).toBe(-ENOENT);
    expect(open(path("root/ten/x"), O_RDONLY)).toBe(-ENOTDIR);
    expect(open(path("root/ten"), O_RDONLY | O_DIRECTORY)).toBe(-ENOTDIR);
    expect(open(path("root"), O_WRONLY)).toBe(-EISDIR);
    expect(open(path("root/link"), O_RDONLY | O_NOFOLLOW)).toBe(-ELOOP);
    expect(open("/".padEnd(5000, "a"), O_RDONLY)).toBe(-ENAMETOOLONG);
  });

  it("refuses a NUL, behind which C would see the end of the path", () => {
    expect(open(`${path("root/ten")}\0.html`, O_RDONLY)).toBe(-EINVAL);
    expect(openat(AT_FDCWD, `${path("root/ten")}\0`, O_RDONLY)).toBe(-EINVAL);
    expect(openat2(AT_FDCWD, "\0", { flags: O_RDONLY })).toBe(-EINVAL);
  });

  it("opens names beyond ASCII", () => {
    writeFileSync(path("grüße 🙂"), "hello");
    expect(contentOf(open(path("grüße 🙂"), O_RDONLY))).toBe("hello");
  });

  it("does not wait for a writer of a FIFO with O_NONBLOCK", () => {
    execFileSync("mkfifo", [path("fifo")]);
    const fd = closing(open(path("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    const stat = new Stat();
    fstat(fd, stat);
    expect([stat.isFIFO(), stat.isFile()]).toEqual([true, false]);
  });
});

describe("openat", () => {
  it("starts at the directory, and at the current one with AT_FDCWD", () => {
    const root = opened("root");
    expect(contentOf(openat(root, "inner/deep", O_RDONLY))).toBe("deep");
    expect(contentOf(openat(root, "../outside", O_RDONLY))).toBe("secret");
    expect(openat(AT_FDCWD, "inner/deep", O_RDONLY)).toBe(-ENOENT);
    expect(openat(-1, "inner/deep", O_RDONLY)).toBe(-EBADF);
  });
});

describe("read, pread and write", () => {
  it("pread takes a part and leaves the position alone", () => {
    const fd = opened("root/ten");
    const buffer = Buffer.alloc(4);
    expect([pread(fd, buffer, 4, 3), buffer.toString()]).toEqual([4, "3456"]);
    expect([pread(fd, buffer, 4, 8), pread(fd, buffer, 4, 10)]).toEqual([2, 0]);
    expect(lseek(fd, 0, SEEK_CUR)).toBe(0);
  });

  it("reach positions beyond 4 GiB", () => {
    const position = 5 * 2 ** 30 + 7;
    const fd = closing(open(path("sparse"), O_RDWR | O_CREAT | O_CLOEXEC));
    expect(lseek(fd, position, SEEK_SET)).toBe(position);
    expect(write(fd, Buffer.from("end"), 3)).toBe(3);
    const buffer = Buffer.alloc(3);
    expect([pread(fd, buffer, 3, position), buffer.toString()]).toEqual([3, "end"]);
    const stat = new Stat();
    fstat(fd, stat);
    expect([stat.size, lseek(fd, -1, SEEK_END)]).toEqual([position + 3, position + 2]);
    rmSync(path("sparse"));
  });

  it("return errors as negative numbers", () => {
    const buffer = new Uint8Array(4);
    const [reading] = pipe2(O_NONBLOCK).map(closing) as [number, number];
    expect(read(-1, buffer, 4)).toBe(-EBADF);
    expect(read(reading, buffer, 4)).toBe(-EAGAIN);
    expect(read(opened("root"), buffer, 4)).toBe(-EISDIR);
    expect(write(opened("root/ten"), buffer, 4)).toBe(-EBADF);
    expect(pread(reading, buffer, 4, 0)).toBe(-ESPIPE);
    expect(pread(opened("root/ten"), buffer, 4, -1)).toBe(-EINVAL);
    expect([lseek(reading, 0, SEEK_SET), lseek(opened("root/ten"), -1, SEEK_SET)]).toEqual([
      -ESPIPE,
      -EINVAL,
    ]);
  });

  it.each([5, -1, Number.NaN])("refuse a length outside the buffer: %d", (length) => {
    const buffer = new Uint8Array(8).subarray(0, 4);
    const fd = opened("root/ten");
    const text = `length ${length} must be between 0 and the buffer's 4 bytes`;
    expect(() => read(fd, buffer, length)).toThrow(`read: ${text}`);
    expect(() => pread(fd, buffer, length, 0)).toThrow(`pread: ${text}`);
    expect(() => write(fd, buffer, length)).toThrow(`write: ${text}`);
    expect(() => write(fd, buffer, length)).toThrow(RangeError);
    expect(lseek(fd, 0, SEEK_CUR)).toBe(0);
  });
});

describe("writev", () => {
  it("writes buffers of all sizes in order, also tiny ones and none", () => {
    const [reading, writing] = pipe2(O_NONBLOCK).map(closing) as [number, number];
    const parts = ["head", "", "-", "x".repeat(300), "tail"].map((text) => new TextEncoder().encode(text));
    const view = parts[3]!.subarray(100, 105);
    expect(writev(writing, [...parts.slice(0, 3), view, parts[4]!])).toBe(4 + 1 + 5 + 4);
    const buffer = Buffer.alloc(64);
    expect(buffer.toString("latin1", 0, read(reading, buffer, 64))).toBe("head-xxxxxtail");
    expect(writev(writing, [])).toBe(0);
  });

  it("takes up to IOV_MAX buffers, and part of them when the pipe is full", () => {
    const [reading, writing] = pipe2(O_NONBLOCK).map(closing) as [number, number];
    const many = Array.from({ length: IOV_MAX }, (_, index) => new Uint8Array([index & 0xff]));
    expect(writev(writing, many)).toBe(1024);
    const received = new Uint8Array(2048);
    expect(read(reading, received, 2048)).toBe(1024);
    expect(Buffer.concat(many).equals(received.subarray(0, 1024))).toBe(true);
    expect(writev(writing, [...many, new Uint8Array(1)])).toBe(-EINVAL);
    const capacity = fcntl(writing, F_GETPIPE_SZ);
    const most = new Uint8Array(capacity - 100);
    expect([writev(writing, [most, most]), writev(writing, [most])]).toEqual([capacity, -EAGAIN]);
  });

  it("returns errors as negative numbers", () => {
    expect(writev(-1, [new Uint8Array(1)])).toBe(-EBADF);
  });
});

describe("sendfile", () => {
  it("sends from the offset and leaves the file's position alone", () => {
    const [a, b] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK).map(closing) as [number, number];
    const fd = opened("root/ten");
    expect([sendfile(a, fd, 6, 100), sendfile(a, fd, 2, 3), sendfile(a, fd, 10, 5)]).toEqual([4, 3, 0]);
    const buffer = Buffer.alloc(16);
    expect(buffer.toString("latin1", 0, recv(b, buffer, 16))).toBe("6789234");
    expect(lseek(fd, 0, SEEK_CUR)).toBe(0);
  });

  it("reaches offsets beyond 4 GiB", () => {
    const position = 6 * 2 ** 30 + 1;
    const file = closing(open(path("sparse"), O_RDWR | O_CREAT | O_CLOEXEC));
    lseek(file, position, SEEK_SET);
    write(file, Buffer.from("far"), 3);
    const [a, b] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK).map(closing) as [number, number];
    expect(sendfile(a, file, position, 10)).toBe(3);
    const buffer = Buffer.alloc(4);
    expect(buffer.toString("latin1", 0, recv(b, buffer, 4))).toBe("far");
    rmSync(path("sparse"));
  });

  it("returns -EAGAIN when the socket is full, and errors for what cannot be sent", () => {
    const [a] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK).map(closing) as [number, number];
    const fd = closing(open(process.execPath, O_RDONLY | O_CLOEXEC));
    let offset = 0;
    let count = 0;
    for (; count >= 0; offset += count) count = sendfile(a, fd, offset, 2 ** 20);
    expect(count).toBe(-EAGAIN);
    expect(offset).toBeGreaterThan(4096);
    expect(sendfile(a, fd, -1, 10)).toBe(-EINVAL);
    expect(sendfile(a, -1, 0, 10)).toBe(-EBADF);
  });
});
