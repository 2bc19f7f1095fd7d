/** What the modules of stage 7 promise to each other and to later stages, seen from inside. */
import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { Loop } from "workspace:core/loop";
import {
  PlainTransport,
  TcpConnection,
  type TcpHandler,
  TcpServer,
  type Transport,
} from "workspace:network/tcp";
import {
  AF_INET,
  accept4,
  bind,
  close,
  connect,
  EAGAIN,
  ETIMEDOUT,
  errnoName,
  F_DUPFD_CLOEXEC,
  fcntl,
  getrlimit,
  getsockname,
  INADDR_LOOPBACK,
  listen,
  RLIMIT_NOFILE,
  recv,
  SHUT_WR,
  SO_LINGER,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  type SocketAddress,
  SystemCallError,
  send,
  setrlimit,
  setsockopt,
  shutdown,
  socket,
} from "expserver-course/linux";
import { assert, CheckFailure, count, type Evidence, firstDifference } from "../engine/evidence.ts";
import { Random } from "../engine/random.ts";

const MiB = 1024 * 1024;
const loopback: SocketAddress = { host: INADDR_LOOPBACK, port: 0 };
/** SO_SNDBUF and SO_RCVBUF of small connections, in bytes: so little fills them that nearly every write is a partial one. */
const smallBuffer = 8 * 1024;
/** How long something may take that should happen at once. */
const usualMs = 8000;

const random = new Random("stage 7", "probes");

/** Waits until something holds. */
async function until(holds: () => boolean, evidence: () => Evidence, withinMs = usualMs): Promise<void> {
  const begin = performance.now();
  while (!holds()) {
    if (performance.now() - begin > withinMs) throw new CheckFailure(evidence());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Lets the loop have many turns, for claims that nothing happens. */
async function manyTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** What the kernel's scheduler counts for this process's first thread; not every kernel does. */
const schedstatFile = "/proc/self/schedstat";

/**
 * Milliseconds for which this process has computed, or wanted to: on a busy machine one that spins gets little of a
 * processor, and stands in the run queue for the rest of the time.
 * @param schedstat `schedstatFile`, opened
 */
function busyMs(schedstat: number | undefined): number {
  const { user, system } = process.cpuUsage();
  const text = Buffer.alloc(100);
  const length = schedstat === undefined ? 0 : readSync(schedstat, text, 0, text.length, 0);
  return (user + system) / 1000 + Number(text.toString("latin1", 0, length).split(" ")[1] ?? 0) / 1e6;
}

/** The other end of a connection, which moves only when it is told to. */
class Peer {
  readonly fd: number;
  readonly pieces: Buffer[] = [];
  received = 0;
  /** What stood behind the last byte: 0 the end, a negative errno a break. */
  result: number | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  send(bytes: Uint8Array): number {
    return Math.max(0, send(this.fd, bytes, bytes.length));
  }

  /** Receives what is there, at most so many bytes. */
  receive(limit = Number.POSITIVE_INFINITY): number {
    let got = 0;
    while (this.result === undefined && got < limit) {
      const length = recv(this.fd, buffer, Math.min(buffer.length, limit - got));
      if (length === -EAGAIN) break;
      if (length <= 0) {
        this.result = length;
        break;
      }
      this.pieces.push(Buffer.from(buffer.subarray(0, length)));
      got += length;
    }
    this.received += got;
    return got;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }

  end(): void {
    shutdown(this.fd, SHUT_WR);
  }

  reset(): void {
    setsockopt(this.fd, SOL_SOCKET, SO_LINGER, 0);
    close(this.fd);
  }

  /** How the connection stands, in words. */
  state(): string {
    const bytes = count(this.received, "byte");
    if (this.result === undefined) return `${bytes}, and nothing more`;
    return this.result === 0 ? `${bytes}, then the end` : `${bytes}, then ${errnoName(this.result)}`;
  }
}
const buffer = new Uint8Array(64 * 1024);

/** A handler that writes down what it is told. */
class Witness implements TcpHandler {
  readonly pieces: Buffer[] = [];
  received = 0;
  ends = 0;
  drains = 0;
  closes: (string | undefined)[] = [];
  /** What happened, in order. */
  readonly told: string[] = [];

  onData(bytes: Uint8Array, length: number): void {
    this.pieces.push(Buffer.from(bytes.subarray(0, length)));
    this.received += length;
    this.told.push(`onData (${count(length, "byte")})`);
  }
  onEnd(): void {
    this.ends++;
    this.told.push("onEnd");
  }
  onDrain(): void {
    this.drains++;
    this.told.push("onDrain");
  }
  onClose(error: string | undefined): void {
    this.closes.push(error);
    this.told.push(`onClose(${error === undefined ? "undefined" : `"${error}"`})`);
  }
  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
  describe(): string {
    const shown = this.told.slice(-8);
    return shown.length === 0 ? "nothing was told" : `the handler was told: ${shown.join(", ")}`;
  }
}

type Options = {
  /** SO_SNDBUF of our end and SO_RCVBUF of the peer's, in bytes. */
  buffers?: number;
  transport?: (fd: number) => Transport;
};

/** A connection on a loop, its peer, and a witness as its handler. */
function connected(loop: Loop, { buffers, transport = (fd) => new PlainTransport(fd) }: Options = {}) {
  const listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
  bind(listener, loopback);
  listen(listener, 1);
  const ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
  if (buffers !== undefined) setsockopt(ours, SOL_SOCKET, SO_RCVBUF, buffers);
  connect(ours, getsockname(listener));
  fcntl(ours, 4 /* F_SETFL */, 0o4000 /* O_NONBLOCK */);
  const fd = accept4(listener, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
  close(listener);
  if (buffers !== undefined) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, buffers);
  const connection = new TcpConnection(loop, transport(fd), loopback);
  const witness = new Witness();
  connection.handler = witness;
  return { connection, peer: new Peer(ours), witness, fd };
}

/** Runs the learner's loop meanwhile. What the loop itself throws is the module's error. */
async function onLoop(body: (loop: Loop) => Promise<void>): Promise<void> {
  const loop = new Loop();
  const running = loop.run();
  await Promise.race([body(loop), running.then(() => new Promise<never>(() => {}))]);
  loop.stop();
}

/** Reads at a peer until it has so many bytes, or nothing more can come. */
async function receiveAll(peer: Peer, wanted: number, summary: string, expected: string): Promise<void> {
  await until(
    () => {
      peer.receive();
      return peer.received >= wanted || peer.result !== undefined;
    },
    () => ({ summary, expected, observed: `the peer received ${peer.state()}` }),
  );
}

/** Fails unless the bytes are those that were sent. */
function expectSame(expected: Buffer, observed: Buffer, summary: string): void {
  const at = firstDifference(expected, observed);
  assert(at === -1, {
    summary,
    expected: `${count(expected.length, "byte")}, each in its place`,
    observed: `${count(observed.length, "byte")}, and the first wrong one is number ${at + 1}: bytes were lost, doubled or swapped`,
  });
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** A transport around a plain one. */
class Wrapped implements Transport {
  protected readonly plain: PlainTransport;
  readonly tls = null;
  constructor(fd: number) {
    this.plain = new PlainTransport(fd);
  }
  get fd(): number {
    return this.plain.fd;
  }
  get wants(): number {
    return this.plain.wants;
  }
  get hasPending(): boolean {
    return this.plain.hasPending;
  }
  read(into: Uint8Array): number {
    return this.plain.read(into);
  }
  peek(): number {
    return this.plain.peek();
  }
  write(bytes: Uint8Array, length: number): number {
    return this.plain.write(bytes, length);
  }
  sendFile(file: number, offset: number, length: number): number {
    return this.plain.sendFile(file, offset, length);
  }
  shutdownWrite(): number {
    return this.plain.shutdownWrite();
  }
  close(reset: boolean): void {
    this.plain.close(reset);
  }
}

/** Takes a little at a time although there is room, as an encrypted transport does with its records. */
class SmallWrites extends Wrapped {
  override write(bytes: Uint8Array, length: number): number {
    return super.write(bytes, Math.min(length, 1000));
  }
}

/** Breaks when it is told to, in the middle of what waits, and counts the ends that it is asked for. */
class BreaksLater extends Wrapped {
  isBroken = false;
  failures = 0;
  ends = 0;
  override write(bytes: Uint8Array, length: number): number {
    if (!this.isBroken) return super.write(bytes, length);
    this.failures++;
    return -ETIMEDOUT;
  }
  override shutdownWrite(): number {
    this.ends++;
    return super.shutdownWrite();
  }
}

/** Takes from the kernel what is there and gives it away in small pieces, as an encrypted transport does. */
class ReadsAhead extends Wrapped {
  #ahead = Buffer.alloc(0);

  override get hasPending(): boolean {
    return this.#ahead.length > 0;
  }

  override read(into: Uint8Array): number {
    if (this.#ahead.length === 0) {
      const length = super.read(buffer);
      if (length <= 0) return length;
      this.#ahead = Buffer.from(buffer.subarray(0, length));
    }
    const piece = this.#ahead.subarray(0, Math.min(100, into.length));
    into.set(piece);
    this.#ahead = this.#ahead.subarray(piece.length);
    return piece.length;
  }

  override peek(): number {
    return this.#ahead.length > 0 ? 1 : super.peek();
  }
}

/**
 * Writes pieces of random lengths, each from the same buffer, which changes right after; the peer makes room in between,
 * of which the loop has not told yet. Returns all bytes.
 */
function writePieces(connection: TcpConnection, peer: Peer, total: number): Buffer {
  const all: Buffer[] = [];
  const mine = Buffer.alloc(5000);
  for (let written = 0; written < total; ) {
    const length = random.integer(1, 5000);
    mine.set(random.bytes(length));
    all.push(Buffer.from(mine.subarray(0, length)));
    connection.write(mine, length);
    mine.fill("x");
    written += length;
    if (random.integer(1, 5) === 1) peer.receive(random.integer(1, 20_000));
  }
  return Buffer.concat(all);
}

export const probes = {
  "write-order": () =>
    onLoop(async (loop) => {
      const { connection, peer } = connected(loop, { buffers: smallBuffer });
      // A write follows when the one before has been taken in part, while it waits, and when it is through.
      const all: Buffer[] = [];
      for (let round = 0; round < 20; round++) {
        all.push(writePieces(connection, peer, random.integer(1, 40_000)));
        for (let turn = 0; turn < 3; turn++) {
          peer.receive(random.integer(0, 30_000));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }
      const last = Buffer.from(random.bytes(300_000));
      connection.write(last); // most of it waits when the end is asked for
      all.push(last);
      connection.end();
      const expected = Buffer.concat(all);
      await receiveAll(
        peer,
        expected.length + 1,
        "not all that was written arrives",
        `${count(expected.length, "byte")}, then the end`,
      );
      expectSame(expected, peer.bytes, "what arrives is not what was written");
      assert(peer.result === 0, {
        summary: "the end does not follow the last byte",
        expected: `${count(expected.length, "byte")}, then the end`,
        observed: peer.state(),
      });
      connection.destroy();
    }),

  "partial-writes": () =>
    onLoop(async (loop) => {
      const { connection, peer, witness } = connected(loop, {
        buffers: 1 * MiB,
        transport: (fd) => new SmallWrites(fd),
      });
      await manyTurns(); // the first edge, of a socket that has room, is over
      const bytes = Buffer.from(random.bytes(200_000));
      connection.write(bytes);
      await receiveAll(
        peer,
        bytes.length,
        "a transport that took a part is not given the rest",
        "all bytes: a part that was taken is not -EAGAIN yet, and without -EAGAIN no edge follows",
      );
      expectSame(bytes, peer.bytes, "what arrives over a transport that takes parts is not what was written");
      assert(witness.closes.length === 0, {
        summary: "the connection closes on a transport that takes parts",
        expected: "an open connection",
        observed: witness.describe(),
      });
      connection.destroy();
    }),

  "read-ahead": () =>
    onLoop(async (loop) => {
      const { connection, peer, witness } = connected(loop, { transport: (fd) => new ReadsAhead(fd) });
      const bytes = Buffer.from(random.bytes(5000));
      let hasPaused = false;
      const tell = witness.onData.bind(witness);
      witness.onData = (data, length) => {
        tell(data, length);
        if (witness.received >= 1000 && !hasPaused) connection.pause();
        hasPaused ||= witness.received >= 1000;
      };
      peer.send(bytes);
      await until(
        () => witness.received >= 1000,
        () => ({
          summary: "bytes that have left the kernel are not read",
          expected: "reading goes on while the transport's hasPending is true",
          observed: `${count(witness.received, "byte")} of ${bytes.length.toLocaleString("en-US")}`,
        }),
      );
      await manyTurns();
      connection.resume();
      await until(
        () => witness.received >= bytes.length,
        () => ({
          summary: "after a pause, bytes that have left the kernel are not read",
          expected: "all bytes: of those that the transport holds epoll never tells",
          observed: `${count(witness.received, "byte")} of ${bytes.length.toLocaleString("en-US")}`,
        }),
      );
      expectSame(bytes, witness.bytes, "the handler is given other bytes than were sent");
      connection.destroy();
    }),

  "on-drain": () =>
    onLoop(async (loop) => {
      const { connection, peer, witness } = connected(loop, { buffers: smallBuffer });
      let mostAtDrain = 0;
      let allWritten = 5;
      const tell = witness.onDrain.bind(witness);
      witness.onDrain = () => {
        mostAtDrain = Math.max(mostAtDrain, allWritten - connection.bytesSent);
        tell();
      };
      assert(connection.write(Buffer.from("hello")), {
        summary: "a write that the kernel takes whole asks for a pause",
        expected: "true",
        observed: "false",
      });
      await manyTurns();
      assert(witness.drains === 0, {
        summary: "onDrain is called although no write returned false",
        expected: "no call",
        observed: witness.describe(),
      });
      for (let round = 1; round <= 3; round++) {
        const before = peer.received;
        const piece = round === 2 ? 300_000 : 10_000;
        let written = 0;
        while (connection.write(random.bytes(piece))) {
          written += piece;
          assert(written < 64 * MiB, {
            summary: "write never asks for a pause, whatever waits",
            expected: "false once more than the high-water mark (64 KiB) waits",
            observed: `true after ${count(written, "byte")}, of which the peer has read nothing`,
          });
        }
        written += piece;
        allWritten += written;
        await manyTurns();
        assert(witness.drains === round - 1, {
          summary: "onDrain is called while as much waits as before",
          expected: "no call before the peer reads",
          observed: witness.describe(),
        });
        // A little at a time: there is room again and again, while much still waits.
        for (let turn = 0; turn < 10; turn++) {
          peer.receive(5000);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        assert(mostAtDrain <= 64 * 1024, {
          summary: "onDrain is called while as much waits that a write would ask for a pause again",
          expected: "a call when little waits any more (16 KiB)",
          observed: `a call while ${count(mostAtDrain, "byte")} waited`,
        });
        const total = before + written + (round === 1 ? 5 : 0);
        await receiveAll(peer, total, "not all that was written arrives", count(total, "byte"));
        await until(
          () => witness.drains >= round,
          () => ({
            summary: "onDrain is not called although everything has left",
            expected: `${count(round, "call")} after ${count(round, "write")} that returned false`,
            observed: witness.describe(),
          }),
        );
        await manyTurns();
        assert(witness.drains === round, {
          summary: "onDrain is called more often than it is owed",
          expected: `${count(round, "call")} after ${count(round, "write")} that returned false`,
          observed: witness.describe(),
        });
      }
      connection.destroy();
    }),

  "pause-resume": () =>
    onLoop(async (loop) => {
      const { connection, peer, witness } = connected(loop);
      const sent = Buffer.from(random.bytes(600_000));
      let given = 0;
      let pausedAt = 0;
      const tell = witness.onData.bind(witness);
      let isPaused = false;
      witness.onData = (bytes, length) => {
        assert(!isPaused, {
          summary: "onData is called while the connection is paused",
          expected: "no call until resume",
          observed: `${count(length, "byte")} after pause()`,
        });
        tell(bytes, length);
        connection.pause();
        isPaused = true;
        pausedAt = witness.received;
      };
      // Everything comes in the end, although each piece pauses and its edge is over.
      while (given < sent.length) {
        given += peer.send(sent.subarray(given, given + random.integer(1, 200_000)));
        await until(
          () => isPaused,
          () => ({
            summary: "after resume the bytes that had come during the pause are not read",
            expected: "onData: the edge that told of them is over, and epoll will not tell again",
            observed: `${count(witness.received, "byte")} read of ${count(given, "byte")} that were sent`,
          }),
        );
        await manyTurns();
        assert(witness.received === pausedAt, {
          summary: "bytes are read while the connection is paused",
          expected: "none",
          observed: count(witness.received - pausedAt, "byte"),
        });
        isPaused = false;
        connection.resume();
      }
      peer.end();
      await until(
        () => {
          if (isPaused) {
            isPaused = false;
            connection.resume();
          }
          return witness.ends > 0;
        },
        () => ({
          summary: "after the last resume, bytes or the end are missing",
          expected: `${count(sent.length, "byte")}, then onEnd`,
          observed: `${count(witness.received, "byte")}; ${witness.describe()}`,
        }),
      );
      expectSame(sent, witness.bytes, "what is read around pauses is not what was sent");
      // The last bytes and the end come together during a pause.
      const other = connected(loop);
      other.connection.pause();
      other.peer.send(Buffer.from("the last bytes"));
      other.peer.end();
      await manyTurns();
      assert(other.witness.told.length === 0, {
        summary: "a paused connection tells its handler of bytes or the end",
        expected: "nothing before resume",
        observed: other.witness.describe(),
      });
      other.connection.resume();
      await until(
        () => other.witness.ends > 0,
        () => ({
          summary: "an end that came during a pause is never told",
          expected: "onData with the last 14 bytes, then onEnd",
          observed: other.witness.describe(),
        }),
      );
      assert(other.witness.bytes.toString() === "the last bytes" && other.witness.ends === 1, {
        summary: "the last bytes before an end are lost, or the end is told twice",
        expected: "onData with the last 14 bytes, then onEnd once",
        observed: other.witness.describe(),
      });
      connection.destroy();
      other.connection.destroy();
      // Much has come during a pause, and then nothing comes any more: no further edge helps.
      const { connection: full, peer: giver, witness: taker, fd } = connected(loop);
      full.pause();
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 2 * MiB);
      const much = Buffer.from(random.bytes(MiB));
      let waiting = 0;
      for (let quiet = 0; quiet < 20 && waiting < much.length; ) {
        const taken = giver.send(much.subarray(waiting));
        waiting += taken;
        quiet = taken === 0 ? quiet + 1 : 0;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      full.resume();
      await until(
        () => taker.received >= waiting,
        () => ({
          summary: "of much that came during a pause only a part is read",
          expected: `all of the ${count(waiting, "byte")} that were sent. Who stops reading to let others have their turn has to come back by itself`,
          observed: count(taker.received, "byte"),
        }),
      );
      expectSame(
        much.subarray(0, waiting),
        taker.bytes,
        "what is read after a long pause is not what was sent",
      );
      full.destroy();
      // One connection's handler resumes another one, of which bytes wait: they have one receive buffer.
      const first = connected(loop);
      const second = connected(loop);
      second.connection.pause();
      second.peer.send(Buffer.from("bytes of the second"));
      await manyTurns();
      let [seenBefore, seenAfter, toldWithin] = ["", "", 0];
      first.witness.onData = (bytes, length) => {
        seenBefore = Buffer.from(bytes.subarray(0, length)).toString();
        second.connection.resume();
        seenAfter = Buffer.from(bytes.subarray(0, length)).toString();
        toldWithin = second.witness.received;
      };
      first.peer.send(Buffer.from("bytes of the first"));
      await until(
        () => second.witness.received > 0,
        () => ({
          summary: "a connection that another one's handler resumes is not read",
          expected: "onData with the 19 bytes that had come during the pause",
          observed: second.witness.describe(),
        }),
      );
      assert(seenBefore === seenAfter && toldWithin === 0, {
        summary: "resume() reads at once, in the midst of another connection's onData",
        expected: "bytes that stay as they are until onData returns, and a read in the loop's next turn",
        observed: `"${seenBefore}" became "${seenAfter}"; ${count(toldWithin, "byte")} of the other connection were told within resume()`,
      });
      first.connection.destroy();
      second.connection.destroy();
    }),

  destroy: () =>
    onLoop(async (loop) => {
      const before = openDescriptors();
      const { connection, peer, witness, fd } = connected(loop, { buffers: smallBuffer });
      connection.write(random.bytes(300_000)); // most of it waits
      peer.send(Buffer.from("unread"));
      connection.destroy();
      const reused = fcntl(peer.fd, F_DUPFD_CLOEXEC, fd); // the number as the next accept would give it out
      connection.destroy();
      connection.abort();
      connection.end();
      connection.write(Buffer.from("too late"));
      await manyTurns();
      assert(witness.closes.length === 1 && witness.told.length === 1, {
        summary: "after destroy() the handler is not told just once that the connection is closed",
        expected: "one call of onClose, and no other",
        observed: witness.describe(),
      });
      assert(reused === fd && readdirSync("/proc/self/fd").includes(String(fd)), {
        summary: "destroy() acts again when it is called twice",
        expected: "nothing at the second call: the number belongs to another socket by then",
        observed: `descriptor ${fd}, of another socket, was closed`,
      });
      close(reused);
      close(peer.fd);
      // In the middle of its own bytes, of which there are more: its number goes to another connection at once.
      const second = connected(loop);
      const third = connected(loop);
      third.connection.pause();
      third.peer.send(Buffer.from("for the third"));
      second.connection.pause();
      for (let waiting = 0; waiting < 200_000; await manyTurns()) {
        const taken = second.peer.send(random.bytes(200_000 - waiting));
        if (taken === 0) break;
        waiting += taken;
      }
      let takenOver = -1;
      const tell = second.witness.onData.bind(second.witness);
      second.witness.onData = (bytes, length) => {
        tell(bytes, length);
        if (takenOver !== -1) return;
        second.connection.destroy();
        takenOver = fcntl(third.fd, F_DUPFD_CLOEXEC, second.fd);
      };
      second.connection.resume();
      await until(
        () => second.witness.closes.length > 0,
        () => ({
          summary: "destroy() in onData does not close",
          expected: "onClose",
          observed: second.witness.describe(),
        }),
      );
      await manyTurns();
      assert(second.witness.told.length === 2, {
        summary:
          "a connection that was destroyed in onData goes on reading: the bytes of another connection by now",
        expected: "one onData, then onClose, and nothing more",
        observed: second.witness.describe(),
      });
      third.connection.destroy();
      for (const each of [second.peer.fd, third.peer.fd, takenOver]) close(each);
      assert(openDescriptors() <= before, {
        summary: "destroy() leaves descriptors open",
        expected: "as many open descriptors as before",
        observed: count(openDescriptors() - before, "more descriptor"),
      });
    }),

  "handler-error": () =>
    onLoop(async (loop) => {
      const broken = connected(loop);
      const healthy = connected(loop);
      broken.witness.onData = () => {
        throw new Error("thrown by the probe's handler: that is all right");
      };
      broken.peer.send(Buffer.from("to the one that throws"));
      healthy.peer.send(Buffer.from("to the other"));
      await receiveAll(
        broken.peer,
        1,
        "a connection whose handler threw stays open",
        "its end: nobody knows in what state the handler is",
      );
      await until(
        () => healthy.witness.received > 0 && broken.witness.closes.length === 1,
        () => ({
          summary: "a handler that throws disturbs another connection, or does not hear of its close",
          expected: "onClose for the one, and bytes for the other",
          observed: `the one: ${broken.witness.describe()}; the other: ${healthy.witness.describe()}`,
        }),
      );
      healthy.connection.destroy();
    }),

  graceful: () =>
    onLoop(async (loop) => {
      const answer = Buffer.from(random.bytes(2 * MiB));
      const expected = `${count(answer.length, "byte")}, then the end`;
      const unread = async (): Promise<void> => {
        const { connection, peer, witness } = connected(loop, { buffers: 64 * 1024 });
        connection.pause();
        peer.send(random.bytes(30_000)); // a request that nobody will read
        await manyTurns();
        connection.write(answer);
        connection.endGracefully();
        peer.send(random.bytes(30_000)); // and it goes on
        await until(
          () => connection.bytesReceived >= 60_000,
          () => ({
            summary: "after endGracefully() what the peer sends stays unread",
            expected: "60,000 bytes that are read and dropped, the pause notwithstanding",
            observed: `${count(connection.bytesReceived, "byte")} in bytesReceived`,
          }),
        );
        const goOn = setInterval(() => peer.result === undefined && peer.send(random.bytes(500)), 1);
        await receiveAll(
          peer,
          answer.length + 1,
          "the peer does not get the whole answer, because it had sent something that was not read",
          `${expected}. A close with unread input is answered by a reset, which throws away what is on its way`,
        );
        clearInterval(goOn);
        expectSame(answer, peer.bytes, "the peer gets other bytes than were written before endGracefully()");
        await manyTurns();
        peer.send(Buffer.from("and it has not even noticed yet"));
        await manyTurns();
        assert(!connection.isClosed, {
          summary: "after endGracefully() the connection closes although its peer still sends",
          expected:
            "an open connection until the peer has ended, or a second has passed: what comes after a close is answered by a reset",
          observed: witness.describe(),
        });
        assert(peer.result === 0, {
          summary: "after endGracefully() the peer meets a reset instead of the end",
          expected,
          observed: peer.state(),
        });
        assert(witness.received === 0, {
          summary: "the handler is given bytes after endGracefully()",
          expected: "input that is dropped: the handler has said everything",
          observed: witness.describe(),
        });
        peer.end();
        await until(
          () => witness.closes.length > 0,
          () => ({
            summary: "a connection that both sides have ended stays open after endGracefully()",
            expected: "onClose",
            observed: witness.describe(),
          }),
        );
        assert(witness.closes.length === 1 && witness.closes[0] === undefined && witness.ends === 0, {
          summary: "endGracefully() does not end in one onClose without an error",
          expected: "onClose(undefined), and nothing else",
          observed: witness.describe(),
        });
      };
      const silent = async (): Promise<void> => {
        const { connection, peer, witness } = connected(loop);
        connection.pause();
        peer.send(random.bytes(30_000));
        await manyTurns();
        connection.write(Buffer.from("answer"));
        connection.endGracefully();
        connection.endGracefully();
        await receiveAll(peer, 7, "the end does not follow the answer", "6 bytes, then the end");
        assert(peer.result === 0 && peer.received === 6, {
          summary: "after endGracefully() with a short answer the peer meets a reset instead of the end",
          expected: "6 bytes, then the end",
          observed: peer.state(),
        });
        await until(
          () => witness.closes.length > 0,
          () => ({
            summary: "a peer that never ends keeps the connection open for ever after endGracefully()",
            expected: "onClose after the time for lingering (1 s)",
            observed: `${witness.describe()}, and 8 s have passed`,
          }),
        );
      };
      await Promise.all([unread(), silent()]);
    }),

  abort: () =>
    onLoop(async (loop) => {
      const { connection, peer, witness } = connected(loop, { buffers: smallBuffer });
      connection.write(random.bytes(100_000));
      await manyTurns();
      connection.abort();
      connection.abort();
      await until(
        () => {
          peer.receive();
          return peer.result !== undefined;
        },
        () => ({
          summary: "abort() does not break the connection",
          expected: "a reset at the peer",
          observed: `the peer received ${peer.state()}`,
        }),
      );
      assert(peer.result! < 0, {
        summary: "after abort() the peer meets an end: it takes a part for the whole",
        expected: "ECONNRESET",
        observed: `the peer received ${peer.state()}, of 100,000 bytes that were written`,
      });
      assert(witness.closes.length === 1, {
        summary: "abort() does not tell the handler once that the connection is closed",
        expected: "one onClose",
        observed: witness.describe(),
      });
    }),

  breaks: () =>
    onLoop(async (loop) => {
      const before = openDescriptors();
      type Side = ReturnType<typeof connected>;
      const situations: [when: string, arrange: (side: Side) => void | Promise<void>][] = [
        ["while nothing happens", () => {}],
        ["while it is paused", ({ connection }) => connection.pause()],
        ["while its answers wait", ({ connection }) => void connection.write(random.bytes(300_000))],
        [
          "while its answers wait and it is paused",
          ({ connection }) => {
            connection.pause();
            connection.write(random.bytes(300_000));
          },
        ],
        [
          "after its peer has ended sending",
          async ({ peer, witness }) => {
            peer.end();
            await until(
              () => witness.ends > 0,
              () => ({
                summary: "the peer's end is not told",
                expected: "onEnd",
                observed: witness.describe(),
              }),
            );
          },
        ],
      ];
      for (const [when, arrange] of situations) {
        const side = connected(loop, { buffers: smallBuffer });
        await manyTurns();
        await arrange(side);
        await manyTurns();
        side.peer.reset();
        await until(
          () => side.witness.closes.length > 0,
          () => ({
            summary: `a connection that its peer resets ${when} stays open`,
            expected:
              "onClose with the reason. Epoll tells of a break by EPOLLERR and EPOLLHUP, asked for or not",
            observed: side.witness.describe(),
          }),
        );
        side.connection.destroy();
        await manyTurns();
        assert(side.witness.closes.length === 1 && side.witness.closes[0] !== undefined, {
          summary: `a connection that its peer resets ${when} is not told as one that broke`,
          expected: "one onClose, with the reason as a text",
          observed: side.witness.describe(),
        });
      }
      // The bytes for which its handler pauses and the break are one event, and no other one follows.
      const pausing = connected(loop);
      await manyTurns();
      pausing.witness.onData = () => pausing.connection.pause();
      pausing.peer.send(Buffer.from("the last bytes"));
      pausing.peer.reset();
      await until(
        () => pausing.witness.closes.length > 0,
        () => ({
          summary: "a connection that breaks together with the bytes for which its handler pauses stays open",
          expected:
            "onClose with the reason, without resume: no bytes are left, and no event will tell again",
          observed: pausing.witness.describe(),
        }),
      );
      // Bytes and the end wait, and then nothing can be sent any more.
      let breaking: BreaksLater | undefined;
      const ending = connected(loop, {
        buffers: smallBuffer,
        transport: (fd) => {
          breaking = new BreaksLater(fd);
          return breaking;
        },
      });
      ending.connection.write(random.bytes(300_000));
      ending.connection.end();
      await manyTurns();
      breaking!.isBroken = true;
      await until(
        () => {
          ending.peer.receive();
          return ending.witness.closes.length > 0;
        },
        () => ({
          summary: "a connection whose transport fails while bytes and the end wait stays open",
          expected: "onClose with the reason",
          observed: `${ending.witness.describe()}; write failed ${count(breaking!.failures, "time")}`,
        }),
      );
      assert(
        breaking!.ends === 0 && ending.witness.closes.length === 1 && ending.witness.closes[0] !== undefined,
        {
          summary: "after a failed send the end is sent, or the failure is not told",
          expected:
            "no shutdownWrite: the peer would take a part for the whole; and one onClose, with the reason",
          observed: `${count(breaking!.ends, "call")} of shutdownWrite; ${ending.witness.describe()}`,
        },
      );
      close(ending.peer.fd);
      assert(openDescriptors() <= before, {
        summary: "connections that broke leave descriptors open",
        expected: "as many open descriptors as before",
        observed: count(openDescriptors() - before, "more descriptor"),
      });
    }),

  "server-destroy": () =>
    onLoop(async (loop) => {
      const before = openDescriptors();
      const closes: (string | undefined)[] = [];
      const server = TcpServer.listen(loop, loopback, (connection) => {
        connection.handler = Object.assign(new Witness(), {
          onClose: (error: string | undefined) => void closes.push(error),
        });
      });
      let error: unknown;
      const withServer = openDescriptors();
      try {
        TcpServer.listen(loop, server.address, () => {});
      } catch (thrown) {
        error = thrown;
      }
      assert(
        error instanceof SystemCallError && error.code === "EADDRINUSE" && openDescriptors() === withServer,
        {
          summary: "a second TcpServer on the same port does not fail cleanly",
          expected: "the SystemCallError EADDRINUSE, and nothing left open",
          observed: `${error === undefined ? "no error" : String(error)}, ${count(openDescriptors() - withServer, "more descriptor")}`,
        },
      );
      const peers = Array.from({ length: 5 }, () => {
        const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
        connect(fd, server.address);
        return fd;
      });
      await until(
        () => server.connections.size === 5,
        () => ({
          summary: "the TcpServer does not accept all connections that wait",
          expected: "5 connections in `connections`",
          observed: count(server.connections.size, "connection"),
        }),
      );
      server.destroy();
      server.destroy();
      assert(closes.length === 5 && server.connections.size === 0, {
        summary: "server.destroy() does not close the server's connections",
        expected: "5 calls of onClose, and `connections` empty",
        observed: `${count(closes.length, "call")}, ${count(server.connections.size, "connection")}`,
      });
      for (const fd of peers) close(fd);
      assert(openDescriptors() <= before, {
        summary: "server.destroy() leaves descriptors open",
        expected: "as many open descriptors as before",
        observed: count(openDescriptors() - before, "more descriptor"),
      });
      TcpServer.listen(loop, server.address, () => {}).destroy();
    }),

  "no-descriptors": () =>
    onLoop(async (loop) => {
      const server = TcpServer.listen(loop, loopback, () => {});
      const arriving = Array.from({ length: 5 }, () => socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC));
      await manyTurns();
      const limit = getrlimit(RLIMIT_NOFILE);
      // Opened before: no descriptor is left afterwards.
      const schedstat = existsSync(schedstatFile) ? openSync(schedstatFile, "r") : undefined;
      setrlimit(RLIMIT_NOFILE, { ...limit, rlim_cur: 3 });
      for (const fd of arriving) {
        connect(fd, server.address);
        await manyTurns();
      }
      let share = 1;
      // The lowest of some: on a busy machine every waking waits for a processor, and that counts here.
      for (let attempt = 0; attempt < 3 && share >= 0.25; attempt++) {
        const begin = performance.now();
        const before = busyMs(schedstat);
        await new Promise((resolve) => setTimeout(resolve, 500));
        share = (busyMs(schedstat) - before) / (performance.now() - begin);
      }
      setrlimit(RLIMIT_NOFILE, limit);
      if (schedstat !== undefined) closeSync(schedstat);
      assert(share < 0.25, {
        summary: "the TcpServer computes while no descriptor is left for the connections that wait",
        expected: "a rest after EMFILE: less than 25 % of half a second",
        observed: `${Math.round(share * 100)} %`,
      });
      await until(
        () => server.connections.size === arriving.length,
        () => ({
          summary: "the TcpServer does not accept again when there are descriptors again",
          expected: `all ${arriving.length} connections that had come meanwhile; they make no new edge`,
          observed: count(server.connections.size, "connection"),
        }),
      );
      for (const fd of arriving) close(fd);
      server.destroy();
    }),
};
