import { type Check, type CheckOptions, check } from "../checks.ts";
import { returnsDescriptors } from "./general/descriptors.ts";
import { endsCleanly, endsUnderLoad, restarts } from "./general/endings.ts";
import { answersLateReader } from "./general/flood.ts";
import { idleSituations, sleepsWhenIdle } from "./general/idle.ts";
import { lineServerChecks } from "./general/line-server.ts";
import { nonBlocking } from "./general/non-blocking.ts";
import { survivesResets } from "./general/resets.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";
import { answersLongLine, unreadReplies } from "./general/unread-replies.ts";

/** A check whose whole work a probe of the same name does. */
function module(id: string, options: CheckOptions, withinMs = 5000): Check {
  return check(id, { after: ["builds"], ...options }, ({ probe }) => probe(id, { withinMs }));
}

const timers = [
  module("timers-order", {
    title: "Timers: called in the order of their times, never early, each on its own",
    points: 3,
    why: "Everything that a server must not wait for without end hangs on a timer. The one that is due first has to be the one that the loop asks for, whatever the order in which they were set; and what one of them throws is no reason to leave out the others.",
    see: ["docs/roadmap/phase-1/stage-6.md"],
  }),
  module("timers-rearm", {
    title: "Timers: cancelled, and re-armed to earlier and to later",
    points: 3,
    why: "A connection's time-out begins anew with every message, and is cancelled at its end. The timer that keeps its old time closes a connection in the midst of its work, or somebody else's; the one that forgets its new time never closes it.",
    see: ["docs/roadmap/phase-1/stage-6.md"],
  }),
  module("timers-many", {
    title: "Timers: of 10,000 none is lost, doubled or swapped",
    points: 2,
    why: "A heap with one wrong comparison works with five timers. With thousands, set and cancelled in any order, each place in it is taken and left in every possible way.",
    see: ["docs/roadmap/phase-1/stage-6.md"],
  }),
  module("timers-cost", {
    title: "Timers: as cheap with 10,000 as with ten",
    points: 1,
    alone: true,
    why: "Each connection re-arms its timer with each message, and each turn asks for the next timer. What searches through all of them makes every message dearer with every client that is connected.",
    see: ["docs/roadmap/phase-1/stage-6.md"],
  }),
];

const loop = [
  module("loop-tells", {
    title: "Loop: tells handlers what they ask for, as long as they ask",
    points: 1,
    why: "add, modify and remove are all that a server knows of the loop. What they say must hold from the next turn on.",
    see: ["epoll_ctl(2)", "epoll_wait(2)"],
  }),
  module("loop-detach", {
    title: "Loop: a handler that was removed in the same batch is not called",
    points: 2,
    after: ["loop-tells"],
    why: "epoll_wait brings many events at once. A handler may close connections whose events are further down in the same batch: their handlers are gone, and must not hear of it.",
    see: ["epoll(7)", "epoll_wait(2)"],
  }),
  module("loop-reuse", {
    title: "Loop: a reused descriptor number doesn't get the old one's event",
    points: 2,
    after: ["loop-tells"],
    why: "The kernel gives out the lowest free number. A connection that was closed and one that was accepted in the same batch have the same number; the event that is left over belongs to the closed one.",
    see: ["epoll(7)", "close(2)"],
  }),
  module("loop-attach", {
    title: "Loop: handlers add descriptors, also ready ones, and remove and add again",
    points: 2,
    after: ["loop-tells"],
    why: "Accepting a client is adding a descriptor in the midst of a batch, and its first bytes may be there already. A guard against old events must not lose new ones.",
    see: ["epoll_ctl(2)"],
  }),
  module("loop-errors", {
    title: "Loop: what a handler throws reaches its onError only",
    points: 2,
    after: ["loop-tells"],
    why: "A program has faults. One that shows with one client should cost this one client its connection, and nobody else theirs.",
    see: ["docs/roadmap/phase-1/stage-6.md"],
  }),
  module("loop-again", {
    title: "Loop: again(fd, events) tells a handler once more in the next turn",
    points: 1,
    after: ["loop-tells"],
    why: "A handler that could go on for ever has to let others take their turn, and be called again although epoll has nothing new to say. Too early, and the others wait; too late, and it sleeps with work to do.",
    see: ["docs/roadmap/phase-1/stage-6.md"],
  }),
  module("loop-timers", {
    title: "Loop: timers are called at their times, idle or busy",
    points: 2,
    after: ["loop-tells", "timers-order", "timers-rearm"],
    why: "The time until the next timer is epoll_wait's time-out: a loop that sleeps longer is late, and one that looks at timers only when no event comes never calls them on a busy day.",
    see: ["epoll_wait(2)"],
  }),
  module("loop-sleeps", {
    title: "Loop: sleeps until the next timer, without asking in between",
    points: 2,
    after: ["loop-timers"],
    alone: true,
    why: "Between two events there is nothing to do. A loop that asks again and again whether a timer is due, be it only in the last millisecond, burns a processor for it.",
    see: ["epoll_wait(2)"],
  }),
  module("loop-node", {
    title: "Loop: Node's signals, timers, children and promises go on",
    points: 2,
    after: ["loop-tells"],
    why: "A signal's handler, a child's end, a file read by a promise: all of them come by Node's own loop. Ours sits on Node's thread and has to give it back when Node has something to do, also under full load.",
    see: ["docs/roadmap/phase-1/stage-6.md", "docs/reference/linux.md"],
  }),
  module(
    "loop-scale",
    {
      title: "Loop: an event costs the same with 10 and with 20,000 idle descriptors",
      points: 3,
      after: ["loop-tells"],
      alone: true,
      why: "Most connections of a server are idle most of the time. epoll_wait costs nothing for them; a loop that searches a list for the handler of each event pays for each of them, each time.",
      see: ["epoll(7)", "docs/guides/epoll.md"],
    },
    20_000,
  ),
];

const core = [
  module("core-owns", {
    title: "Core: destroys what it owns, once, the youngest first, however it ends",
    points: 3,
    after: ["loop-timers"],
    why: "What was made last may use what was made before. Whoever owns everything gives everything back, in the reverse order, and also when one part of it makes trouble or an error ends the loop.",
    see: ["docs/roadmap/phase-1/stage-6.md"],
  }),
  module("core-signals", {
    title: "Core: SIGINT and SIGTERM end it, and its handlers go with it",
    points: 2,
    after: ["loop-node"],
    why: "A handler for a signal takes the signal's usual effect away. It has to be there while the core runs, and to be gone afterwards: a program that is left without its loop could not be ended any more.",
    see: ["signal(7)"],
  }),
];

export const checks: Check[] = [
  builds("stage-06"),
  ...timers,
  ...loop,
  ...core,
  announces(),
  ...lineServerChecks(),
  nonBlocking(),
  answersLongLine(),
  answersLateReader(),
  survivesResets(),
  returnsDescriptors(),
  sleepsWhenIdle(undefined, [...idleSituations, ...unreadReplies]),
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
