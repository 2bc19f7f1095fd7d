import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import * as os from "node:os";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import * as linux from "./index.ts";
import {
  ECHILD,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EpollEvents,
  ESRCH,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  getpid,
  getppid,
  getrlimit,
  kill,
  O_CLOEXEC,
  PR_SET_CHILD_SUBREAPER,
  PR_SET_PDEATHSIG,
  pipe2,
  prctl,
  RLIM_INFINITY,
  RLIMIT_AS,
  RLIMIT_CORE,
  RLIMIT_NOFILE,
  SIGKILL,
  SIGTERM,
  setInterfaceUp,
  setrlimit,
  uname,
  uv_backend_fd,
  uv_backend_timeout,
  uv_update_time,
  WEXITSTATUS,
  WIFEXITED,
  WIFSIGNALED,
  WNOHANG,
  WTERMSIG,
  waitpid,
} from "./index.ts";
import { program } from "./test-programs.ts";
import { closed, closing } from "./test-sockets.ts";

describe("getpid and getppid", () => {
  it("agree with Node", () => {
    expect([getpid(), getppid()]).toEqual([process.pid, process.ppid]);
  });
});

describe("uname", () => {
  it("agrees with Node and the machine", () => {
    expect(uname()).toEqual({
      sysname: "Linux",
      nodename: os.hostname(),
      release: os.release(),
      version: os.version(),
      machine: os.machine(),
    });
  });
});

/**
 * Starts a shell command whose parent ends at once.
 * @param input what the command finds as descriptor 3
 */
function orphan(command: string, input: number | "ignore" = "ignore"): number {
  const script = `{ ${command}; } >/dev/null 2>&1 & echo $!`;
  return Number(
    execFileSync("sh", ["-c", script], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit", input] }),
  );
}

/** Runs a test as the process that adopts orphans. */
function asSubreaper(test: () => void): void {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  try {
    test();
  } finally {
    prctl(PR_SET_CHILD_SUBREAPER, 0);
  }
}

describe("prctl", () => {
  it("makes this process adopt orphans, and waitpid collects them", () => {
    asSubreaper(() => {
      const child = orphan("exec sleep 60");
      expect(readFileSync(`/proc/${child}/status`, "utf8")).toMatch(
        new RegExp(`^PPid:\\s${process.pid}$`, "m"),
      );
      expect(waitpid(child, WNOHANG)).toEqual({ pid: 0, status: 0 });
      expect(kill(child, SIGTERM)).toBe(0);
      const { pid, status } = waitpid(child, 0);
      expect([pid, WIFEXITED(status), WIFSIGNALED(status), WTERMSIG(status)]).toEqual([
        child,
        false,
        true,
        SIGTERM,
      ]);
      expect(waitpid(child, WNOHANG).pid).toBe(-ECHILD);
      expect(kill(child, 0)).toBe(-ESRCH);
    });
  });

  it("throws with the option's name or number", () => {
    expect(() => prctl(PR_SET_PDEATHSIG, 4711)).toThrow("prctl PR_SET_PDEATHSIG: invalid argument (EINVAL)");
    expect(() => prctl(4711)).toThrow("prctl 4711: invalid argument (EINVAL)");
  });
});

describe("waitpid", () => {
  it("tells the exit status", () => {
    asSubreaper(() => {
      // The child waits until its parent is gone, which might collect it otherwise.
      const [reading, writing] = pipe2(O_CLOEXEC).map(closing) as [number, number];
      const child = orphan("read line <&3; exit 7", reading);
      closed(writing);
      const { pid, status } = waitpid(child, 0);
      expect([pid, WIFEXITED(status), WEXITSTATUS(status), WIFSIGNALED(status)]).toEqual([
        child,
        true,
        7,
        false,
      ]);
    });
  });

  it("returns -ECHILD for a process that is no child", () => {
    expect(waitpid(process.ppid, WNOHANG)).toEqual({ pid: -ECHILD, status: 0 });
  });
});

describe("kill", () => {
  it("asks with signal 0 whether a process is there", () => {
    expect([kill(process.pid, 0), kill(2 ** 30, SIGKILL)]).toEqual([0, -ESRCH]);
  });

  it("uses the numbers that Node has", () => {
    const exported: Record<string, unknown> = linux;
    const names = Object.keys(os.constants.signals).filter((name) => name in exported);
    expect(names.length).toBeGreaterThanOrEqual(11);
    expect(names.map((name) => exported[name])).toEqual(
      names.map((name) => os.constants.signals[name as NodeJS.Signals]),
    );
  });
});

describe("getrlimit and setrlimit", () => {
  /** Both limits as the kernel shows them. */
  function shown(title: string): number[] {
    const line = new RegExp(`^${title}\\s+(\\w+)\\s+(\\w+)`, "m").exec(
      readFileSync("/proc/self/limits", "utf8"),
    )!;
    return line.slice(1).map((text) => (text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text)));
  }

  it.each([
    ["Max open files", RLIMIT_NOFILE],
    ["Max address space", RLIMIT_AS],
    ["Max core file size", RLIMIT_CORE],
  ])("read %s", (title, resource) => {
    const { rlim_cur, rlim_max } = getrlimit(resource);
    expect([rlim_cur, rlim_max]).toEqual(shown(title));
  });

  it("lower a limit and raise it again", () => {
    const before = getrlimit(RLIMIT_NOFILE);
    setrlimit(RLIMIT_NOFILE, { ...before, rlim_cur: before.rlim_cur - 1 });
    try {
      expect(shown("Max open files")).toEqual([before.rlim_cur - 1, before.rlim_max]);
    } finally {
      setrlimit(RLIMIT_NOFILE, before);
    }
  });

  it("throw what the kernel refuses, and refuse what is no limit", () => {
    expect(() => getrlimit(4711)).toThrow("getrlimit 4711: invalid argument (EINVAL)");
    expect(() => setrlimit(RLIMIT_NOFILE, { rlim_cur: 2, rlim_max: 1 })).toThrow(
      "setrlimit RLIMIT_NOFILE: invalid argument (EINVAL)",
    );
    for (const rlim_cur of [-1, 1.5, Number.NaN]) {
      expect(() => setrlimit(RLIMIT_NOFILE, { rlim_cur, rlim_max: RLIM_INFINITY })).toThrow(RangeError);
    }
  });
});

describe("uv_backend_fd", () => {
  it("wakes a loop of our own when Node has a signal to handle", async () => {
    const fd = uv_backend_fd();
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe("anon_inode:[eventpoll]");
    const set = closing(epoll_create1());
    epoll_ctl(set, EPOLL_CTL_ADD, fd, EPOLLIN);
    const handled = once(process, "SIGUSR2");
    await setImmediate(); // Node passes the new watcher to the kernel when its loop turns
    process.kill(process.pid, "SIGUSR2");
    expect(epoll_wait(set, new EpollEvents(1), 1, 2000)).toBe(1);
    await handled;
  });
});

describe("uv_backend_timeout", () => {
  it("tells when Node's next timer is due, by a clock that is brought up to date", async () => {
    const { port1, port2 } = new MessageChannel();
    const timer = setTimeout(() => {}, 60_000);
    // Asked in a message's callback: there nothing else waits to run.
    const [before, after] = await new Promise<[number, number]>((resolve) => {
      port1.on("message", () => {
        uv_update_time();
        const untilTimer = uv_backend_timeout();
        const begin = performance.now();
        while (performance.now() - begin < 5);
        uv_update_time();
        resolve([untilTimer, uv_backend_timeout()]);
      });
      port2.postMessage(null);
    });
    port1.close();
    clearTimeout(timer);
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThanOrEqual(60_000);
    expect(after).toBeLessThan(before);
  });
});

describe("setInterfaceUp", () => {
  it("names an interface that does not exist, and leaves nothing open", () => {
    const before = readdirSync("/proc/self/fd").length;
    expect(() => setInterfaceUp("nosuch0")).toThrow("ioctl of interface nosuch0: no such device (ENODEV)");
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });

  it.each(["", "sixteen-bytes-xx", "lo\0"])("refuses the name %j", (name) => {
    expect(() => setInterfaceUp(name)).toThrow(`${JSON.stringify(name)} is not an interface's name`);
  });

  it("switches lo on in a new network namespace, so that 127.0.0.1 can be reached", (context) => {
    const refused = spawnSync("unshare", ["-rn", "true"], { encoding: "utf8" });
    if (refused.status !== 0)
      context.skip(`no private network here: ${refused.stderr?.trim() || refused.error}`);
    const file = program(`
      import { AF_INET, bind, connect, errnoName, getsockname, listen, setInterfaceUp, SOCK_STREAM, socket } from "./index.ts";
      const server = socket(AF_INET, SOCK_STREAM);
      bind(server, { host: "0.0.0.0", port: 0 });
      listen(server, 1);
      const address = { host: "127.0.0.1", port: getsockname(server).port };
      const before = connect(socket(AF_INET, SOCK_STREAM), address);
      setInterfaceUp("lo");
      console.log(errnoName(before), connect(socket(AF_INET, SOCK_STREAM), address));
    `);
    const run = spawnSync("unshare", ["-rn", process.execPath, file], { encoding: "utf8" });
    expect([run.stderr, run.stdout]).toEqual(["", "ENETUNREACH 0\n"]);
  });
});
