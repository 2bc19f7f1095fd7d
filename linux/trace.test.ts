import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { pipe2, read } from "./index.ts";
import { program, temporaryFolder } from "./test-programs.ts";
import { closing } from "./test-sockets.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

/** The module as a process sees it that was started with EXPSERVER_TRACE; the open trace file is closed afterwards. */
async function tracing(target: string): Promise<typeof import("./index.ts")> {
  vi.stubEnv("EXPSERVER_TRACE", target);
  vi.resetModules();
  return await import("./index.ts");
}

/** time, call, result, duration */
const LINE = /^\d+\.\d{6} (\w+\(.*\)) = (-?\d+(?: E\w+ \(.*\))?) <\d+\.\d{6}>$/;

/** The lines of a trace without their times. */
function calls(text: string): string[] {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => {
      const parts = LINE.exec(line);
      expect(parts, line).not.toBeNull();
      return `${parts![1]} = ${parts![2]}`;
    });
}

describe("without EXPSERVER_TRACE", () => {
  it.each([undefined, ""])("functions are the bare ones (%j)", async (value) => {
    vi.stubEnv("EXPSERVER_TRACE", value);
    vi.resetModules();
    const { traced } = await import("./trace.ts");
    const bare = (): number => 1;
    expect(traced("bare", bare, () => "")).toBe(bare);
  });
});

describe("with EXPSERVER_TRACE", () => {
  it("writes the life of a connection as strace would", async () => {
    const file = join(temporaryFolder(), "trace");
    const l = await tracing(file);
    const server = l.socket(l.AF_INET, l.SOCK_STREAM | l.SOCK_NONBLOCK | l.SOCK_CLOEXEC);
    l.setsockopt(server, l.SOL_SOCKET, l.SO_REUSEADDR, 1);
    l.setsockopt(server, l.SOL_SOCKET, l.SO_LINGER, 0);
    l.bind(server, { host: "127.0.0.1", port: 0 });
    l.listen(server, 128);
    const { port } = l.getsockname(server);
    const set = l.epoll_create1();
    l.epoll_ctl(set, l.EPOLL_CTL_ADD, server, l.EPOLLIN | l.EPOLLET);
    const client = l.socket(l.AF_INET, l.SOCK_STREAM);
    l.connect(client, { host: "127.0.0.1", port });
    l.epoll_wait(set, new l.EpollEvents(8), 8, 1000);
    const peer = new l.SockaddrStorage();
    const connection = l.accept4(server, peer, l.SOCK_CLOEXEC);
    l.accept4(server, null, 0);
    l.send(client, Buffer.from("hello\n"), 6, l.MSG_NOSIGNAL | l.MSG_DONTWAIT);
    l.recv(connection, Buffer.alloc(16), 16);
    l.shutdown(client, l.SHUT_WR);
    l.getsockopt(client, l.SOL_SOCKET, l.SO_ERROR);
    l.epoll_ctl(set, l.EPOLL_CTL_DEL, server);
    for (const fd of [connection, client, set, server]) l.close(fd);
    const from = peer.address().port;
    expect(calls(readFileSync(file, "utf8"))).toEqual([
      `socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0) = ${server}`,
      `setsockopt(${server}, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0`,
      `setsockopt(${server}, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0`,
      `bind(${server}, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, 16) = 0`,
      `listen(${server}, 128) = 0`,
      `getsockname(${server}, {sa_family=AF_INET, sin_port=htons(${port}), sin_addr=inet_addr("127.0.0.1")}) = 0`,
      `epoll_create1(EPOLL_CLOEXEC) = ${set}`,
      `epoll_ctl(${set}, EPOLL_CTL_ADD, ${server}, {events=EPOLLIN|EPOLLET, data=${server}}) = 0`,
      `socket(AF_INET, SOCK_STREAM, 0) = ${client}`,
      `connect(${client}, {sa_family=AF_INET, sin_port=htons(${port}), sin_addr=inet_addr("127.0.0.1")}, 16) = 0`,
      `epoll_wait(${set}, [{events=EPOLLIN, data=${server}}], 8, 1000) = 1`,
      `accept4(${server}, {sa_family=AF_INET, sin_port=htons(${from}), sin_addr=inet_addr("127.0.0.1")}, [16], SOCK_CLOEXEC) = ${connection}`,
      `accept4(${server}, NULL, NULL, 0) = -1 EAGAIN (resource temporarily unavailable)`,
      `send(${client}, "hello\\n", 6, MSG_DONTWAIT|MSG_NOSIGNAL) = 6`,
      `recv(${connection}, "hello\\n", 16, 0) = 6`,
      `shutdown(${client}, SHUT_WR) = 0`,
      `getsockopt(${client}, SOL_SOCKET, SO_ERROR, [0], 4) = 0`,
      `epoll_ctl(${set}, EPOLL_CTL_DEL, ${server}, NULL) = 0`,
      ...[connection, client, set, server].map((fd) => `close(${fd}) = 0`),
    ]);
  });

  it("writes the life of a file", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "page"), "0123456789");
    symlinkSync("page", join(folder, "link"));
    const file = join(folder, "trace");
    const l = await tracing(file);
    const root = l.open(folder, l.O_PATH | l.O_DIRECTORY | l.O_CLOEXEC);
    l.openat(root, "link", l.O_RDONLY | l.O_NOFOLLOW);
    l.openat(l.AT_FDCWD, "/nowhere/x", l.O_WRONLY | l.O_CREAT, 0o600);
    const page = l.openat2(root, "page", { flags: l.O_RDONLY, resolve: l.RESOLVE_BENEATH });
    l.fstat(page, new l.Stat());
    l.pread(page, Buffer.alloc(8), 4, 2);
    l.read(page, Buffer.alloc(8), 3);
    l.lseek(page, -1, l.SEEK_END);
    l.fcntl(page, l.F_SETFD, l.FD_CLOEXEC);
    l.fcntl(page, l.F_GETFL);
    const pair = l.socketpair(l.AF_UNIX, l.SOCK_STREAM);
    l.sendfile(pair[0], page, 6, 100);
    l.writev(pair[0], [Buffer.from("head"), Buffer.from("body")]);
    l.ioctl(pair[1], l.FIONREAD, new Uint8Array(4));
    for (const fd of [...pair, page, root]) l.close(fd);
    expect(calls(readFileSync(file, "utf8")).slice(0, 14)).toEqual([
      `open("${folder}", O_RDONLY|O_DIRECTORY|O_CLOEXEC|O_PATH) = ${root}`,
      `openat(${root}, "link", O_RDONLY|O_NOFOLLOW) = -1 ELOOP (too many levels of symbolic links)`,
      `openat(AT_FDCWD, "/nowhere/x", O_WRONLY|O_CREAT, 0600) = -1 ENOENT (no such file or directory)`,
      `openat2(${root}, "page", {flags=O_RDONLY, mode=0, resolve=RESOLVE_BENEATH}, 24) = ${page}`,
      `fstat(${page}, {st_mode=S_IFREG|0644, st_size=10, ...}) = 0`,
      `pread(${page}, "2345", 4, 2) = 4`,
      `read(${page}, "012", 3) = 3`,
      `lseek(${page}, -1, SEEK_END) = 9`,
      `fcntl(${page}, F_SETFD, FD_CLOEXEC) = 0`,
      expect.stringMatching(new RegExp(`^fcntl\\(${page}, F_GETFL\\) = \\d+$`)),
      `socketpair(AF_UNIX, SOCK_STREAM, 0, [${pair.join(", ")}]) = 0`,
      `sendfile(${pair[0]}, ${page}, [6], 100) = 4`,
      `writev(${pair[0]}, [{iov_base="head", iov_len=4}, {iov_base="body", iov_len=4}], 2) = 8`,
      `ioctl(${pair[1]}, FIONREAD, [12]) = 0`,
    ]);
  });

  it("writes calls about processes", async () => {
    const file = join(temporaryFolder(), "trace");
    const l = await tracing(file);
    l.getpid();
    l.kill(2 ** 30, l.SIGTERM);
    l.waitpid(2 ** 30, l.WNOHANG);
    l.prctl(l.PR_SET_PDEATHSIG, 0);
    expect(calls(readFileSync(file, "utf8"))).toEqual([
      `getpid() = ${process.pid}`,
      "kill(1073741824, SIGTERM) = -1 ESRCH (no such process)",
      "waitpid(1073741824, ..., WNOHANG) = -1 ECHILD (no child processes)",
      "prctl(PR_SET_PDEATHSIG, 0) = 0",
    ]);
  });

  it("lets what a call throws through, and leaves out what the kernel was never asked", async () => {
    const file = join(temporaryFolder(), "trace");
    const l = await tracing(file);
    expect(() => l.close(-1)).toThrow("close of descriptor -1: bad file descriptor (EBADF)");
    expect(() => l.recv(0, new Uint8Array(1), 2)).toThrow(RangeError);
    expect(calls(readFileSync(file, "utf8"))).toEqual(["close(-1) = -1 EBADF (bad file descriptor)"]);
  });

  it("escapes bytes like strace and cuts them after 32", async () => {
    const file = join(temporaryFolder(), "trace");
    const l = await tracing(file);
    const cases: [Buffer, string][] = [
      [Buffer.from('a"b\\c\t\r\n\v\f'), '"a\\"b\\\\c\\t\\r\\n\\v\\f"'],
      [Buffer.from([0, 0x31, 0x37, 1, 0x39, 127, 200, 255, 0]), '"\\00017\\0019\\177\\310\\377\\0"'],
      [Buffer.from("x".repeat(32)), `"${"x".repeat(32)}"`],
      [Buffer.from("x".repeat(33)), `"${"x".repeat(32)}"...`],
    ];
    for (const [bytes] of cases) l.send(-1, bytes, bytes.length);
    expect(calls(readFileSync(file, "utf8"))).toEqual(
      cases.map(([bytes, text]) => `send(-1, ${text}, ${bytes.length}, 0) = -1 EBADF (bad file descriptor)`),
    );
  });

  it("counts the time from the start of the process", async () => {
    const file = join(temporaryFolder(), "trace");
    const l = await tracing(file);
    const before = performance.now();
    l.getpid();
    const after = performance.now();
    const [stamp, duration] = /^(\S+) .* <(\S+)>$/m.exec(readFileSync(file, "utf8"))!.slice(1).map(Number);
    expect(stamp).toBeGreaterThanOrEqual(before / 1000 - 1e-6);
    expect(stamp! + duration!).toBeLessThanOrEqual(after / 1000 + 2e-6);
  });

  it("writes to a descriptor whose number is given", async () => {
    const [reading, writing] = pipe2(0).map(closing) as [number, number];
    const l = await tracing(String(writing));
    l.getppid();
    const buffer = Buffer.alloc(256);
    expect(calls(buffer.toString("utf8", 0, read(reading, buffer, 256)))).toEqual([
      `getppid() = ${process.ppid}`,
    ]);
  });

  it("puts the process id in place of %p", async () => {
    const folder = temporaryFolder();
    const l = await tracing(join(folder, "trace.%p"));
    l.getpid();
    expect(calls(readFileSync(join(folder, `trace.${process.pid}`), "utf8"))).toHaveLength(1);
  });

  it("says at the start that it cannot be written", async () => {
    await expect(tracing("/nowhere/trace")).rejects.toThrow(
      "EXPSERVER_TRACE /nowhere/trace: no such file or directory (ENOENT)",
    );
    await expect(tracing("19999")).rejects.toThrow("EXPSERVER_TRACE 19999: bad file descriptor (EBADF)");
  });

  it("is complete when the process is killed in mid-work", () => {
    const file = join(temporaryFolder(), "trace");
    const killed = program(`
      import { getpid, getppid, kill, SIGKILL } from "./index.ts";
      getppid();
      kill(getpid(), SIGKILL);
    `);
    const run = spawnSync(process.execPath, [killed], { env: { ...process.env, EXPSERVER_TRACE: file } });
    expect(run.signal).toBe("SIGKILL");
    expect(calls(readFileSync(file, "utf8"))).toEqual([
      `getppid() = ${process.pid}`,
      `getpid() = ${run.pid}`,
    ]);
  });

  it("keeps the lines of several processes whole", async () => {
    const file = join(temporaryFolder(), "trace");
    const busy = program(`
      import { send } from "./index.ts";
      const bytes = new Uint8Array(100).fill(46);
      for (let index = 0; index < 500; index++) send(-1, bytes, 100);
    `);
    const env = { ...process.env, EXPSERVER_TRACE: file };
    const children = [1, 2].map(() => spawn(process.execPath, [busy], { env, stdio: "inherit" }));
    const ends = await Promise.all(children.map((child) => once(child, "exit")));
    expect(ends.map(([status]) => status)).toEqual([0, 0]);
    const expected = `send(-1, "${".".repeat(32)}"..., 100, 0) = -1 EBADF (bad file descriptor)`;
    const lines = calls(readFileSync(file, "utf8"));
    expect(lines).toHaveLength(1000);
    expect(new Set(lines)).toEqual(new Set([expected]));
  });
});
