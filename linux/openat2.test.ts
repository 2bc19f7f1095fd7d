import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  AT_FDCWD,
  close,
  EINVAL,
  EISDIR,
  ELOOP,
  ENOENT,
  ENOSYS,
  ENOTDIR,
  EXDEV,
  fstat,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  open,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  read,
  Stat,
} from "./index.ts";
import { openByWalking } from "./openat2.ts";
import { closed, closing } from "./test-sockets.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "expserver-linux-"));
  mkdirSync(join(folder, "root/inner"), { recursive: true });
  writeFileSync(join(folder, "root/ten"), "0123456789");
  writeFileSync(join(folder, "root/inner/deep"), "deep");
  writeFileSync(join(folder, "outside"), "secret");
  symlinkSync("ten", join(folder, "root/link"));
  symlinkSync("inner", join(folder, "root/inner-link"));
  symlinkSync("../outside", join(folder, "root/escape"));
  symlinkSync("/etc", join(folder, "root/absolute"));
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

/** The kernel's call and the one that takes its place must agree wherever no link is followed. */
describe.each([
  ["openat2", openat2],
  ["openByWalking", openByWalking],
] as const)("%s", (_, call) => {
  const beneath = (name: string, flags = O_RDONLY): string | number =>
    contentOf(call(opened("root"), name, { flags: flags | O_CLOEXEC, resolve: RESOLVE_BENEATH }));

  it.each([
    ["ten", "0123456789"],
    ["./inner//deep", "deep"],
    ["inner/../ten", "0123456789"],
    ["inner/./../inner/deep", "deep"],
    ["../root/ten", -EXDEV],
    ["inner/../../outside", -EXDEV],
    ["..", -EXDEV],
    ["/etc/passwd", -EXDEV],
    ["escape", undefined],
    ["absolute/passwd", undefined],
    ["missing", -ENOENT],
    ["inner/missing/x", -ENOENT],
    ["ten/x", -ENOTDIR],
    ["ten/", -ENOTDIR],
    ["ten/.", -ENOTDIR],
    ["", -ENOENT],
    ["inner", -EISDIR],
  ])("opens %j beneath a directory or says why not", (name, expected) => {
    const result = beneath(name);
    // The kernel follows the link and finds that it leads out; the walk does not follow.
    if (expected === undefined) expect([-EXDEV, -ELOOP]).toContain(result);
    else expect(result).toBe(expected);
  });

  it.each(["link", "inner-link/deep", "escape"])("refuses the link %j with RESOLVE_NO_SYMLINKS", (name) => {
    const how = { flags: O_RDONLY, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
    expect(call(opened("root"), name, how)).toBe(-ELOOP);
  });

  it("opens directories, and nothing else with O_DIRECTORY", () => {
    const stat = new Stat();
    for (const name of ["inner", "inner/", ".", "inner/.."]) {
      const fd = closing(call(opened("root"), name, { flags: O_DIRECTORY, resolve: RESOLVE_BENEATH }));
      expect([fstat(fd, stat), stat.ino]).toEqual([0, statSync(path(`root/${name}`)).ino]);
    }
    expect(beneath("ten", O_DIRECTORY)).toBe(-ENOTDIR);
  });

  it("treats the directory as / with RESOLVE_IN_ROOT", () => {
    const how = { flags: O_RDONLY, resolve: RESOLVE_IN_ROOT };
    expect(contentOf(call(opened("root"), "/../../inner/deep", how))).toBe("deep");
  });

  it("creates with the mode that it is given", () => {
    const how = { flags: O_WRONLY | O_CREAT | O_CLOEXEC, mode: 0o600, resolve: RESOLVE_BENEATH };
    closed(closing(call(opened("root"), "inner/made", how)));
    expect(statSync(path("root/inner/made")).mode & 0o777).toBe(0o600);
    rmSync(path("root/inner/made"));
  });

  it("leaves nothing open behind, whether it succeeds or fails", () => {
    const root = opened("root");
    const free = closing(open("/dev/null", O_RDONLY));
    closed(free);
    for (const name of [
      "inner/../inner/deep",
      "inner/../inner/missing",
      "inner/../inner/../../x",
      "inner/../link/x",
    ]) {
      const fd = call(root, name, { flags: O_RDONLY, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS });
      if (fd >= 0) closed(closing(fd));
    }
    const next = closing(open("/dev/null", O_RDONLY));
    expect(next).toBe(free);
  });
});

describe("openat2", () => {
  beforeEach((context) => {
    const fd = openat2(AT_FDCWD, "/dev/null", { flags: O_RDONLY });
    if (fd === -ENOSYS) context.skip("this kernel has no openat2");
    close(fd);
  });

  it("follows a link that stays beneath", () => {
    const how = { flags: O_RDONLY, resolve: RESOLVE_BENEATH };
    expect(contentOf(openat2(opened("root"), "inner-link/deep", how))).toBe("deep");
  });

  it("is as strict as the kernel about flags and modes", () => {
    expect(openat2(AT_FDCWD, "/dev/null", { flags: O_RDONLY, mode: 0o644 })).toBe(-EINVAL);
    expect(openat2(AT_FDCWD, "/dev/null", { flags: 0x4000_0000 })).toBe(-EINVAL);
  });

  it("refuses magic links and other file systems when asked to", () => {
    const magic = { flags: O_RDONLY, resolve: RESOLVE_NO_MAGICLINKS };
    expect(openat2(AT_FDCWD, "/proc/self/exe", magic)).toBe(-ELOOP);
    const onlyRoot = { flags: O_RDONLY, resolve: RESOLVE_NO_XDEV };
    expect(openat2(AT_FDCWD, "/proc/version", onlyRoot)).toBe(-EXDEV);
  });
});

describe("openByWalking", () => {
  it("does not pretend to know ways of walking that it cannot do", () => {
    const root = opened("root");
    const flags = O_RDONLY;
    expect(openByWalking(root, "ten", { flags })).toBe(-ENOSYS);
    expect(openByWalking(root, "ten", { flags, resolve: RESOLVE_NO_XDEV })).toBe(-ENOSYS);
    expect(openByWalking(root, "../ten", { flags, resolve: RESOLVE_NO_SYMLINKS })).toBe(-ENOSYS);
  });
});
