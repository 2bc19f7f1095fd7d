import { type Check, check } from "../checks.ts";
import { returnsDescriptors } from "./general/descriptors.ts";
import { endsOnSignal, restarts } from "./general/endings.ts";
import { answersLateReader } from "./general/flood.ts";
import { idleSituations, sleepsWhenIdle } from "./general/idle.ts";
import { lineServerChecks } from "./general/line-server.ts";
import { connectMany } from "./general/lines.ts";
import { nonBlocking } from "./general/non-blocking.ts";
import { survivesResets } from "./general/resets.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";
import { answersLongLine, unreadReplies } from "./general/unread-replies.ts";

export const checks: Check[] = [
  builds("stage-05"),
  announces(),
  ...lineServerChecks(),
  nonBlocking(),
  answersLongLine(),
  answersLateReader(),
  survivesResets(),
  returnsDescriptors(),
  sleepsWhenIdle(undefined, [...idleSituations, ...unreadReplies]),
  check(
    "listen-on",
    {
      title: "listenOn: sockets that do not wait, for IPv4 and IPv6",
      points: 1,
      after: ["builds"],
      why: "Every later stage listens with this function. A listening socket that waits stops the server when there is nobody to accept; one that is inherited keeps its port taken by the programs that a server starts.",
      see: ["socket(2)", "ipv6(7)", "docs/guides/blocking-and-non-blocking-io.md"],
    },
    ({ probe }) => probe("listen-on"),
  ),
  check(
    "line-reverser",
    {
      title: "LineReverser: every way to cut a stream gives the same lines",
      points: 1,
      after: ["builds"],
      why: "The buffer in which bytes arrive is larger than what arrives, and used again and again: only the first `length` bytes belong to the stream, and what must last longer has to be copied.",
      see: ["docs/guides/tcp-is-a-byte-stream.md"],
    },
    ({ probe }) => probe("line-reverser"),
  ),
  check(
    "write-interest",
    {
      title: "Client: asks for EPOLLOUT while something waits, and only then",
      points: 2,
      after: ["builds"],
      why: "A socket with room in its send buffer is ready for writing all the time: whoever asks for EPOLLOUT without need is woken without end. Whoever does not ask when bytes wait never sends them.",
      see: ["epoll_ctl(2)", "docs/guides/blocking-and-non-blocking-io.md"],
    },
    ({ probe }) => probe("write-interest"),
  ),
  check(
    "client-end",
    {
      title: "Client: tells the peer's end once, and asks for no more input",
      points: 1,
      after: ["builds"],
      why: "The end of a stream stays readable: recv returns 0 again and again. Whoever goes on asking for EPOLLIN is woken without end, and whoever tells the end twice answers it twice.",
      see: ["recv(2)", "epoll_ctl(2)", "docs/guides/half-close.md"],
    },
    ({ probe }) => probe("client-end"),
  ),
  check(
    "client-destroy",
    {
      title: "Client: destroy closes once, and leaves the poller first",
      points: 1,
      after: ["builds"],
      why: "A descriptor's number is given to the next socket as soon as it is closed. Closed twice, it takes somebody else's connection away.",
      see: ["close(2)"],
    },
    ({ probe }) => probe("client-destroy"),
  ),
  check(
    "server-destroy",
    {
      title: "Server: destroy closes its clients and frees the port",
      points: 2,
      after: ["builds"],
      why: "Who creates a resource has to be able to give back everything that came of it; a server's clients come of it.",
      see: ["close(2)"],
    },
    ({ probe }) => probe("server-destroy"),
  ),
  check(
    "no-descriptor",
    {
      title: "Server: with no descriptor left it waits until a client leaves",
      points: 1,
      after: ["builds"],
      why: "At EMFILE the connection stays in the queue and the listening socket ready: level-triggered epoll returns at once, for ever. A server that looks away has to look again when there is room.",
      see: ["accept(2)", "getrlimit(2)"],
    },
    ({ probe }) => probe("no-descriptor"),
  ),
  check(
    "busy-port",
    {
      title: "Server: a port that is taken is an error that leaves nothing open",
      points: 1,
      after: ["builds"],
      why: "What fails half-way has to undo its first half. A program that tries port after port would otherwise collect a socket with each.",
      see: ["bind(2)"],
    },
    ({ probe }) => probe("busy-port"),
  ),
  portTaken(),
  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["8001", "70000"], names: "70000" },
    { args: ["8001", "8002", "8001"], names: "8001" },
    { args: ["8001", "8002", "8003", "8004", "8005"], names: "8005" },
    { args: ["--port", "8001"], names: "--port" },
  ]),
  endsOnSignal([
    ({ start }, options) => start(options),
    async (context, options) => {
      const server = await context.start(options);
      await connectMany(context, server, 3);
      return server;
    },
  ]),
  restarts(),
  onlySystemCalls(),
];
