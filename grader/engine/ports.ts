import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { AF_INET, bind, close, INADDR_ANY, SOCK_CLOEXEC, SOCK_STREAM, socket } from "../../linux/index.ts";
import { listenersOn, listeningSockets } from "./listeners.ts";
import { ownerOfSocket } from "./proc.ts";
import { describeProcess } from "./program-tree.ts";
import type { Random } from "./random.ts";

const lowestPort = 10_000;

/** A port that no other grader takes until it is released. */
export type ReservedPort = { port: number; release(): void };

/** The first port that the kernel may give to any outgoing connection; below it a port stays free. */
function firstEphemeralPort(): number {
  const text = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "latin1");
  return Number(text.trim().split(/\s+/)[0]);
}

/**
 * Takes the lock on a port: a bound name in the abstract socket namespace. It belongs to the network
 * namespace as ports do, and the kernel frees it when its holder ends, however it ends.
 */
async function lockPort(port: number): Promise<Server | undefined> {
  const lock = createServer();
  const locked = await new Promise<boolean>((resolve) => {
    lock.once("error", () => resolve(false));
    lock.listen(`\0expserver-course/port/${port}`, () => resolve(true));
  });
  lock.unref();
  return locked ? lock : undefined;
}

/**
 * Whether any program can bind the port. Somebody may not listen on it and hold it all the same: a
 * connection in TIME_WAIT does for a minute, when its server did not set SO_REUSEADDR, and then even one
 * that sets it is refused. Without the option, bind says so.
 */
function canBind(port: number): boolean {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
  try {
    bind(fd, { host: INADDR_ANY, port });
    return true;
  } catch {
    return false;
  } finally {
    close(fd);
  }
}

/**
 * Reserves a free TCP port below the ephemeral range. Ports are tried in the seed's order.
 * @throws Error when every port is taken
 */
export async function reservePort(random: Random): Promise<ReservedPort> {
  const highest = Math.max(lowestPort + 1000, firstEphemeralPort()) - 1;
  const used = new Set(listeningSockets().map(({ port }) => port));
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = random.integer(lowestPort, highest);
    if (used.has(port)) continue;
    const lock = await lockPort(port);
    if (lock === undefined) continue;
    if (canBind(port)) return { port, release: () => void lock.close() };
    lock.close();
  }
  throw new Error(`No free TCP port between ${lowestPort} and ${highest} in 1,000 attempts.`);
}

/** Who listens on a port, for a message: `port 8080 is taken by node (process 4242)`; `undefined` when it is free. */
export function whoHolds(port: number): string | undefined {
  const [socket] = listenersOn(port);
  if (socket === undefined) return undefined;
  const owner = ownerOfSocket(socket.inode);
  return `port ${port} is taken by ${owner === undefined ? "a process of another user" : describeProcess(owner)}`;
}
