/** What the probes of stage 8 set up: a loop that turns, and upstreams of all kinds. */
import { readdirSync } from "node:fs";
import { Loop } from "workspace:core/loop";
import type { TcpConnection } from "workspace:network/tcp";
import type { UpstreamError } from "workspace:network/upstream";
import {
  AF_INET,
  bind,
  connect,
  EALREADY,
  getsockname,
  INADDR_LOOPBACK,
  listen,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  type SocketAddress,
  socket,
} from "expserver-course/linux";
import { assert } from "../../engine/evidence.ts";

/** Much longer than anything takes here: whoever gets so far has forgotten to tell. */
const patienceMs = 10_000;
/** A time limit for an address that does not answer. */
export const timeoutMs = 80;

const nextMoment = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Waits until something holds, while the loop turns. Returns whether it does. */
export async function until(holds: () => boolean): Promise<boolean> {
  const end = performance.now() + patienceMs;
  for (;;) {
    if (holds()) return true;
    if (performance.now() > end) return false;
    await nextMoment();
  }
}

/** Has a loop turn while a part of a probe runs. */
export async function onLoop(act: (loop: Loop) => Promise<void>): Promise<void> {
  const loop = new Loop();
  const running = loop.run();
  try {
    await act(loop);
  } finally {
    loop.stop();
    loop.timers.set(0, () => {}); // wakes it up, so that it sees that it is to stop
    await running;
    loop.close();
  }
}

export function countDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** A socket that listens on an address. */
export function listenOnly(address: SocketAddress, backlog = 16): number {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  bind(fd, address);
  listen(fd, backlog);
  return fd;
}

/** What is on an address of this machine. */
export type Address = "listens" | "refuses" | "silent";

/** An upstream with a queue that is full, so that a connect gets no answer. Returns what to close. */
async function listenSilently(address: SocketAddress): Promise<number[]> {
  const fds = [listenOnly(address, 1)];
  // Until one gets no answer: kernels count the queue in different ways.
  for (let isFull = false; !isFull; ) {
    const filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    connect(filler, address);
    fds.push(filler);
    await new Promise((resolve) => setTimeout(resolve, 10));
    isFull = connect(filler, address) === -EALREADY;
  }
  return fds;
}

/** Prepares 127.0.0.2, 127.0.0.3, … on one port that is free on all of them. */
export async function arrange(kinds: Address[]): Promise<{
  port: number;
  hosts: string[];
  /** The sockets of those that listen. */
  listeners: (number | undefined)[];
  /** What is to be closed. */
  fds: number[];
}> {
  const hosts = kinds.map((_, index) => `127.0.0.${index + 2}`);
  const chosen = listenOnly({ host: INADDR_LOOPBACK, port: 0 });
  const { port } = getsockname(chosen);
  const fds = [chosen];
  const listeners: (number | undefined)[] = [];
  for (const [index, kind] of kinds.entries()) {
    const address = { host: hosts[index]!, port };
    if (kind === "silent") fds.push(...(await listenSilently(address)));
    if (kind === "listens") {
      listeners[index] = listenOnly(address);
      fds.push(listeners[index]);
    }
  }
  return { port, hosts, listeners, fds };
}

/** What an attempt told, in order. */
export class Told {
  readonly connections: TcpConnection[] = [];
  readonly errors: UpstreamError[] = [];

  get times(): number {
    return this.connections.length + this.errors.length;
  }

  onConnect(connection: TcpConnection): void {
    this.connections.push(connection);
  }

  onError(error: UpstreamError): void {
    this.errors.push(error);
  }

  /** For texts. */
  describe(): string {
    const all = [
      ...this.connections.map(({ peer }) => `onConnect, connected to ${peer.host}`),
      ...this.errors.map(({ code, message }) => `onError with the code ${code} (${message})`),
    ];
    return all.length === 0 ? "nothing was told" : all.join("\n");
  }
}

/** Lets what is on its way arrive: some turns of the loop. */
export async function letPass(loop: Loop): Promise<void> {
  let isOver = false;
  loop.timers.set(50, () => {
    isOver = true;
  });
  await until(() => isOver);
}

/** Fails when descriptors or timers are left. */
export async function expectNothingLeft(loop: Loop, before: number, situation: string): Promise<void> {
  const gone = await until(() => countDescriptors() <= before);
  assert(gone, {
    summary: `a socket stays open ${situation}`,
    expected: "that each socket of the attempt is closed",
    observed: `${countDescriptors() - before} more open descriptors than before`,
  });
  assert(loop.timers.untilNext() === -1, {
    summary: `a timer stays set ${situation}`,
    expected: "timers.untilNext() === -1: nothing more to come",
    observed: `the next timer is due in ${Math.round(loop.timers.untilNext())} ms`,
  });
}
