import {
  AF_INET,
  accept4,
  bind,
  close,
  connect,
  INADDR_LOOPBACK,
  listen,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  setsockopt,
  socket,
} from "../../linux/index.ts";
import { CheckFailure, describeMs } from "./evidence.ts";
import type { Deadline } from "./machine.ts";
import { tcpSockets } from "./proc.ts";
import { RawPeer } from "./raw-peer.ts";
import type { Transcript } from "./transcript.ts";

/** Connections that may wait in the queue; the kernel lets in one more (`man 2 listen`). */
const backlog = 1;

/**
 * A server of the check's made of system calls: it accepts a connection when it is told to, and reads only then. With its
 * queue full it is a server that does not answer: the kernel drops what asks for a connection, and the other
 * side asks again, first after a second.
 */
export class RawListener {
  readonly port: number;
  readonly #fd: number;
  readonly #options: { transcript: Transcript; deadline: (ms: number) => Deadline };
  /** Connections of our own that fill the queue. */
  #fillers: number[] = [];
  readonly #accepted: RawPeer[] = [];
  #closed = false;

  private constructor(
    fd: number,
    port: number,
    options: { transcript: Transcript; deadline: (ms: number) => Deadline },
  ) {
    this.#fd = fd;
    this.port = port;
    this.#options = options;
  }

  /** Listens on a port of 127.0.0.1. */
  static listen(
    port: number,
    options: { transcript: Transcript; deadline: (ms: number) => Deadline },
  ): RawListener {
    const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    try {
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      bind(fd, { host: INADDR_LOOPBACK, port });
      listen(fd, backlog);
    } catch (error) {
      close(fd);
      throw error;
    }
    options.transcript.step(`the check listens on ${INADDR_LOOPBACK}:${port}`);
    return new RawListener(fd, port, options);
  }

  /**
   * Fills the queue, so that nobody else gets a connection.
   * @returns whether that is so: another kernel may let in more than it was told
   */
  async fill(): Promise<boolean> {
    while (this.#fillers.length <= backlog) this.#fillers.push(this.#beginConnecting());
    const queued = () =>
      tcpSockets().some(
        ({ listening, port, receiveQueue }) => listening && port === this.port && receiveQueue > backlog,
      );
    const full = await this.#options.deadline(2000).until(queued, { pollMs: 5 });
    if (full)
      this.#options.transcript.step("the check filled the queue of connections that it does not accept");
    return full ?? false;
  }

  /** How many others are asking for a connection and have got no answer. */
  waiting(): number {
    // Without an inode: connections of the past, in TIME_WAIT.
    const asking = tcpSockets().filter(({ remotePort, inode }) => remotePort === this.port && inode !== 0);
    return asking.length - this.#fillers.length;
  }

  /** Makes room in the queue again. */
  admit(): void {
    this.#options.transcript.step("the check made room in the queue");
    for (const filler of this.#fillers) {
      const fd = accept4(this.#fd, null, SOCK_CLOEXEC);
      if (fd >= 0) close(fd);
      close(filler);
    }
    this.#fillers = [];
  }

  /**
   * Takes the next connection of the queue.
   * @throws CheckFailure when none comes in time
   */
  async accept(withinMs = 5000): Promise<RawPeer> {
    const deadline = this.#options.deadline(withinMs);
    const fd = await deadline.until(
      () => {
        const result = accept4(this.#fd, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
        return result >= 0 && result;
      },
      { pollMs: 1 },
    );
    if (fd === undefined) {
      throw new CheckFailure({
        summary: `the program did not connect to ${INADDR_LOOPBACK}:${this.port}`,
        expected: `a connection within ${describeMs(deadline.limitMs)}`,
        observed: "none",
      });
    }
    const name = `connection ${this.#accepted.length + 1} from the program`;
    this.#options.transcript.step(`the program connected (connection ${this.#accepted.length + 1})`);
    const peer = RawPeer.adopt(fd, { ...this.#options, name });
    this.#accepted.push(peer);
    return peer;
  }

  /** The connections that were accepted. */
  get accepted(): readonly RawPeer[] {
    return this.#accepted;
  }

  /** Ends everything. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const fd of [...this.#fillers, this.#fd]) close(fd);
    for (const peer of this.#accepted) peer.close();
  }

  #beginConnecting(): number {
    const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    connect(fd, { host: INADDR_LOOPBACK, port: this.port });
    return fd;
  }
}
