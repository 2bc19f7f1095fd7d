import { fstatSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ioctlArgumentBytes } from "./descriptor.ts";
import {
  AF_UNIX,
  close,
  dup,
  EAGAIN,
  EBADF,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  EPIPE,
  eventfd,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_GETPIPE_SZ,
  F_SETFD,
  F_SETFL,
  F_SETPIPE_SZ,
  FD_CLOEXEC,
  FIONREAD,
  fcntl,
  ioctl,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  open,
  pipe2,
  read,
  SIOCOUTQ,
  SOCK_STREAM,
  send,
  socketpair,
  TIOCGWINSZ,
  write,
} from "./index.ts";
import { closed, closing } from "./test-sockets.ts";

function pipe(flags = O_CLOEXEC | O_NONBLOCK): [number, number] {
  return pipe2(flags).map(closing) as [number, number];
}

/** An int that an ioctl fills. */
function intCell(): { bytes: Uint8Array; value(): number } {
  const cell = new Int32Array(1);
  return { bytes: new Uint8Array(cell.buffer), value: () => cell[0]! };
}

describe("close", () => {
  it("closes, and throws when the descriptor was closed already", () => {
    const [, writing] = pipe();
    closed(writing);
    expect(() => fstatSync(writing)).toThrow(/EBADF/);
    expect(() => close(writing)).toThrow(`close of descriptor ${writing}: bad file descriptor (EBADF)`);
    expect(() => close(-1)).toThrow(expect.objectContaining({ errno: EBADF, syscall: "close" }));
  });
});

describe("dup", () => {
  it("makes a descriptor that outlives the first one", () => {
    const [reading, writing] = pipe();
    const copy = closing(dup(writing));
    closed(writing);
    expect(write(copy, Buffer.from("x"), 1)).toBe(1);
    expect(read(reading, new Uint8Array(2), 2)).toBe(1);
  });

  it("throws for a descriptor that is not open", () => {
    expect(() => dup(-1)).toThrow("dup of descriptor -1: bad file descriptor (EBADF)");
  });
});

describe("pipe2", () => {
  it("carries bytes from the second end to the first, then -EAGAIN, then the end", () => {
    const [reading, writing] = pipe();
    const buffer = Buffer.alloc(8);
    expect(write(writing, Buffer.from("abc"), 3)).toBe(3);
    expect([read(reading, buffer, 8), buffer.toString("latin1", 0, 3)]).toEqual([3, "abc"]);
    expect(read(reading, buffer, 8)).toBe(-EAGAIN);
    closed(writing);
    expect(read(reading, buffer, 8)).toBe(0);
  });

  it("returns -EPIPE to a writer whose reader is gone", () => {
    const [reading, writing] = pipe();
    closed(reading);
    expect(write(writing, new Uint8Array(1), 1)).toBe(-EPIPE);
  });

  it("takes a part when it is nearly full", () => {
    const [, writing] = pipe();
    fcntl(writing, F_SETPIPE_SZ, 4096);
    expect(fcntl(writing, F_GETPIPE_SZ)).toBe(4096);
    expect([write(writing, new Uint8Array(10000), 10000), write(writing, new Uint8Array(1), 1)]).toEqual([
      4096,
      -EAGAIN,
    ]);
  });

  it("throws for flags that do not exist", () => {
    expect(() => pipe2(0x1)).toThrow("pipe2: invalid argument (EINVAL)");
  });
});

describe("eventfd", () => {
  it("counts in 8-byte steps and is emptied by reading", () => {
    const fd = closing(eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC));
    const cell = new BigUint64Array([4n]);
    const bytes = new Uint8Array(cell.buffer);
    expect([write(fd, bytes, 8), read(fd, bytes, 8), cell[0], read(fd, bytes, 8)]).toEqual([
      8,
      8,
      7n,
      -EAGAIN,
    ]);
  });

  it("gives one at a time as a semaphore", () => {
    const fd = closing(eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE));
    const cell = new BigUint64Array(1);
    const bytes = new Uint8Array(cell.buffer);
    expect([read(fd, bytes, 8), cell[0], read(fd, bytes, 8), read(fd, bytes, 8)]).toEqual([
      8,
      1n,
      8,
      -EAGAIN,
    ]);
  });
});

describe("fcntl", () => {
  it("sets O_NONBLOCK, as the kernel then shows", () => {
    const [reading] = pipe(O_CLOEXEC);
    expect(fcntl(reading, F_GETFL) & O_NONBLOCK).toBe(0);
    fcntl(reading, F_SETFL, fcntl(reading, F_GETFL) | O_NONBLOCK);
    expect(readFileSync(`/proc/self/fdinfo/${reading}`, "utf8")).toMatch(/flags:\s+\d*4000\n/);
    expect(read(reading, new Uint8Array(1), 1)).toBe(-EAGAIN);
  });

  it("sets FD_CLOEXEC, and copies a descriptor to a number of the caller's", () => {
    const [reading] = pipe(0);
    const seen = [fcntl(reading, F_GETFD)];
    fcntl(reading, F_SETFD, FD_CLOEXEC);
    seen.push(fcntl(reading, F_GETFD));
    const copy = closing(fcntl(reading, F_DUPFD_CLOEXEC, 200));
    expect([...seen, copy >= 200, fcntl(copy, F_GETFD)]).toEqual([0, FD_CLOEXEC, true, FD_CLOEXEC]);
  });

  it("throws with the command's name", () => {
    expect(() => fcntl(-1, F_GETFL)).toThrow("fcntl F_GETFL on descriptor -1: bad file descriptor (EBADF)");
  });
});

describe("ioctl", () => {
  it("tells how many bytes wait on either side", () => {
    const [a, b] = socketpair(AF_UNIX, SOCK_STREAM).map(closing) as [number, number];
    send(a, new Uint8Array(1234), 1234);
    const cell = intCell();
    expect([ioctl(b, FIONREAD, cell.bytes), cell.value()]).toEqual([0, 1234]);
    ioctl(a, SIOCOUTQ, cell.bytes);
    expect(cell.value()).toBeGreaterThanOrEqual(1234); // the kernel counts its bookkeeping too
  });

  it("throws when the file does not know the request", () => {
    const fd = closing(open("/dev/null", O_RDONLY | O_CLOEXEC));
    expect(() => ioctl(fd, TIOCGWINSZ, new Uint8Array(8))).toThrow(
      `ioctl TIOCGWINSZ on descriptor ${fd}: inappropriate ioctl for device (ENOTTY)`,
    );
  });

  it("refuses an argument that is smaller than what the kernel may write", () => {
    expect(() => ioctl(0, FIONREAD, new Uint8Array(3))).toThrow(
      /FIONREAD: the argument has 3 bytes.*touch 4/,
    );
    expect(() => ioctl(0, TIOCGWINSZ, new Uint8Array(7))).toThrow(RangeError);
    expect(() => ioctl(0, 0x8913, new Uint8Array(39))).toThrow(RangeError);
  });

  it("knows the size from the request's number, or assumes the worst", () => {
    const TUNGETFEATURES = 0x800454cf; // _IOR('T', 207, unsigned int)
    const TCGETS = 0x5401;
    expect([TUNGETFEATURES, TCGETS].map(ioctlArgumentBytes)).toEqual([4, 256]);
  });
});
