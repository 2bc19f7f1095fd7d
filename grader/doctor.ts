import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allStages } from "../stages/stage.ts";
import { type Finding, finding, judgeFacts, machineFacts } from "./machine-facts.ts";

export type { Finding } from "./machine-facts.ts";

/** koffi loads and one real system call gives the right answer. */
async function tryKoffi(): Promise<Finding> {
  const judge = (ok: boolean, detail: string) =>
    finding(
      "koffi",
      "system calls from Node",
      true,
      ok,
      detail,
      "koffi's prebuilt binary is missing or does not fit: install again without --omit=optional (npm install), on glibc or musl of x64 or arm64.",
    );
  try {
    const koffi = await import("koffi");
    const getpid = koffi.default.load(null).func("int getpid()");
    const pid = getpid() as number;
    return judge(pid === process.pid, `koffi ${koffi.default.version}, getpid() = ${pid}`);
  } catch (error) {
    return judge(false, firstLine(error));
  }
}

function firstLine(error: unknown): string {
  return String((error as Error).message ?? error).split("\n")[0]!;
}

/** The grader observes programs through `/proc`: descriptors, epoll sets, sockets. */
function tryProc(): Finding {
  const judge = (ok: boolean, detail: string) =>
    finding(
      "proc",
      "/proc shows processes and sockets",
      true,
      ok,
      detail,
      "Use a Linux where /proc is mounted and complete; sandboxes such as gVisor leave parts out.",
    );
  try {
    readFileSync("/proc/self/net/tcp");
    readFileSync("/proc/self/stat");
    const epoll = readdirSync("/proc/self/fd").find((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === "anon_inode:[eventpoll]";
      } catch {
        return false; // the descriptor of readdir itself
      }
    });
    // Node itself waits with epoll, so one set must be visible, with its members.
    const shown = epoll !== undefined && /^tfd:/m.test(readFileSync(`/proc/self/fdinfo/${epoll}`, "latin1"));
    return judge(
      shown,
      shown ? "descriptors, epoll sets and sockets are visible" : "epoll sets are not visible in fdinfo",
    );
  } catch (error) {
    return judge(false, firstLine(error));
  }
}

/** Tries to listen; the reason why not, or `undefined`. */
function listenProblem(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

async function tryLoopback(): Promise<Finding> {
  const problems = await Promise.all(["127.0.0.1", "127.0.0.2"].map((host) => listenProblem(0, host)));
  const problem = problems.find((each) => each !== undefined);
  const remedy = "Bring the loopback interface up: sudo ip link set lo up";
  const title = "ports of this machine's own network";
  return finding(
    "loopback",
    title,
    true,
    problem === undefined,
    problem ?? "127.0.0.1 and 127.0.0.2 can be listened on",
    remedy,
  );
}

/** The ports that the programs use when none is named. The grader takes others. */
async function tryDefaultPorts(): Promise<Finding> {
  const ports = [...new Set(allStages().flatMap(({ program }) => program.ports))].sort(
    (one, other) => one - other,
  );
  const problems = await Promise.all(ports.map((port) => listenProblem(port, "0.0.0.0")));
  const taken = ports.filter((_, index) => problems[index] !== undefined);
  return finding(
    "default-ports",
    "the programs' usual ports are free",
    false,
    taken.length === 0,
    taken.length === 0 ? ports.join(", ") : `taken: ${taken.join(", ")}`,
    `Grading works all the same. When you try a program by hand, name another port; who has it: ss -ltnp 'sport = :${taken[0]}'`,
  );
}

/** Programs that talk to a person are graded in a terminal made for them. */
async function tryTerminal(): Promise<Finding> {
  const judge = (ok: boolean, detail: string) =>
    finding(
      "terminal",
      "terminals can be made",
      true,
      ok,
      detail,
      "Mount a devpts file system at /dev/pts, or install again without --omit=optional (npm install).",
    );
  try {
    const { spawn } = await import("@lydell/node-pty");
    const terminal = spawn("/bin/sh", ["-c", "test -t 1 && printf yes"], { cols: 80, rows: 24 });
    const output = await new Promise<string>((resolve) => {
      let text = "";
      terminal.onData((data) => {
        text += data;
        if (text.includes("yes")) resolve(text);
      });
      // What was printed can arrive after the end is known.
      terminal.onExit(() => setTimeout(() => resolve(text), 200));
    });
    return judge(
      output.includes("yes"),
      output.includes("yes") ? "a program in it sees a terminal" : "a program in it sees none",
    );
  } catch (error) {
    return judge(false, firstLine(error));
  }
}

function tryTemporaryFolder(): Finding {
  const remedy = "Make it writable, or name another one: export TMPDIR=<folder>";
  const title = "temporary files";
  try {
    const folder = mkdtempSync(join(tmpdir(), "expserver-doctor-"));
    writeFileSync(join(folder, "probe"), "x");
    rmSync(folder, { recursive: true });
    return finding("temporary-files", title, true, true, tmpdir(), remedy);
  } catch (error) {
    return finding("temporary-files", title, true, false, firstLine(error), remedy);
  }
}

/** Programs that lessons and some checks use, and the package that has them on Debian and Ubuntu. */
const tools = [
  { name: "git", flag: "--version", use: "history and diff", from: "git" },
  { name: "curl", flag: "--version", use: "HTTP by hand, and a check of stage 4", from: "curl" },
  { name: "nc", flag: "-h", use: "TCP by hand", from: "netcat-openbsd" },
  { name: "strace", flag: "--version", use: "experiments of the lessons", from: "strace" },
  { name: "gcc", flag: "--version", use: "programs in C, if you write yours in C", from: "gcc" },
];

function tryTool({ name, flag, use, from }: (typeof tools)[number]): Finding {
  const { error, stdout, stderr } = spawnSync(name, [flag], { encoding: "utf8", timeout: 5000 });
  // curl lists all its libraries in that line.
  const version = `${stdout ?? ""}${stderr ?? ""}`.split("\n")[0]!.split(" (")[0]!.trim();
  const detail = error === undefined ? version || "present" : `missing; for ${use}`;
  return finding(
    name,
    name,
    false,
    error === undefined,
    detail,
    `Install it, on Debian and Ubuntu with: sudo apt install ${from}`,
  );
}

/** Looks at everything on this machine that the course builds on. Takes about a second and changes nothing. */
export async function examineMachine(): Promise<Finding[]> {
  const facts = judgeFacts(machineFacts());
  // On another system nothing below could work, and some of it could not even be loaded.
  if (facts.some(({ id, ok }) => (id === "system" || id === "processor") && !ok)) return facts;
  return [
    ...facts,
    await tryKoffi(),
    tryProc(),
    await tryLoopback(),
    await tryTerminal(),
    tryTemporaryFolder(),
    await tryDefaultPorts(),
    ...tools.map(tryTool),
  ];
}
