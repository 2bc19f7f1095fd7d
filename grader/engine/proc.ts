import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";

/** What `/proc/<pid>/stat` says of a process (`man 5 proc`). Times are clock ticks of 1/100 s. */
export type ProcessStat = {
  pid: number;
  /** The program's name, at most 15 characters. */
  name: string;
  /** R running, S sleeping, D waiting for a disk, Z zombie, T stopped. */
  state: string;
  parent: number;
  processGroup: number;
  session: number;
  /** User and system time used so far. */
  cpuTicks: number;
  threads: number;
  /** Start after boot: together with the pid it names a process for ever. */
  startTicks: number;
  residentPages: number;
};

/** Clock ticks in a second, the same on every Linux that Node runs on (`USER_HZ`). */
export const ticksPerSecond = 100;
const pageSize = 4096;

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

const line = Buffer.alloc(4096);

/** A file of one short line: read in one call, as all processes of the machine are looked at many times a second. */
function readLine(path: string): string | undefined {
  try {
    const fd = openSync(path, "r");
    try {
      return line.toString("latin1", 0, readSync(fd, line, 0, line.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** The process's figures, or `undefined` when there is no such process (any more). */
export function readProcess(pid: number): ProcessStat | undefined {
  const text = readLine(`/proc/${pid}/stat`);
  if (text === undefined || text === "") return undefined;
  // The name stands in parentheses and may itself hold spaces and parentheses.
  const nameEnd = text.lastIndexOf(")");
  const fields = text.slice(nameEnd + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid,
    name: text.slice(text.indexOf("(") + 1, nameEnd),
    state: fields[0]!,
    parent: field(4),
    processGroup: field(5),
    session: field(6),
    cpuTicks: field(14) + field(15),
    threads: field(20),
    startTicks: field(22),
    residentPages: field(24),
  };
}

/** The numbers of all processes that this user can see, in ascending order. */
export function listPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((one, other) => one - other);
}

/** All processes that this user can see. */
export function listProcesses(): ProcessStat[] {
  return listPids()
    .map(readProcess)
    .filter((stat) => stat !== undefined);
}

/** The processes below the given ones, these and zombies included. */
export function familyOf(roots: number[], processes: ProcessStat[]): ProcessStat[] {
  const wanted = new Set(roots);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of processes) {
      if (wanted.has(parent) && !wanted.has(pid)) grown = Boolean(wanted.add(pid));
    }
  }
  return processes.filter(({ pid }) => wanted.has(pid));
}

/** A variable in the environment that the process was started with. */
export function environmentValue(pid: number, name: string): string | undefined {
  const assignment = readText(`/proc/${pid}/environ`)
    ?.split("\0")
    .find((each) => each.startsWith(`${name}=`));
  return assignment?.slice(name.length + 1);
}

/**
 * Bytes of memory that these processes hold resident, a page that several share counted once: each has
 * its part of it (`Pss` in `man 5 proc_pid_smaps`). Takes 0.1 ms and more for each process.
 */
export function proportionalBytes(processes: ProcessStat[]): number {
  return processes.reduce((sum, { pid, residentPages }) => {
    const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/smaps_rollup`) ?? "")?.[1];
    return sum + (kibibytes === undefined ? residentPages * pageSize : Number(kibibytes) * 1024);
  }, 0);
}

/** Bytes of memory that these processes hold resident; what they share counts for each of them. */
export function residentBytes(processes: ProcessStat[]): number {
  return processes.reduce((sum, { residentPages }) => sum + residentPages * pageSize, 0);
}

/** Nanoseconds that a process's threads were ready to run and had no processor (`/proc/<pid>/schedstat`). */
export function runQueueWait(pid: number): number {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/task`);
  } catch {
    return 0;
  }
  const waits = names.map((task) =>
    Number(readText(`/proc/${pid}/task/${task}/schedstat`)?.split(" ")[1] ?? 0),
  );
  return Math.max(0, ...waits);
}

/** A descriptor of a process and what it refers to: a path, `socket:[inode]`, `anon_inode:[eventpoll]`, … */
export type OpenDescriptor = { fd: number; target: string };

/** The process's open descriptors; empty when it is gone. */
export function openDescriptors(pid: number): OpenDescriptor[] {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      return [{ fd: Number(name), target: readlinkSync(`/proc/${pid}/fd/${name}`) }];
    } catch {
      return []; // closed between readdir and readlink
    }
  });
}

/**
 * The status flags of a descriptor, such as O_NONBLOCK, as `/proc/<pid>/fdinfo` shows them; `undefined` when it is
 * closed.
 */
export function descriptorFlags(pid: number, fd: number): number | undefined {
  const octal = /^flags:\s*([0-7]+)$/m.exec(readText(`/proc/${pid}/fdinfo/${fd}`) ?? "")?.[1];
  return octal === undefined ? undefined : Number.parseInt(octal, 8);
}

/** One entry of an epoll set: the watched descriptor and its event mask. */
export type EpollEntry = { fd: number; events: number };

/** The epoll sets of a process, as the `tfd:` lines of `/proc/<pid>/fdinfo` show them; a Node process has several. */
export function epollSets(pid: number): { epollFd: number; entries: EpollEntry[] }[] {
  return openDescriptors(pid)
    .filter(({ target }) => target === "anon_inode:[eventpoll]")
    .map(({ fd }) => ({
      epollFd: fd,
      entries: [
        ...(readText(`/proc/${pid}/fdinfo/${fd}`) ?? "").matchAll(/^tfd:\s*(\d+) events:\s*([0-9a-f]+)/gm),
      ].map(([, tfd, events]) => ({ fd: Number(tfd), events: Number.parseInt(events!, 16) })),
    }));
}

/** A TCP socket of this network namespace as `/proc/net/tcp` and `tcp6` list it. */
export type TcpSocket = {
  /** The local address in the kernel's byte order, as it stands there. */
  localHex: string;
  port: number;
  remotePort: number;
  listening: boolean;
  /** Bytes that have arrived and that the program has not read. */
  receiveQueue: number;
  inode: number;
};

/** All TCP sockets of this network namespace. */
export function tcpSockets(): TcpSocket[] {
  return ["/proc/self/net/tcp", "/proc/self/net/tcp6"].flatMap((path) =>
    (readText(path) ?? "")
      .split("\n")
      .slice(1)
      .filter((line) => line !== "")
      .map((line) => {
        const fields = line.trim().split(/\s+/);
        const [localHex = "", portHex = "0"] = fields[1]!.split(":");
        return {
          localHex,
          port: Number.parseInt(portHex, 16),
          remotePort: Number.parseInt(fields[2]!.split(":")[1]!, 16),
          listening: fields[3] === "0A",
          receiveQueue: Number.parseInt(fields[4]!.split(":")[1]!, 16),
          inode: Number(fields[9]),
        };
      }),
  );
}

/** The process that holds a socket, if this user may see it. */
export function ownerOfSocket(inode: number, processes = listProcesses()): ProcessStat | undefined {
  return processes.find(({ pid }) =>
    openDescriptors(pid).some(({ target }) => target === `socket:[${inode}]`),
  );
}
