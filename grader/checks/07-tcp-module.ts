import { EPOLLET } from "../../linux/index.ts";
import { type Check, type CheckOptions, check } from "../checks.ts";
import { heldConnections } from "../engine/connections.ts";
import type { CheckContext } from "../engine/context.ts";
import { assert, CheckFailure, count } from "../engine/evidence.ts";
import { residentBytes, tcpSockets } from "../engine/proc.ts";
import type { Program } from "../engine/program.ts";
import type { RawPeer } from "../engine/raw-peer.ts";
import type { TcpPeer } from "../engine/tcp-client.ts";
import {
  descriptorsWithOneClient,
  expectDescriptorsBelow,
  returnsDescriptors,
} from "./general/descriptors.ts";
import { endsCleanly, endsUnderLoad, expectExit, expectNoStackTrace, restarts } from "./general/endings.ts";
import { answersLateReader, floodStaysBounded, growthLimit } from "./general/flood.ts";
import { linePattern, type Pattern } from "./general/flood-replies.ts";
import { type IdleSituation, idleSituations, sleepsWhenIdle } from "./general/idle.ts";
import { lineServerChecks } from "./general/line-server.ts";
import { connectMany, exchange, reversed } from "./general/lines.ts";
import { nonBlocking } from "./general/non-blocking.ts";
import { survivesResets } from "./general/resets.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";
import { nothingAround, whileStopped } from "./general/surroundings.ts";

const MiB = 1024 * 1024;
/** SO_RCVBUF of clients that should be full soon, in bytes. (With a small SO_SNDBUF a flood would take seconds.) */
const small = { receiveBuffer: 16 * 1024 };
/** Bytes after which a flood is enough, whether it is stuck or not: what the kernel keeps of it depends on its sysctls. */
const flood = 12 * MiB;

/** A check whose whole work a probe of the same name does. */
function module(id: string, options: CheckOptions): Check {
  return check(id, { after: ["builds"], ...options }, ({ probe }) => probe(id));
}

/** A client that sends lines and reads their replies, both as far as it is told to, and compares every byte. */
class PacedClient {
  readonly peer: RawPeer;
  readonly #pattern: Pattern;
  #wrongAt: number | undefined;

  constructor(peer: RawPeer, pattern: Pattern) {
    this.peer = peer;
    this.#pattern = pattern;
  }

  /** Bytes of replies that are due: those to whole lines. */
  get due(): number {
    const at = this.peer.sent % this.#pattern.sent.length;
    return this.peer.sent - at + (at === 0 ? 0 : this.#pattern.sent.lastIndexOf(0x0a, at - 1) + 1);
  }

  /** Sends what the kernel takes at once, so many bytes altogether at most. Returns whether all of them are sent. */
  send(limit: number): boolean {
    const { sent } = this.#pattern;
    for (let piece = 0; piece < 16 && this.peer.sent < limit; piece++) {
      const at = this.peer.sent % sent.length;
      if (this.peer.sendSome(sent.subarray(at, at + limit - this.peer.sent)) === 0) break;
    }
    return this.peer.sent >= limit;
  }

  /** Reads what has come, until it is about so many bytes. Returns how many. */
  read(limit: number): number {
    const { replies } = this.#pattern;
    const before = this.peer.received;
    while (this.peer.received - before < limit) {
      let at = this.peer.received % replies.length;
      let bytes = this.peer.receiveSome();
      if (bytes.length === 0) break;
      while (bytes.length > 0 && this.#wrongAt === undefined) {
        const part = Math.min(bytes.length, replies.length - at);
        if (Buffer.compare(replies.subarray(at, at + part), bytes.subarray(0, part)) !== 0)
          this.#wrongAt = this.peer.received;
        bytes = bytes.subarray(part);
        at = 0;
      }
    }
    return this.peer.received - before;
  }

  /** Whether nothing is under way any more. */
  get isThrough(): boolean {
    return this.peer.over || this.peer.received >= this.due;
  }

  /** Fails when a byte was wrong, or when not all replies have come. */
  expectComplete(who: string): void {
    assert(this.#wrongAt === undefined, {
      summary: `${who} gets wrong bytes`,
      expected: "its own lines, each reversed, in order",
      observed: `a wrong byte among the first ${count(this.#wrongAt ?? 0, "byte")}: some were lost, doubled, swapped, or are another client's`,
    });
    const { received, broken, ended } = this.peer;
    assert(received === this.due, {
      summary: `${who} does not get all of its replies`,
      expected: `${count(this.due, "byte")}, as many as its lines have`,
      observed: `${count(received, "byte")}, ${broken === undefined ? (ended ? "then the end" : "and nothing more") : `then ${broken}`}`,
      hint: asleep,
    });
  }
}

const asleep =
  "Bytes wait, there is room, and nothing happens: something was to be told once and was missed. Look at what resume does when bytes are there already, and at when onDrain is owed.";

async function pacedClient(context: CheckContext, server: Program, lines?: number): Promise<PacedClient> {
  return new PacedClient(await context.connectRaw(server, small), linePattern(context, lines));
}

/** A client that has sent until nobody took any more, and has read nothing. */
async function stuckClient(context: CheckContext, server: Program): Promise<RawPeer> {
  const client = await context.connectRaw(server, small);
  await client.floodUntilStuck(linePattern(context, 200).sent, flood, { quietMs: 100 });
  return client;
}

/** Clients that have filled every buffer, and then do nothing: a server has nothing to do for them either. */
const stuckSituation: IdleSituation = {
  when: "2 clients do not read their replies, and one of them has ended sending",
  async arrange(context, server) {
    const [ended] = await Promise.all([stuckClient(context, server), stuckClient(context, server)]);
    ended.end();
  },
};

/** How a client that does not read can leave. */
const leaveWhileStuck: [how: string, leave: (client: RawPeer) => void][] = [
  ["has reset its connection", (client) => client.reset()],
  ["has closed its connection", (client) => client.close()],
  [
    "has ended sending and then reset its connection",
    (client) => {
      client.end();
      client.reset();
    },
  ],
];

/** Lets clients leave while they do not read. Fails when the server keeps anything of one of them. */
async function leaveStuck(context: CheckContext, ways: typeof leaveWhileStuck): Promise<void> {
  const server = await context.start();
  const withOne = await descriptorsWithOneClient(context, server);
  const clients = await Promise.all(ways.map(() => stuckClient(context, server)));
  for (const [index, [, leave]] of ways.entries()) leave(clients[index]!);
  const witness = await context.connect(server);
  await exchange(witness, "still there?\n");
  witness.close();
  const who =
    ways.length > 1 ? "clients that did not read have left" : `a client that did not read ${ways[0]![0]}`;
  await expectDescriptorsBelow(context, server, withOne, `after ${who}`);
  expectNoStackTrace(server);
  server.kill("SIGKILL");
  await expectExit(server, 5000, "SIGKILL");
}

export const checks: Check[] = [
  builds("stage-07"),
  announces(),
  ...lineServerChecks(),
  nonBlocking(),

  check(
    "edge-triggered",
    {
      title: "watches its connections edge-triggered",
      points: 2,
      after: ["two-clients"],
      why: "With EPOLLET a connection is registered once for everything, and the kernel tells of changes only: of a client that is not read, or that does not read, nothing is told again and again, and no epoll_ctl is needed to keep it quiet.",
      see: ["epoll(7)", "docs/guides/edge-triggered-epoll.md"],
      byHand: 'grep tfd /proc/"$(pgrep -n node)"/fdinfo/*   (the mask has the bit 80000000)',
    },
    async (context) => {
      const server = await context.start();
      await connectMany(context, server, 3);
      const held = heldConnections(context.tree.alive(), server.port);
      const others = held.filter(
        ({ watchedFor }) => watchedFor.length === 0 || watchedFor.some((mask) => (mask & EPOLLET) === 0),
      );
      assert(held.length >= 3 && others.length === 0, {
        summary:
          held.length < 3
            ? "the accepted sockets were not found"
            : "accepted sockets are not watched edge-triggered",
        expected: "EPOLLET (bit 80000000) in the masks of all 3 accepted sockets",
        observed:
          held.length < 3
            ? `${count(held.length, "socket")} of port ${server.port} in /proc/<pid>/fd`
            : others
                .map(({ fd, watchedFor }) =>
                  watchedFor.length === 0
                    ? `descriptor ${fd}: in no epoll set`
                    : `descriptor ${fd}: mask ${watchedFor.map((mask) => mask.toString(16)).join(", ")}`,
                )
                .join("\n"),
      });
    },
  ),

  check(
    "burst",
    {
      title: "serves 300 clients that come in one burst",
      points: 3,
      after: ["two-clients"],
      why: "Edge-triggered epoll tells that somebody came, not how many wait: who accepts one client for each event leaves the others in the queue, until somebody else comes. Accept until -EAGAIN.",
      see: ["accept4(2)", "epoll(7)", "docs/guides/edge-triggered-epoll.md"],
      byHand:
        "for i in {1..300}; do exec {fd}<>/dev/tcp/127.0.0.1/8001; done   (while the server is stopped with Ctrl-Z)",
    },
    async (context) => {
      const server = await context.start();
      const coming: Promise<TcpPeer>[] = [];
      await whileStopped(context, server, async () => {
        for (let client = 0; client < 300; client++) {
          const connecting = context.connect(server, { withinMs: 15_000 });
          connecting.catch(() => {}); // told below, in its turn
          coming.push(connecting);
        }
        // All that its queue has room for; a shorter queue takes the others later, when they try again.
        const waiting = () =>
          tcpSockets().find(({ listening, port }) => listening && port === server.port)?.receiveQueue;
        await context.waitFor(() => waiting() === 300, 500);
      });
      const clients = await Promise.all(coming);
      for (const [index, client] of clients.entries()) client.send(`burst ${index}\n`);
      for (const [index, client] of [...clients.entries()].reverse()) {
        await client.expect(reversed(`burst ${index}\n`), {
          what: `the reply to one of 300 clients that came at once (number ${index + 1})`,
        });
      }
    },
  ),

  check(
    "long-line",
    {
      title: "reverses a line of 1 MiB",
      points: 2,
      after: ["line-in-pieces"],
      why: "A megabyte passes no buffer in one piece: not the one that you receive into, not the kernel's. What one event brings has to be read until nothing is left, and what does not go out at once has to wait.",
      see: ["recv(2)", "send(2)", "epoll(7)"],
      byHand: "(head -c 1048576 /dev/zero | tr '\\0' x; echo) | nc -N 127.0.0.1 8001 | wc -c",
    },
    async (context) => {
      const server = await context.start();
      const line = Buffer.from(context.random.bytes(MiB)).map((byte) => (byte === 0x0a ? 0x0b : byte));
      for (const late of [false, true]) {
        const client = await context.connect(server);
        if (late) client.pause();
        client.send(line);
        client.send("\nand a short one\n");
        if (late) {
          await client.wasRead();
          client.resume();
        }
        const expected = Buffer.concat([Buffer.from(line).reverse(), Buffer.from("\neno trohs a dna\n")]);
        await client.expect(expected, { what: "the reversed line of 1 MiB", withinMs: 10_000 });
      }
    },
  ),

  check(
    "many-lines",
    {
      title: "answers 100,000 lines in one stream, then ends",
      points: 2,
      after: ["lines-together"],
      why: "Each edge that is missed, each byte that is sent twice, shows sooner or later in a long stream. And at its end nothing may be forgotten: neither the last line nor the end itself.",
      see: ["epoll(7)", "docs/guides/edge-triggered-epoll.md"],
      byHand: "seq 100000 | nc -N 127.0.0.1 8001 | tail -n 1",
    },
    async (context) => {
      const client = await context.connect(await context.start());
      const lines = Array.from({ length: 100_000 }, (_, index) => `${index}:${context.random.next32()}\n`);
      const expected = Buffer.from(
        lines.map((line) => `${[...line.slice(0, -1)].reverse().join("")}\n`).join(""),
      );
      client.send(lines.join(""));
      client.end();
      await client.expect(expected, { what: "the 100,000 replies", withinMs: 20_000 });
      await client.expectEnd({ why: "although its client has ended sending" });
    },
  ),

  check(
    "half-close",
    {
      title: "sees an end that comes with the last bytes, and ends after its own last byte",
      points: 3,
      after: ["reverse-line"],
      why: "The last bytes and the end of the stream may be one edge. Who stops reading when the bytes are there, because less came than the buffer holds, is never told of the end again: the client waits for its last answer, and the connection stays open for ever.",
      see: ["epoll_ctl(2)", "shutdown(2)", "docs/guides/half-close.md"],
      byHand:
        "printf 'one\\ntwo' | nc -N 127.0.0.1 8001   (while the server is stopped with Ctrl-Z; then fg)",
    },
    async (context) => {
      const server = await context.start();
      const before = await descriptorsWithOneClient(context, server);
      for (const length of [5, 65_536, 300_000]) {
        const client = await context.connect(server);
        await exchange(client, "hello\n");
        const rest = context.random.word(length);
        await whileStopped(context, server, async () => {
          client.send(`one\n${rest}`);
          client.end();
          await client.drained();
        });
        await client.expect(reversed(rest).toString().replace(/^/, "eno\n"), {
          what: "the replies to the last bytes, with which the end came",
        });
        await client.expectEnd({ why: "although the end came together with the last bytes" });
        client.close();
      }
      // More than the kernel takes of an answer whose client has little room: the end has to wait for the queue.
      const late = await context.connectRaw({ port: server.port }, small);
      const long = Buffer.alloc(10 * MiB, context.random.word(61));
      await context.waitFor(() => {
        while (late.sent < long.length && late.sendSome(long.subarray(late.sent)) > 0);
        return late.sent === long.length || late.over;
      }, 20_000);
      late.end();
      await context.waitFor(() => (late.unreadByProgram() ?? 0) === 0, 10_000);
      const backwards = Buffer.from(long).reverse();
      let wrongAt: number | undefined;
      let at = 0;
      await late.receive(long.length, (bytes) => {
        if (!backwards.subarray(at, at + bytes.length).equals(bytes)) wrongAt ??= at;
        at += bytes.length;
      });
      await late.receive(1, () => {});
      assert(late.ended && late.received === long.length && wrongAt === undefined, {
        summary:
          "a client that ended its line of 10 MiB by the end of its stream does not get all of it back, then the end",
        expected: `${count(long.length, "byte")}, reversed, then the end of the stream`,
        observed: `${count(late.received, "byte")}${wrongAt === undefined ? "" : `, wrong from byte ${wrongAt} on`}, then ${late.broken ?? (late.ended ? "the end" : "nothing")}`,
      });
      late.close();
      await expectDescriptorsBelow(context, server, before, "after four clients have ended");
    },
  ),

  floodStaysBounded(),

  answersLateReader(nothingAround, {
    title: "gives a client that sends more than is read the whole answer, then the end",
    after: ["many-lines"],
    why: "A client may send all it has, end, and only then read. At that moment bytes wait in five places: its send buffer, your receive buffer, your queue, your send buffer, its receive buffer. All of them have to come, in order, and the end after the last one: not before it, and not as a reset.",
    see: ["send(2)", "shutdown(2)", "docs/guides/backpressure.md"],
  }),

  check(
    "stops-and-goes",
    {
      title: "goes on with a client that stops reading for a moment, again and again",
      points: 3,
      after: ["many-lines"],
      why: "A full queue stops the reading, an empty one lets it go on. With edge-triggered epoll nobody tells you of the bytes that came while you did not read: whoever resumes has to look by itself, or the connection sleeps for ever with work to do.",
      see: ["epoll(7)", "docs/guides/backpressure.md", "docs/guides/edge-triggered-epoll.md"],
    },
    async (context) => {
      const client = await pacedClient(context, await context.start());
      const { peer } = client;
      for (let round = 0; round < 10; round++) {
        // It reads nothing while it sends, until nothing moves any more; then it reads a part, or all there is.
        const limit = peer.sent + 6 * MiB;
        let quiet = 0;
        const isStuck = () => {
          const before = peer.sent;
          if (client.send(limit)) return true;
          quiet = peer.sent === before ? quiet + 1 : 0;
          return quiet >= 10;
        };
        await context.waitFor(isStuck, 5000, 2);
        const wanted = round % 3 === 2 ? Number.POSITIVE_INFINITY : context.random.integer(1, 2 * MiB);
        const begin = peer.received;
        const hasRead = () => {
          client.read(wanted - (peer.received - begin));
          return peer.received - begin >= wanted || client.isThrough;
        };
        if (!(await context.waitFor(hasRead, 5000, 1))) break;
      }
      await context.waitFor(() => client.read(Number.POSITIVE_INFINITY) === 0 && client.isThrough, 5000, 1);
      client.expectComplete("a client that stops reading for a moment, again and again,");
    },
  ),

  check(
    "slow-readers",
    {
      title: "serves 6 slow readers at once, each with its own bytes",
      points: 3,
      after: ["many-lines"],
      why: "Each connection that waits has a queue of its own, and the memory of one queue is used again by the next. A chunk that is given away while its bytes still wait brings one client the bytes of another.",
      see: ["docs/guides/backpressure.md"],
    },
    async (context) => {
      const server = await context.start();
      await exchange(await context.connect(server), "before the slow ones\n");
      const before = residentBytes(context.tree.alive());
      const clients: PacedClient[] = [];
      while (clients.length < 6) clients.push(await pacedClient(context, server, 100));
      let most = 0;
      const move = () => {
        let moved = 0;
        for (const client of clients) {
          const { sent } = client.peer;
          client.send(7 * MiB);
          moved += client.peer.sent - sent;
          // Nobody reads in the first rounds: all buffers fill.
          if (isFull) moved += client.read(context.random.integer(0, 300_000));
        }
        most = Math.max(most, residentBytes(context.tree.alive()));
        return moved;
      };
      let isFull = false;
      let quiet = 0;
      const isStuck = () => {
        quiet = move() === 0 ? quiet + 1 : 0;
        return quiet >= 10;
      };
      await context.waitFor(isStuck, 10_000, 2);
      await exchange(await context.connect(server), "others in between\n");
      isFull = true;
      const isThrough = () => move() === 0 && clients.every((client) => client.isThrough);
      await context.waitFor(isThrough, 20_000, 1);
      for (const [index, client] of clients.entries()) client.expectComplete(`slow reader ${index + 1} of 6`);
      assert(most - before < growthLimit, {
        summary: `${server.name} grows with the number of clients that read slowly`,
        expected: `less than ${growthLimit / MiB} MiB more memory than before, for 6 of them`,
        observed: `${Math.round((most - before) / MiB)} MiB more`,
      });
    },
  ),

  survivesResets(),
  returnsDescriptors(),

  check(
    "gone-while-stuck",
    {
      title: "notices clients that leave while they do not read",
      points: 3,
      after: ["descriptors"],
      why: "Who does not read is not read, and so nobody meets the end of its stream. That it has left is told by EPOLLHUP and EPOLLERR, which epoll tells unasked, and by EPIPE and ECONNRESET from the next send. A server that misses them keeps the descriptor and the queue for ever.",
      see: ["epoll_ctl(2)", "send(2)"],
      byHand: "yes | nc 127.0.0.1 8001 | sleep 60   (then end nc, and count the files in /proc/PID/fd)",
    },
    async (context) => {
      try {
        await leaveStuck(context, leaveWhileStuck);
      } catch (error) {
        if (!(error instanceof CheckFailure)) throw error;
        // Each alone, to name the one.
        for (const way of leaveWhileStuck) await leaveStuck(context, [way]);
        throw error;
      }
    },
  ),

  module("write-order", {
    title: "TcpConnection: what is written arrives whole and in order, also in parts",
    points: 3,
    why: "send takes what fits: all, a part, or nothing. The rest waits, in a copy, since the caller uses its buffer again; and what is written later waits behind it, also when there is room by then.",
    see: ["send(2)"],
  }),
  module("partial-writes", {
    title: "TcpConnection: goes on after a part was taken, until -EAGAIN",
    points: 2,
    why: "Only -EAGAIN promises an edge. A transport that takes a part may have room for more, as an encrypted one does after each record: who waits for an edge then waits for ever.",
    see: ["epoll(7)", "docs/guides/edge-triggered-epoll.md"],
  }),
  module("read-ahead", {
    title: "TcpConnection: reads what its transport holds already",
    points: 1,
    why: "An encrypted transport takes whole records from the kernel and may hold bytes that were not asked for yet. Epoll does not know of them: hasPending tells.",
    see: ["docs/guides/edge-triggered-epoll.md"],
  }),
  module("on-drain", {
    title: "TcpConnection: write says when to pause, and onDrain when to go on",
    points: 3,
    why: "The one promise that flow control rests on: after a write that returned false there is one onDrain, when little waits any more. Without it a paused source sleeps for ever; before its time the queue grows.",
    see: ["docs/guides/backpressure.md"],
  }),
  module("pause-resume", {
    title: "TcpConnection: pause and resume lose nothing, neither bytes nor the end",
    points: 3,
    why: "The edge that told of bytes during a pause is over. Whoever resumes has to look for them by itself.",
    see: ["epoll(7)", "docs/guides/edge-triggered-epoll.md"],
  }),
  module("destroy", {
    title: "TcpConnection: destroy closes once, tells once, and then nothing more",
    points: 2,
    why: "A descriptor's number is given to the next connection as soon as it is closed. Closed twice, it takes somebody else's connection away; read on, it reads somebody else's bytes.",
    see: ["close(2)"],
  }),
  module("handler-error", {
    title: "TcpConnection: a handler that throws costs its own connection",
    points: 1,
    why: "A fault in the code for one request must not end the server, nor leave its connection open in a state that nobody knows.",
    see: ["docs/roadmap/phase-1/stage-7.md"],
  }),
  module("graceful", {
    title: "TcpConnection: endGracefully brings the whole answer although input is unread",
    points: 3,
    waits: true,
    why: "A close with unread input is answered by a reset, and a reset throws away what is still on its way: the client loses the answer that it was sent. So a server ends its stream first, and drops what still comes until the peer has ended too, or a second has passed.",
    see: ["close(2)", "tcp(7)", "RFC 9112 §9.6"],
  }),
  module("abort", {
    title: "TcpConnection: abort lets the peer see a reset",
    points: 1,
    why: "When an answer breaks off, an orderly end would make a part look like the whole. A reset says what happened.",
    see: ["socket(7)"],
  }),
  module("breaks", {
    title: "TcpConnection: a connection that breaks is told once, in whatever state",
    points: 3,
    why: "Idle, paused, with a full queue, half-closed: in each of these states the news comes in another way, and the one that is missed leaves a connection behind that nobody will ever close.",
    see: ["epoll_ctl(2)", "recv(2)"],
  }),
  module("server-destroy", {
    title: "TcpServer: destroy closes its connections and frees the port",
    points: 2,
    why: "Who creates a resource has to be able to give back everything that came of it.",
    see: ["close(2)"],
  }),
  module("no-descriptors", {
    title: "TcpServer: rests when no descriptor is left, and comes back",
    points: 2,
    waits: true,
    why: "accept4 returns -EMFILE, and the client stays in the queue. Asked again at once it spins; and since clients that wait make no new edge, a server that only waits for the next event never accepts them.",
    see: ["accept4(2)", "getrlimit(2)"],
  }),

  sleepsWhenIdle(nothingAround, [...idleSituations, stuckSituation]),
  portTaken(),
  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["8001", "70000"], names: "70000" },
    { args: ["8001", "8002", "8001"], names: "8001" },
    { args: ["8001", "8002", "8003", "8004", "8005"], names: "8005" },
    { args: ["--port", "8001"], names: "--port" },
  ]),
  endsCleanly(),
  endsUnderLoad(),
  restarts(),
  onlySystemCalls(),
];
