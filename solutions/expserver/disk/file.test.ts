import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  EBADF,
  EINVAL,
  EISDIR,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  EXDEV,
  F_GETFD,
  fcntl,
  fstat,
  Stat,
  SystemCallError,
} from "expserver-course/linux";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FileRoot, OpenFile } from "./file.ts";

let folder: string;
let root: FileRoot;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "expserver-file-root-"));
  mkdirSync(join(folder, "public/below"), { recursive: true });
  mkdirSync(join(folder, "public-evil"));
  for (const name of ["secret", "public-evil/page", "public/page", "public/below/deep"]) {
    writeFileSync(join(folder, name), name);
  }
  root = new FileRoot(join(folder, "public"));
  return () => {
    root.destroy();
    rmSync(folder, { recursive: true });
  };
});

/** What a path leads to: the file's text, or an errno. */
function contentOf(path: string): string | number {
  const file = root.open(path);
  if (typeof file === "number") return file;
  const text = readFileSync(file.fd, "utf8");
  file.release();
  return text;
}

/** How many descriptors this process has. */
const openDescriptors = () => readdirSync("/proc/self/fd").length;

describe("a path below the directory", () => {
  test.each([
    ["page", "public/page"],
    ["/page", "public/page"],
    ["///page", "public/page"],
    ["below/deep", "public/below/deep"],
    ["below/../page", "public/page"],
    ["./below/./deep", "public/below/deep"],
  ])("%s opens its file", (path, text) => {
    expect(contentOf(path)).toBe(text);
  });

  test("may be any text that a name may be", () => {
    for (const name of ["größe", "a b", "%2e%2e", "...", "-", "a\nb", '"']) {
      writeFileSync(join(folder, "public", name), name);
      expect(contentOf(`/${name}`)).toBe(name);
    }
  });

  test("goes through the place that was named, also when it has another name by now", () => {
    renameSync(join(folder, "public"), join(folder, "elsewhere"));
    expect(contentOf("/page")).toBe("public/page");
  });

  test("is looked up anew each time", () => {
    writeFileSync(join(folder, "public/new"), "first");
    expect(contentOf("/new")).toBe("first");
    rmSync(join(folder, "public/new"));
    expect(contentOf("/new")).toBe(-ENOENT);
  });
});

describe("a path that leads out is refused", () => {
  test.each([
    "..",
    "../secret",
    "/../secret",
    "below/../../secret",
    "../public-evil/page",
    "../public/page",
    "/below/../../public/page",
  ])("by dots: %s", (path) => {
    expect(contentOf(path)).toBe(-EXDEV);
  });

  test("by a link, relative or absolute, to a file or a directory", () => {
    const links: [name: string, target: string, path: string][] = [
      ["file", "../secret", "/file"],
      ["absolute", join(folder, "secret"), "/absolute"],
      ["directory", "..", "/directory/secret"],
      ["inside-by-the-way-out", "../public/page", "/inside-by-the-way-out"],
      ["process", "/proc/self/cwd", "/process/package.json"],
    ];
    for (const [name, target, path] of links) {
      symlinkSync(target, join(folder, "public", name));
      // A kernel without openat2 follows no link at all.
      expect([-EXDEV, -ELOOP]).toContain(contentOf(path));
    }
  });

  test("as an absolute path it names a file below, which is not there", () => {
    expect(contentOf(join(folder, "secret"))).toBe(-ENOENT);
  });
});

describe("what is no regular file is refused", () => {
  test.each([
    ["", -EISDIR],
    ["/", -EISDIR],
    ["below", -EISDIR],
    ["below/", -EISDIR],
    ["below/..", -EISDIR],
    ["missing", -ENOENT],
    ["missing/page", -ENOENT],
    ["page/", -ENOTDIR],
    ["page/more", -ENOTDIR],
    ["page\0", -EINVAL],
    ["a".repeat(256), -ENAMETOOLONG],
    ["a/".repeat(3000), -ENAMETOOLONG],
  ])("%j: %d", (path, errno) => {
    expect(contentOf(path)).toBe(errno);
  });

  test("a named pipe, without waiting for its writer", () => {
    execFileSync("mkfifo", [join(folder, "public/pipe")]);
    expect(contentOf("/pipe")).toBe(-EINVAL);
  });

  test("a link to itself", () => {
    symlinkSync("loop", join(folder, "public/loop"));
    expect(contentOf("/loop")).toBe(-ELOOP);
  });

  test("and leaves no descriptor open", () => {
    execFileSync("mkfifo", [join(folder, "public/pipe")]);
    const before = openDescriptors();
    for (const path of ["", "below", "pipe", "missing", "../secret"]) contentOf(path);
    expect(openDescriptors()).toBe(before);
  });
});

describe("an open file", () => {
  /** Opens a file that goes with the test. */
  function opened(path: string): OpenFile {
    const file = root.open(path);
    if (!(file instanceof OpenFile)) throw new Error(`${path} was not opened: ${file}`);
    onTestFinished(() => file.release());
    return file;
  }

  test("tells its size and when it was changed, in whole seconds", () => {
    truncateSync(join(folder, "public/page"), 5_000_000_000);
    utimesSync(join(folder, "public/page"), 1, 1_234_567_890.75);
    const { size, modifiedAt } = opened("/page");
    expect({ size, modifiedAt }).toEqual({ size: 5_000_000_000, modifiedAt: 1_234_567_890 });
  });

  test("is not inherited by programs that the server starts", () => {
    expect(fcntl(opened("/page").fd, F_GETFD)).toBe(1); // FD_CLOEXEC
  });

  test("is closed once, whose number ever it may be afterwards", () => {
    const file = opened("/page");
    file.release();
    expect(fstat(file.fd, new Stat())).toBe(-EBADF);
    const other = openSync(join(folder, "secret"), "r");
    onTestFinished(() => closeSync(other));
    expect(other).toBe(file.fd); // the lowest free number, for the test to mean something
    file.release();
    expect(readFileSync(other, "utf8")).toBe("secret");
  });

  test("outlives the root", () => {
    const file = opened("/page");
    root.destroy();
    expect(readFileSync(file.fd, "utf8")).toBe("public/page");
  });
});

describe("a root", () => {
  test.each([
    ["missing", ENOENT],
    ["secret", ENOTDIR],
  ])("of %s does not come into being", (name, errno) => {
    const directory = join(folder, name);
    const before = openDescriptors();
    let error: unknown;
    try {
      new FileRoot(directory);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SystemCallError);
    expect(error).toMatchObject({ errno });
    expect((error as Error).message).toContain(directory);
    expect(openDescriptors()).toBe(before);
  });

  test("that was given back opens nothing, and is given back once", () => {
    root.destroy();
    expect(contentOf("/page")).toBe(-EBADF);
    const other = openSync(folder, "r");
    onTestFinished(() => closeSync(other));
    root.destroy();
    expect(fstat(other, new Stat())).toBe(0);
    expect(contentOf("/secret")).toBe(-EBADF);
  });
});
