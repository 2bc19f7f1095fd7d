import { check } from "../checks.ts";
import type { CheckContext } from "../engine/context.ts";
import { assert, count } from "../engine/evidence.ts";
import { listenersOn } from "../engine/listeners.ts";
import { epollSets, openDescriptors } from "../engine/proc.ts";
import { returnsDescriptors } from "./general/descriptors.ts";
import { endsOnSignal, restarts } from "./general/endings.ts";
import { sleepsWhenIdle } from "./general/idle.ts";
import { connectMany, exchange } from "./general/lines.ts";
import { survivesResets } from "./general/resets.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";

const oneClient = "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'hello\\n' >&3; head -n 1 <&3";
const twoClients =
  "exec 3<>/dev/tcp/127.0.0.1/8080 4<>/dev/tcp/127.0.0.1/8080; printf 'second\\n' >&4; head -n 1 <&4; printf 'first\\n' >&3; head -n 1 <&3";

/** The bits of an event mask that a waiting client raises: EPOLLIN and EPOLLRDNORM, which are the same for sockets. */
const readable = 0x041;

/** The program's descriptors that listen on a port, and what its epoll sets hold. */
function lookForListener({ tree }: CheckContext, port: number) {
  const sockets = new Set(listenersOn(port).map(({ inode }) => `socket:[${inode}]`));
  const processes = tree.alive().map(({ pid }) => ({
    pid,
    listeners: openDescriptors(pid).filter(({ target }) => sockets.has(target)),
    sets: epollSets(pid),
  }));
  const watched = processes.some(({ listeners, sets }) =>
    listeners.some(({ fd: listener }) =>
      sets.some(({ entries }) => entries.some(({ fd, events }) => fd === listener && events & readable)),
    ),
  );
  return { watched, processes };
}

/** All threads of all processes of the program. */
function countThreads({ tree }: CheckContext): number {
  return tree.alive().reduce((sum, { threads }) => sum + threads, 0);
}

/** Threads that a language's runtime may start late for its own purposes, whatever the clients do. */
const runtimeThreads = 10;

export const checks = [
  builds("epoll-server"),
  announces(),

  check(
    "reverse-line",
    {
      title: "reverses one line",
      points: 1,
      after: ["builds"],
      why: "What the stage-1 server did for its one client, this server does for each: bytes come with recv, and what goes back with send is their reverse.",
      see: ["recv(2)", "send(2)"],
      byHand: oneClient,
    },
    async ({ start, connect, random }) => {
      const client = await connect(await start());
      await exchange(client, "hello\n");
      await exchange(client, `${random.word(20, 40)}\n`);
      await exchange(client, `${random.word(9998)}\n`);
    },
  ),

  check(
    "two-clients",
    {
      title: "serves two clients in turn, whoever speaks",
      points: 3,
      after: ["reverse-line"],
      why: "A server that waits in recv for one client is deaf to the other. epoll_wait waits for all of them at once and says who has something.",
      see: ["epoll(7)", "epoll_wait(2)"],
      byHand: twoClients,
    },
    async ({ start, connect, random }) => {
      const server = await start();
      const first = await connect(server);
      const second = await connect(server);
      // The one that came last speaks first: a server that serves in the order of coming is stuck here.
      await exchange(second, "the second client speaks first\n");
      await exchange(first, "now the first\n");
      for (let turn = 0; turn < 30; turn++) {
        await exchange(random.pick([first, second]), `${random.word(0, 100)}\n`);
      }
      // Both at the same time: each gets its own answer.
      for (let turn = 0; turn < 10; turn++) {
        const lines = [`${random.word(10, 100)}\n`, `${random.word(10, 100)}\n`] as const;
        await Promise.all([exchange(first, lines[0]), exchange(second, lines[1])]);
      }
    },
  ),

  check(
    "silent-client",
    {
      title: "a silent client keeps nobody waiting",
      points: 2,
      after: ["reverse-line"],
      why: "Somebody connects and says nothing: that is all it takes to stop a server that reads from each client right after accept.",
      see: ["accept(2)", "epoll_wait(2)"],
      byHand: `exec 5<>/dev/tcp/127.0.0.1/8080; ${oneClient}`,
    },
    async ({ start, connect }) => {
      const server = await start();
      const silent = await connect(server);
      const speaking = await connect(server);
      await exchange(speaking, "the one before me is silent\n");
      // One that was served and then falls silent must not keep the next one waiting either.
      const late = await connect(server);
      await exchange(late, "two before me are silent\n");
      await exchange(silent, "I speak at last\n");
      await exchange(speaking, "and I once more\n");
    },
  ),

  check(
    "five-hundred",
    {
      title: "serves 500 clients, answered in reverse order of connecting",
      points: 4,
      after: ["two-clients"],
      why: "One thread and one epoll set serve as many clients as there are descriptors, in whatever order they speak. The array of epoll_wait may be small: events that do not fit come with the next call.",
      see: ["epoll_wait(2)", "getrlimit(2)"],
    },
    async (context) => {
      const { random } = context;
      const clients = await connectMany(context, await context.start(), 500);
      for (const client of clients.toReversed()) await exchange(client, `${random.word(1, 40)}\n`);
      // And all at once: more events than any array of epoll_wait holds may be waiting.
      await Promise.all(
        random.shuffle(clients).map((client) => exchange(client, `${random.word(1, 40)}\n`, 20_000)),
      );
    },
  ),

  check(
    "leaver",
    {
      title: "a client that leaves disturbs nobody",
      points: 2,
      after: ["two-clients"],
      why: "recv returns 0 when a client has ended sending: its descriptor leaves the set and is closed, and the server goes on. The next client gets the same number; nothing of the old one may stick to it.",
      see: ["recv(2)", "close(2)", "epoll_ctl(2)"],
      byHand: `${twoClients}; exec 3>&-; printf 'still here\\n' >&4; head -n 1 <&4`,
    },
    async (context) => {
      const { random } = context;
      const server = await context.start();
      let present = await connectMany(context, server, 5);
      for (let round = 0; round < 12; round++) {
        const leaver = random.pick(present);
        present = present.filter((client) => client !== leaver);
        if (round % 3 === 0) {
          leaver.end();
          await leaver.expectEnd({ why: "although its client has ended sending" });
        }
        leaver.close();
        const newcomer = await context.connect(server);
        present.push(newcomer);
        for (const client of random.shuffle(present)) await exchange(client, `${random.word(5, 30)}\n`);
      }
      for (const client of present) client.close();
      await exchange(await context.connect(server), "all the others have left\n");
    },
  ),

  check(
    "all-bytes",
    {
      title: "keeps every byte value",
      points: 1,
      after: ["reverse-line"],
      why: "TCP carries bytes. A program that turns them into text on the way destroys those that are no UTF-8, and one that stops at a zero byte loses the rest.",
      see: ["docs/guides/tcp-is-a-byte-stream.md"],
    },
    async ({ start, connect, random }) => {
      const client = await connect(await start());
      const everyByte = Array.from({ length: 256 }, (_, value) => value).filter((value) => value !== 0x0a);
      await exchange(client, Uint8Array.from([...everyByte, 0x0a]));
      await exchange(client, Uint8Array.from([...random.shuffle(everyByte), 0x0a]));
    },
  ),

  check(
    "in-epoll-set",
    {
      title: "watches the listening socket with epoll",
      points: 2,
      after: ["builds"],
      why: "A waiting client makes the listening socket readable. In the epoll set it wakes the loop like any message does; outside of it, somebody must ask again and again whether a client has come.",
      see: ["epoll_ctl(2)", "accept(2)", "proc(5)"],
      byHand: 'grep tfd /proc/"$(pgrep -n node)"/fdinfo/*',
    },
    async (context) => {
      const server = await context.start();
      const watched = await context.waitFor(() => lookForListener(context, server.port).watched, 5000);
      if (watched) return;
      const { processes } = lookForListener(context, server.port);
      const observed = processes.flatMap(({ pid, listeners, sets }) => [
        `process ${pid} listens with descriptor ${listeners.map(({ fd }) => fd).join(", ") || "none"}`,
        ...sets.map(({ epollFd, entries }) =>
          entries.length === 0
            ? `its epoll set ${epollFd} is empty`
            : `its epoll set ${epollFd} watches ${entries.map(({ fd, events }) => `${fd} (events ${events.toString(16)})`).join(", ")}`,
        ),
      ]);
      assert(false, {
        summary: "the listening socket is in no epoll set",
        expected: "an epoll set that watches the listening socket's descriptor for EPOLLIN",
        observed: observed.join("\n") || "the program has ended",
      });
    },
  ),

  check(
    "one-thread",
    {
      title: "needs no more threads for more clients",
      points: 1,
      after: ["two-clients"],
      why: "A thread or a process for each client costs memory and time to switch, and a thousand clients bring a machine down. An event loop needs one thread for all of them.",
      see: ["epoll(7)", "proc(5)"],
      byHand: 'grep Threads /proc/"$(pgrep -n node)"/status',
    },
    async (context) => {
      const server = await context.start();
      await connectMany(context, server, 1);
      const withOne = countThreads(context);
      await connectMany(context, server, 99);
      const withHundred = countThreads(context);
      assert(withHundred <= withOne + runtimeThreads, {
        summary: `${server.name} starts threads or processes for its clients`,
        expected: `${count(withOne, "thread")} with 100 clients as with one`,
        observed: `${count(withHundred, "thread")} with 100 clients, ${withOne} with one`,
      });
    },
  ),

  returnsDescriptors(),
  sleepsWhenIdle(),
  survivesResets(),
  portTaken(),
  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["70000"], names: "70000" },
    { args: ["8080", "surplus"], names: "surplus" },
  ]),
  endsOnSignal(
    [
      ({ start }) => start(),
      async (context) => {
        const server = await context.start();
        await connectMany(context, server, 3);
        return server;
      },
    ],
    { after: ["two-clients"] },
  ),
  restarts(),
  onlySystemCalls(),
];
