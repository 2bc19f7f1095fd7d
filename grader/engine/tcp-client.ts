import { createConnection, type Socket } from "node:net";
import {
  CheckFailure,
  count,
  describeBytes,
  describeMs,
  firstDifference,
  renderDifference,
} from "./evidence.ts";
import type { Deadline } from "./machine.ts";
import { unreadBytes } from "./receive-queue.ts";
import type { Transcript } from "./transcript.ts";

const usualMs = 5000;

/** Bytes that a peer holds unread at most: a program that floods it meets a full receive window. */
const unreadLimit = 64 * 1024 * 1024;

export type TcpPeerOptions = {
  /** Who it is in texts: `client 1`, `the upstream's connection 2`. */
  name: string;
  transcript: Transcript;
  deadline: (ms: number) => Deadline;
};

/**
 * One end of a TCP connection, held by a check: sends exact bytes, compares what comes back, and
 * tells what it saw. Used for clients of the learner's server and for connections that the learner's
 * program opened to a server of the check.
 */
export class TcpPeer {
  readonly name: string;
  /** Bytes that came and that no check has taken yet; never an empty piece. */
  #received: Buffer[] = [];
  #unreadLength = 0;
  /** The check itself stopped reading. */
  #paused = false;
  /** All bytes that ever came. */
  total = 0;
  /** The other side has ended sending (FIN). */
  ended = false;
  /** Why the connection broke, such as ECONNRESET. */
  broken: string | undefined;
  readonly #socket: Socket;
  readonly #options: TcpPeerOptions;
  readonly #onChange = new Set<() => void>();

  constructor(socket: Socket, options: TcpPeerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.name = options.name;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => {
      this.#received.push(bytes);
      this.#unreadLength += bytes.length;
      this.total += bytes.length;
      if (this.#unreadLength > unreadLimit) socket.pause();
      options.transcript.bytes(this.name, "←", bytes);
      this.#changed();
    });
    socket.on("end", () => {
      this.ended = true;
      options.transcript.step(`${this.name} met the end of the stream`);
      this.#changed();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.broken ??= error.code ?? error.message;
      options.transcript.step(`${this.name}: the connection broke (${this.broken})`);
      this.#changed();
    });
    socket.on("connect", () => this.#changed());
    socket.on("close", () => this.#changed());
  }

  #changed(): void {
    for (const callback of [...this.#onChange]) callback();
  }

  /** Registers for news: bytes, the end, a break. */
  readonly wakeUp = (callback: () => void): (() => void) => {
    this.#onChange.add(callback);
    return () => this.#onChange.delete(callback);
  };

  /**
   * Waits until the program has read all that was sent to it: its socket's receive queue is empty.
   * @returns whether that came about in time
   */
  async wasRead(withinMs = usualMs): Promise<boolean> {
    await this.drained(withinMs);
    const { localAddress = "", localPort = 0, remoteAddress = "", remotePort = 0 } = this.#socket;
    const own = { host: localAddress, port: localPort };
    const theirs = { host: remoteAddress, port: remotePort };
    const empty = () => (unreadBytes(theirs, own) ?? 0) === 0;
    return (await this.#options.deadline(withinMs).until(empty, { pollMs: 5 })) ?? false;
  }

  /** Whether nothing more can come. */
  get over(): boolean {
    return this.ended || this.broken !== undefined || this.#socket.destroyed;
  }

  /** Bytes that came and were not taken. */
  unread(): Buffer {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)];
    return this.#received[0] ?? Buffer.alloc(0);
  }

  #take(length: number): Buffer {
    const all = this.unread();
    this.#received = length < all.length ? [all.subarray(length)] : [];
    this.#taken(length);
    return all.subarray(0, length);
  }

  #taken(length: number): void {
    this.#unreadLength -= length;
    if (this.#unreadLength <= unreadLimit && !this.#paused) this.#socket.resume();
  }

  /** Sends bytes in one `send`, as far as the kernel takes them at once. */
  send(bytes: string | Uint8Array): void {
    const buffer = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    this.#options.transcript.step(`${this.name} sent ${describeBytes(buffer)}`);
    this.#options.transcript.bytes(this.name, "→", buffer);
    this.#socket.write(buffer);
  }

  /** Resolves when everything sent so far, an end included, is in the kernel's hands, or the connection is over. */
  async drained(withinMs = usualMs): Promise<boolean> {
    const deadline = this.#options.deadline(withinMs);
    const { writableEnded } = this.#socket;
    const empty = () =>
      this.#socket.destroyed ||
      (writableEnded ? this.#socket.writableFinished : this.#socket.writableLength === 0);
    return (await deadline.until(empty, { wakeUp: this.wakeUp, pollMs: 5 })) ?? false;
  }

  /** Ends sending; receiving goes on (FIN, `man 2 shutdown` with SHUT_WR). */
  end(): void {
    this.#options.transcript.step(`${this.name} ended sending`);
    this.#socket.end();
  }

  /** Breaks the connection with a reset (RST). */
  reset(): void {
    this.#options.transcript.step(`${this.name} reset the connection`);
    this.#socket.resetAndDestroy();
  }

  /** Closes the connection in both directions. */
  close(): void {
    if (this.#socket.destroyed) return;
    this.#options.transcript.step(`${this.name} closed the connection`);
    this.#socket.destroy();
  }

  /** Stops reading, so that the kernel's buffers fill. */
  pause(): void {
    this.#options.transcript.step(`${this.name} stopped reading`);
    this.#paused = true;
    this.#socket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#options.transcript.step(`${this.name} reads again`);
    this.#paused = false;
    this.#socket.resume();
  }

  /** How the connection stands, for the end of an `observed` sentence. */
  #state(deadline: Deadline): string {
    if (this.broken !== undefined) return `then the connection broke (${this.broken})`;
    if (this.ended) return "then the connection was closed";
    return `and nothing more within ${describeMs(deadline.limitMs)}`;
  }

  /**
   * Waits for exactly these bytes and takes them. Gives up at the first byte that differs.
   * @throws CheckFailure with the place of the difference
   */
  async expect(
    expected: string | Uint8Array,
    options: { withinMs?: number; what?: string } = {},
  ): Promise<void> {
    const wanted = typeof expected === "string" ? Buffer.from(expected) : expected;
    const deadline = this.#options.deadline(options.withinMs ?? usualMs);
    let matched = 0;
    let differs = false;
    const compare = () => {
      while (matched < wanted.length && this.#received.length > 0 && !differs) {
        const part = this.#received[0]!.subarray(0, wanted.length - matched);
        differs = firstDifference(part, wanted.subarray(matched, matched + part.length)) !== -1;
        if (differs) break;
        matched += part.length;
        this.#taken(part.length);
        const rest = this.#received[0]!.subarray(part.length);
        if (rest.length > 0) this.#received[0] = rest;
        else this.#received.shift();
      }
      return differs || matched === wanted.length || this.over;
    };
    await deadline.until(compare, { wakeUp: this.wakeUp });
    if (matched === wanted.length) {
      this.#options.transcript.step(`${this.name} received ${describeBytes(wanted)}`);
      return;
    }
    const got = Buffer.concat([wanted.subarray(0, matched), this.unread()]);
    const what = options.what ?? "the reply";
    throw new CheckFailure({
      summary: differs
        ? `${this.name}: ${what} has other bytes than expected`
        : got.length === 0
          ? `${this.name}: ${what} did not come`
          : `${this.name}: ${what} is incomplete: ${count(got.length, "byte")} of ${wanted.length.toLocaleString("en-US")}`,
      expected: describeBytes(wanted),
      observed: differs ? describeBytes(got) : `${describeBytes(got)}, ${this.#state(deadline)}`,
      difference: got.length === 0 ? undefined : renderDifference(wanted, got),
    });
  }

  /**
   * Waits until the other side ends the connection, with no byte before.
   * @param options.reset whether a reset counts as an end too
   * @throws CheckFailure
   */
  async expectEnd(options: { withinMs?: number; reset?: boolean; why?: string } = {}): Promise<void> {
    const deadline = this.#options.deadline(options.withinMs ?? usualMs);
    await deadline.until(() => this.over || this.#received.length > 0, { wakeUp: this.wakeUp });
    this.expectNothing();
    if (this.ended || (this.over && options.reset)) return;
    throw new CheckFailure({
      summary: this.broken
        ? `${this.name}: the connection was reset instead of closed`
        : `${this.name}: the connection was not closed${options.why === undefined ? "" : ` ${options.why}`}`,
      expected: `the end of the stream within ${describeMs(deadline.limitMs)}`,
      observed: this.broken ? `the connection broke (${this.broken})` : "the connection stays open",
    });
  }

  /**
   * Fails when bytes have come that nobody asked for.
   * @throws CheckFailure
   */
  expectNothing(): void {
    const surplus = this.unread();
    if (surplus.length === 0) return;
    throw new CheckFailure({
      summary: `${this.name}: more bytes came than expected`,
      expected: "no further bytes",
      observed: describeBytes(surplus),
    });
  }

  /** Takes bytes up to and including a line end, or what there is at the end of the stream. */
  async readLine(withinMs = usualMs): Promise<Buffer> {
    const deadline = this.#options.deadline(withinMs);
    const complete = () => this.over || this.unread().includes(0x0a);
    await deadline.until(complete, { wakeUp: this.wakeUp });
    const newline = this.unread().indexOf(0x0a);
    return this.#take(newline === -1 ? this.unread().length : newline + 1);
  }

  /** Takes so many bytes, or what there is at the end of the stream or the deadline. */
  async read(length: number, withinMs = usualMs): Promise<Buffer> {
    const deadline = this.#options.deadline(withinMs);
    await deadline.until(() => this.over || this.#unreadLength >= length, { wakeUp: this.wakeUp });
    return this.#take(Math.min(length, this.#unreadLength));
  }

  /** Takes everything until the end of the stream; what came until the deadline when there is none. */
  async readAll(withinMs = usualMs): Promise<Buffer> {
    const deadline = this.#options.deadline(withinMs);
    await deadline.until(() => this.over, { wakeUp: this.wakeUp });
    return this.#take(this.unread().length);
  }
}

/**
 * Connects to a server.
 * @throws CheckFailure when the connection is refused or does not come about in time
 */
export async function connectTcp(
  address: { host: string; port: number },
  options: TcpPeerOptions & { withinMs?: number },
): Promise<TcpPeer> {
  const deadline = options.deadline(options.withinMs ?? usualMs);
  const socket = createConnection({ ...address, allowHalfOpen: true });
  const peer = new TcpPeer(socket, options);
  await deadline.until(() => !socket.connecting || peer.broken !== undefined, { wakeUp: peer.wakeUp });
  // A reset comes from a server that had taken the connection already; one that takes none refuses it.
  if (!socket.connecting && (peer.broken === undefined || peer.broken === "ECONNRESET")) {
    options.transcript.step(`${options.name} connected to ${address.host}:${address.port}`);
    return peer;
  }
  socket.destroy();
  throw new CheckFailure({
    summary: `${options.name} could not connect to ${address.host}:${address.port}`,
    expected: "an established connection",
    observed: peer.broken ?? `no answer within ${describeMs(deadline.limitMs)}`,
  });
}
