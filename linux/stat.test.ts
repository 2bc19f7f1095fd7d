import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as linux from "./index.ts";
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
  read,
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
  const times = { ...time("st_atim"), ...time("st_mtim"), ...time("st_ctim") };
  const values = {
    st_dev: 0x1_0000_0103,
    st_ino: 2 ** 40 + 5,
    st_nlink: 3,
    st_mode: 0o100640,
    st_uid: 1000,
    st_gid: 4_000_000_000,
    st_rdev: 0x502,
    st_size: 2 ** 42 + 9,
    st_blksize: 4096,
    st_blocks: 2 ** 33 + 1,
    st_atim_sec: 1_700_000_000,
    st_atim_nsec: 250_000_000,
    st_mtim_sec: -5, // before 1970
    st_mtim_nsec: 999_999_999,
    st_ctim_sec: 2 ** 33,
    st_ctim_nsec: 1,
    unused: [0, 0, 0],
    pad: 0,
    pad2: 0,
  };
  // As the kernel declares them; koffi computes the offsets by C's rules.
  const x64 = koffi.struct({
    st_dev: "uint64_t",
    st_ino: "uint64_t",
    st_nlink: "uint64_t",
    st_mode: "uint32_t",
    st_uid: "uint32_t",
    st_gid: "uint32_t",
    pad: "uint32_t",
    st_rdev: "uint64_t",
    st_size: "int64_t",
    st_blksize: "int64_t",
    st_blocks: "int64_t",
    ...times,
    unused: koffi.array("int64_t", 3),
  });
  const arm64 = koffi.struct({
    st_dev: "uint64_t",
    st_ino: "uint64_t",
    st_mode: "uint32_t",
    st_nlink: "uint32_t",
    st_uid: "uint32_t",
    st_gid: "uint32_t",
    st_rdev: "uint64_t",
    pad: "uint64_t",
    st_size: "int64_t",
    st_blksize: "int32_t",
    pad2: "int32_t",
    st_blocks: "int64_t",
    ...times,
    unused: koffi.array("uint32_t", 2),
  });

  it.each([
    ["x64", x64, 144],
    ["arm64", arm64, 128],
  ] as const)("is read from the places where C puts its fields on %s", (architecture, type, size) => {
    expect([koffi.sizeof(type), statLayout(architecture).bytes]).toEqual([size, size]);
    const stat = new Stat(architecture);
    const fields = architecture === "x64" ? values : { ...values, unused: [0, 0] };
    koffi.encode(stat.bytes, type, fields);
    expect({
      st_dev: stat.dev,
      st_ino: stat.ino,
      st_nlink: stat.nlink,
      st_mode: stat.mode,
      st_uid: stat.uid,
      st_gid: stat.gid,
      st_rdev: stat.rdev,
      st_size: stat.size,
      st_blocks: stat.blocks,
      st_atim_sec: Math.floor(stat.atimeMs / 1000),
    }).toMatchObject({ ...pick(values) });
    expect(stat.atimeMs).toBe(1_700_000_000_250);
    expect([stat.mtimeSeconds, stat.mtimeNs]).toEqual([-5, -5n * 1_000_000_000n + 999_999_999n]);
    expect(stat.ctimeMs).toBeCloseTo(2 ** 33 * 1000, 3);
  });

  /** Those of the values that a Stat shows. */
  function pick(all: typeof values) {
    const {
      st_mtim_sec,
      st_mtim_nsec,
      st_atim_nsec,
      st_ctim_sec,
      st_ctim_nsec,
      unused,
      pad,
      pad2,
      st_blksize,
      ...rest
    } = all;
    return rest;
  }
});
