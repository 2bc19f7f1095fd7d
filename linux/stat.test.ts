import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AF_UNIX,
  EBADF,
  fstat,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  open,
  pipe2,
  SOCK_STREAM,
  Stat,
  socketpair,
} from "./index.ts";
import { statLayout } from "./stat.ts";
import { closing } from "./test-sockets.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "expserver-linux-"));
  mkdirSync(join(folder, "root"));
  writeFileSync(join(folder, "root/ten"), "0123456789");
  symlinkSync("ten", join(folder, "root/link"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);

/** Opens a file for reading. */
function opened(name: string): number {
  return closing(open(path(name), O_RDONLY | O_CLOEXEC));
}

describe("fstat", () => {
  it("agrees with Node in every field", () => {
    const stat = new Stat();
    expect(fstat(opened("root/ten"), stat)).toBe(0);
    const node = statSync(path("root/ten"), { bigint: true });
    const fields = ["dev", "ino", "mode", "nlink", "uid", "gid", "rdev", "size", "blocks"] as const;
    expect(fields.map((field) => [field, stat[field]])).toEqual(
      fields.map((field) => [field, Number(node[field])]),
    );
    expect(stat.mtimeNs).toBe(node.mtimeNs);
    expect(stat.mtimeSeconds).toBe(Number(node.mtimeNs / 1_000_000_000n));
    for (const [ours, nanoseconds] of [
      [stat.atimeMs, node.atimeNs],
      [stat.mtimeMs, node.mtimeNs],
      [stat.ctimeMs, node.ctimeNs],
    ] as const) {
      expect(ours).toBeCloseTo(Number(nanoseconds) / 1e6, 2);
    }
  });

  it("knows the kinds of files", () => {
    const [a] = socketpair(AF_UNIX, SOCK_STREAM).map(closing) as [number, number];
    const [reading] = pipe2(O_CLOEXEC).map(closing) as [number, number];
    const link = closing(open(path("root/link"), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    const stat = new Stat();
    const kind = (fd: number): string => {
      fstat(fd, stat);
      const tests = ["isFile", "isDirectory", "isSymbolicLink", "isFIFO", "isSocket"] as const;
      return tests.filter((test) => stat[test]()).join();
    };
    const device = closing(open("/dev/null", O_RDONLY));
    expect([opened("root/ten"), opened("root"), link, reading, a, device].map(kind)).toEqual([
      "isFile",
      "isDirectory",
      "isSymbolicLink",
      "isFIFO",
      "isSocket",
      "",
    ]);
    expect(stat.rdev).toBe(statSync("/dev/null").rdev);
  });

  it("returns -EBADF", () => {
    expect(fstat(-1, new Stat())).toBe(-EBADF);
  });
});

describe("struct stat", () => {
  const time = (name: string) => ({ [`${name}_sec`]: "int64_t", [`${name}_nsec`]: "uint64_t" });
  const times = { ...time("atim"), ...time("mtim"), ...time("ctim") };
  const shown = {
    dev: 0x1_0000_0103,
    ino: 2 ** 40 + 5,
    nlink: 3,
    mode: 0o100640,
    uid: 1000,
    gid: 4_000_000_000,
    rdev: 0x502,
    size: 2 ** 42 + 9,
    blocks: 2 ** 33 + 1,
  };
  const values = {
    ...shown,
    blksize: 4096,
    atim_sec: 1_700_000_000,
    atim_nsec: 250_000_000,
    mtim_sec: -5, // before 1970
    mtim_nsec: 999_999_999,
    ctim_sec: 2 ** 33,
    ctim_nsec: 1,
    pad: 0,
    pad2: 0,
  };
  // As the kernel declares them; koffi computes the offsets by C's rules.
  const x64 = koffi.struct({
    dev: "uint64_t",
    ino: "uint64_t",
    nlink: "uint64_t",
    mode: "uint32_t",
    uid: "uint32_t",
    gid: "uint32_t",
    pad: "uint32_t",
    rdev: "uint64_t",
    size: "int64_t",
    blksize: "int64_t",
    blocks: "int64_t",
    ...times,
    unused: koffi.array("int64_t", 3),
  });
  const arm64 = koffi.struct({
    dev: "uint64_t",
    ino: "uint64_t",
    mode: "uint32_t",
    nlink: "uint32_t",
    uid: "uint32_t",
    gid: "uint32_t",
    rdev: "uint64_t",
    pad: "uint64_t",
    size: "int64_t",
    blksize: "int32_t",
    pad2: "int32_t",
    blocks: "int64_t",
    ...times,
    unused: koffi.array("uint32_t", 2),
  });

  it.each([
    ["x64", x64, 144],
    ["arm64", arm64, 128],
  ] as const)("is read from the places where C puts its fields on %s", (architecture, type, size) => {
    expect([koffi.sizeof(type), statLayout(architecture).bytes]).toEqual([size, size]);
    const stat = new Stat(architecture);
    const fields = { ...values, unused: architecture === "x64" ? [0, 0, 0] : [0, 0] };
    koffi.encode(stat.bytes, type, fields);
    const names = Object.keys(shown) as (keyof typeof shown)[];
    expect(Object.fromEntries(names.map((name) => [name, stat[name]]))).toEqual(shown);
    expect(stat.atimeMs).toBe(1_700_000_000_250);
    expect([stat.mtimeSeconds, stat.mtimeNs]).toEqual([-5, -4_000_000_001n]);
    expect(stat.ctimeMs).toBeCloseTo(2 ** 33 * 1000, 3);
  });
});
