import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, copyFileSync, openSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  close,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  epoll_create1,
  epoll_ctl,
  pipe2,
} from "../../linux/index.ts";
import { Deadline } from "./machine.ts";
import {
  environmentValue,
  epollSets,
  familyOf,
  listProcesses,
  openDescriptors,
  ownerOfSocket,
  type ProcessStat,
  readProcess,
  residentBytes,
  runQueueWait,
  tcpSockets,
} from "./proc.ts";
import { temporaryFolder } from "./testing.ts";

/** A process that goes when the test is over. It says a line when it is ready. */
async function running(file: string, args: string[], env: NodeJS.ProcessEnv = process.env) {
  const child: ChildProcess = spawn(file, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = await once(child.stdout!, "data");
  return { child, pid: child.pid!, line: String(line).trim() };
}

const until = <T>(condition: () => T | undefined | false) =>
  new Deadline(5000, 1, () => 0).until(condition, { pollMs: 2 });

describe("a process", () => {
  test("is read with its parent, group and session", async () => {
    const { pid } = await running("sh", ["-c", "echo ready; read line"]);
    const mine = readProcess(process.pid)!;
    expect(readProcess(pid)).toMatchObject({
      pid,
      name: "sh",
      parent: process.pid,
      processGroup: mine.processGroup,
      session: mine.session,
      threads: 1,
    });
    expect(await until(() => readProcess(pid)?.state === "S")).toBe(true);
  });

  test("may have parentheses and spaces in its name", async () => {
    // The kernel keeps 15 characters of the file's name; these look like the fields behind it.
    const file = join(temporaryFolder(), "a) R 1 (b) S 2 ");
    copyFileSync("/bin/sh", file);
    chmodSync(file, 0o755);
    const { pid } = await running(file, ["-c", "echo ready; read line"]);
    expect(readProcess(pid)).toMatchObject({ name: "a) R 1 (b) S 2 ", parent: process.pid });
  });

  test("that is not there is undefined", () => {
    // Beyond the largest number that the kernel gives.
    expect(readProcess(2 ** 22 + 1)).toBeUndefined();
  });

  test("has a start that later processes of the same number do not have", async () => {
    const first = await running("sh", ["-c", "echo ready; read line"]);
    const before = readProcess(first.pid)!.startTicks;
    expect(readProcess(first.pid)!.startTicks).toBe(before);
    const ticksNow = Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 100;
    expect(Math.abs(ticksNow - before)).toBeLessThan(60 * 100);
  });

  test("uses processor time only when it computes", async () => {
    const idle = await running("sh", ["-c", "echo ready; read line"]);
    const busy = await running("sh", ["-c", "echo ready; while :; do :; done"]);
    expect(await until(() => readProcess(busy.pid)!.cpuTicks >= 10)).toBe(true);
    expect(readProcess(idle.pid)!.cpuTicks).toBeLessThan(3);
  });

  test("holds memory that is counted in bytes", async () => {
    const script =
      "const held = Buffer.alloc(100 * 1024 * 1024, 1); console.log(held.length); setInterval(() => {}, 1000)";
    const { pid } = await running(process.execPath, ["-e", script]);
    const used = residentBytes([readProcess(pid)!]);
    expect(used).toBeGreaterThan(100 * 1024 * 1024);
    expect(used).toBeLessThan(300 * 1024 * 1024);
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
    expect(Math.abs(used / 1024 - Number(line[1]))).toBeLessThan(8 * 1024);
  });

  test("tells the environment it was started with, and exact names only", async () => {
    const { pid } = await running("sh", ["-c", "echo ready; read line"], {
      PATH: process.env.PATH,
      GRADED: "a=b",
      NOT_GRADED: "no",
      EMPTY: "",
    });
    expect(environmentValue(pid, "GRADED")).toBe("a=b");
    expect(environmentValue(pid, "EMPTY")).toBe("");
    expect(environmentValue(pid, "GRADE")).toBeUndefined();
    expect(environmentValue(2 ** 22 + 1, "GRADED")).toBeUndefined();
  });

  test("waits in the run queue when others compute on its processor", async () => {
    const spin = ["-c", "echo ready; while :; do :; done"];
    const pinned = ["taskset", "-c", "0", "sh", ...spin];
    if (!(await hasTaskset())) return void expect(runQueueWait(process.pid)).toBeGreaterThanOrEqual(0);
    const rivals = [await running(pinned[0]!, pinned.slice(1)), await running(pinned[0]!, pinned.slice(1))];
    const [before] = rivals.map(({ pid }) => runQueueWait(pid));
    expect(await until(() => runQueueWait(rivals[0]!.pid) > before! + 50e6)).toBe(true);
    expect(runQueueWait(2 ** 22 + 1)).toBe(0);
  });
});

async function hasTaskset(): Promise<boolean> {
  const child = spawn("taskset", ["-V"], { stdio: "ignore" });
  return new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
}

describe("descendants", () => {
  const process_ = (pid: number, parent: number, state = "S"): ProcessStat => ({
    pid,
    parent,
    state,
    name: "x",
    processGroup: 1,
    session: 1,
    cpuTicks: 0,
    threads: 1,
    startTicks: 0,
    residentPages: 0,
  });

  test("are found at any depth, in any order of the list, zombies too", () => {
    const processes = [
      process_(50, 40),
      process_(40, 30, "Z"),
      process_(30, 10),
      process_(10, 1),
      process_(60, 1),
    ];
    const pids = familyOf([10], processes).map(({ pid }) => pid);
    expect(pids.sort()).toEqual([10, 30, 40, 50]);
    expect(familyOf([], processes)).toEqual([]);
  });

  test("of this process include its child's child", async () => {
    const { pid } = await running("sh", ["-c", "sh -c 'echo ready; read line'; true"]);
    const below = familyOf([pid], listProcesses());
    expect(below).toHaveLength(2);
    expect(below.find((each) => each.pid !== pid)?.parent).toBe(pid);
    expect(listProcesses().some(({ pid: each }) => each === pid)).toBe(true);
  });
});

describe("descriptors", () => {
  test("are listed with what they refer to, and are gone when they are closed", () => {
    const targets = () => openDescriptors(process.pid).filter(({ target }) => target === "/proc/version");
    const fd = openSync("/proc/version", "r");
    expect(targets()).toEqual([{ fd, target: "/proc/version" }]);
    closeSync(fd);
    expect(targets()).toEqual([]);
    expect(openDescriptors(2 ** 22 + 1)).toEqual([]);
  });

  test("of an epoll set are shown with their event masks", () => {
    const [readEnd, writeEnd] = pipe2(0);
    const epollFd = epoll_create1(0);
    onTestFinished(() => {
      for (const fd of [epollFd, readEnd, writeEnd]) close(fd);
    });
    const entries = () => epollSets(process.pid).find((set) => set.epollFd === epollFd)!.entries;
    expect(entries()).toEqual([]);
    epoll_ctl(epollFd, EPOLL_CTL_ADD, readEnd, EPOLLIN | EPOLLRDHUP);
    epoll_ctl(epollFd, EPOLL_CTL_ADD, writeEnd, EPOLLOUT);
    // The kernel itself adds EPOLLERR (8) and EPOLLHUP (16), which cannot be switched off.
    const masks = new Map(entries().map(({ fd, events }) => [fd, events & ~(8 | 16)]));
    expect(masks).toEqual(
      new Map([
        [readEnd, EPOLLIN | EPOLLRDHUP],
        [writeEnd, EPOLLOUT],
      ]),
    );
    expect(epollSets(process.pid).length).toBeGreaterThanOrEqual(2); // and Node's own
  });
});

describe("TCP sockets", () => {
  test("are listed with their ports, state and unread bytes", async () => {
    const { child, line } = await running(process.execPath, [
      "-e",
      `const server = require("net").createServer({ pauseOnConnect: true }, (s) => s.pause());
       server.listen(0, "127.0.0.1", () => console.log(server.address().port));`,
    ]);
    const port = Number(line);
    const client = connect(port, "127.0.0.1");
    onTestFinished(() => void client.destroy());
    await once(client, "connect");
    client.write(Buffer.alloc(1234));
    const listening = tcpSockets().find((socket) => socket.listening && socket.port === port)!;
    expect(listening.localHex).toBe("0100007F");
    expect(ownerOfSocket(listening.inode)?.pid).toBe(child.pid);
    const unread = await until(() => {
      const theirs = tcpSockets().find(
        (socket) => socket.port === port && socket.remotePort === client.localPort,
      );
      return theirs?.receiveQueue === 1234 && !theirs.listening;
    });
    expect(unread).toBe(true);
  });

  test("of IPv6 are among them", async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    await once(server.listen(0, "::1"), "listening");
    const { port } = server.address() as { port: number };
    const socket = tcpSockets().find((each) => each.listening && each.port === port);
    expect(socket?.localHex).toHaveLength(32);
    expect(ownerOfSocket(socket!.inode)?.pid).toBe(process.pid);
    expect(ownerOfSocket(0)).toBeUndefined();
  });
});
