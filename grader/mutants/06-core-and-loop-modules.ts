import type { Mutant } from "../mutants.ts";

const entry = "src/stage-06.ts";
const timers = "src/core/timers.ts";
const loop = "src/core/loop.ts";
const core = "src/core/core.ts";
const client = "src/network/client.ts";
const lines = "src/network/lines.ts";
const server = "src/network/server.ts";
const socket = "src/network/socket.ts";
const commandLine = "src/command-line.ts";

const ofTimers: Mutant[] = [
  {
    name: "sorts-by-the-order-of-setting",
    file: timers,
    edits: [
      [
        "return one.sortedBy < other.sortedBy || (one.sortedBy === other.sortedBy && one.sequence < other.sequence);",
        "return one.sequence < other.sequence;",
      ],
    ],
    fails: ["timers-order", "timers-many"],
  },
  {
    name: "forgets-who-was-set-first",
    file: timers,
    edits: [[" || (one.sortedBy === other.sortedBy && one.sequence < other.sequence)", ""]],
    fails: ["timers-order"],
  },
  {
    name: "calls-a-millisecond-early",
    file: timers,
    edits: [["next.due > now ||", "next.due > now + 1 ||"]],
    fails: ["timers-order"],
  },
  {
    name: "calls-new-timers-at-once",
    file: timers,
    edits: [[" || next.sequence >= firstOfNextCall", ""]],
    fails: ["timers-order"],
  },
  {
    name: "asks-to-sleep-a-negative-time",
    file: timers,
    edits: [["Math.max(0, next.due - this.#clock())", "next.due - this.#clock()"]],
    fails: ["timers-order"],
  },
  {
    name: "lets-one-timer-stop-the-others",
    file: timers,
    edits: [["        next.onError(error);", "        throw error;"]],
    fails: ["timers-order"],
  },
  {
    name: "does-not-cancel",
    file: timers,
    edits: [["if (timer.place !== -1) this.#remove(timer);", "timer.onExpire.toString();"]],
    fails: ["timers-rearm", "timers-many"],
  },
  {
    name: "cancels-what-is-not-set",
    file: timers,
    edits: [
      ["if (timer.place !== -1) this.#remove(timer);", "if (this.#heap.length > 0) this.#remove(timer);"],
    ],
    fails: ["timers-rearm", "timers-many"],
  },
  {
    name: "takes-an-expired-timer-for-set",
    file: timers,
    edits: [["    timer.place = -1;\n", ""]],
    fails: ["timers-rearm"],
  },
  {
    name: "re-arms-to-later-only",
    file: timers,
    edits: [["} else if (timer.due >= timer.sortedBy) {", "} else {"]],
    fails: ["timers-rearm", "timers-many"],
  },
  {
    name: "expires-at-the-old-time",
    file: timers,
    edits: [["root.sortedBy = root.due;", "root.due = root.sortedBy;"]],
    fails: ["timers-rearm"],
  },
  {
    name: "finds-the-wrong-parent",
    file: timers,
    edits: [["(place - 1) >> 1", "place >> 1"]],
    fails: ["timers-many"],
  },
  {
    name: "looks-at-the-left-child-only",
    file: timers,
    edits: [["right !== undefined && isBefore(right, left) ? right : left", "left ?? right"]],
    fails: ["timers-many"],
  },
  {
    name: "fills-a-gap-downwards-only",
    file: timers,
    edits: [["      this.#moveUp(last);\n", ""]],
    fails: ["timers-many"],
  },
  {
    name: "searches-all-timers-for-the-next",
    file: timers,
    edits: [
      [
        "const root = this.#heap[0];",
        "const root = this.#heap.reduce<Timer | undefined>((a, b) => (a !== undefined && a.due <= b.due ? a : b), undefined);",
      ],
    ],
    fails: ["timers-cost"],
  },
];

const ofTheLoop: Mutant[] = [
  {
    name: "reads-the-clock-before-it-sleeps-only",
    file: loop,
    edits: [["    this.#turn++;\n    this.now = performance.now();\n", "    this.#turn++;\n"]],
    fails: ["loop-timers"],
  },
  {
    name: "modifies-nothing",
    file: loop,
    edits: [["    epoll_ctl(this.#epoll, EPOLL_CTL_MOD, fd, events);\n", "    EPOLL_CTL_MOD;\n"]],
    fails: ["loop-tells"],
  },
  {
    name: "leaves-it-in-the-epoll-set",
    file: loop,
    edits: [["    epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd);\n", "    EPOLL_CTL_DEL;\n"]],
    fails: ["loop-tells"],
  },
  {
    name: "leaves-its-epoll-set-open",
    file: loop,
    edits: [["    close(this.#epoll);\n", "    close;\n"]],
    fails: ["core-owns"],
  },
  {
    name: "finds-all-handlers-before-it-calls-one",
    file: loop,
    edits: [
      [
        "    for (let i = 0; i < count; i++) {",
        "    const found = Array.from({ length: Math.max(0, count) }, (_, i) => this.#watches[this.#events.data(i)]);\n    for (let i = 0; i < count; i++) {",
      ],
      [
        "this.#tell(this.#watches[fd], this.#events.events(i))",
        "this.#tell(found[i], this.#events.events(i))",
      ],
    ],
    fails: ["loop-detach", "loop-reuse"],
  },
  {
    name: "takes-every-event-for-a-living-handler",
    file: loop,
    edits: [["watch === undefined || watch.since", "watch!.since"]],
    fails: ["loop-detach"],
  },
  {
    name: "goes-by-the-number-alone",
    file: loop,
    edits: [[" || watch.since === this.#turn", ""]],
    fails: ["loop-reuse"],
  },
  {
    name: "passes-over-new-ones-for-a-turn",
    file: loop,
    edits: [["since: this.#turn, again", "since: this.#turn + 1, again"]],
    fails: ["loop-attach"],
  },
  {
    name: "ends-with-the-first-error",
    file: loop,
    edits: [["      watch.handler.onError(error);", "      throw error;"]],
    fails: ["loop-errors"],
  },
  {
    name: "swallows-errors",
    file: loop,
    edits: [["      watch.handler.onError(error);\n", "      void error;\n"]],
    fails: ["loop-errors"],
  },
  {
    name: "tells-again-in-the-same-turn",
    file: loop,
    edits: [
      [
        "    let again = nothing;\n    if (this.#again.length > 0) {\n      again = this.#again;\n      this.#again = [];\n    }",
        "    const again = this.#again;\n    if (again.length > 0) this.#again = [];\n    void nothing;",
      ],
    ],
    fails: ["loop-again"],
  },
  {
    name: "sleeps-although-again-was-called",
    file: loop,
    edits: [["this.#again.length > 0 ? 0 : this.timers", "this.timers"]],
    fails: ["loop-again"],
  },
  {
    name: "tells-the-last-events-of-again-only",
    file: loop,
    edits: [["watch.again |= events;", "watch.again = events;"]],
    fails: ["loop-again"],
  },
  {
    name: "tells-again-what-was-removed",
    file: loop,
    edits: [["if (this.#watches[watch.fd] === watch) this.#tell", "this.#tell"]],
    fails: ["loop-again"],
  },
  {
    name: "looks-at-timers-when-nothing-else-happens",
    file: loop,
    edits: [["    this.timers.expire();", "    if (count === 0) this.timers.expire();"]],
    fails: ["loop-timers"],
  },
  {
    name: "sleeps-past-its-timers",
    file: loop,
    edits: [["? 0 : this.timers.untilNext();", "? 0 : -1;"]],
    fails: ["loop-timers"],
  },
  {
    name: "rounds-its-sleep-down",
    file: loop,
    edits: [["Math.ceil(untilTimer)", "Math.floor(untilTimer)"]],
    fails: ["loop-sleeps"],
  },
  {
    name: "never-sleeps",
    file: loop,
    edits: [["Math.min(Math.ceil(untilTimer), longestSleep)", "Math.min(0, longestSleep)"]],
    fails: ["loop-sleeps", "idle-cpu"],
  },
  {
    name: "never-gives-the-thread-to-node",
    file: loop,
    edits: [["if (fd === this.#nodeFd) isNodeReady = true;", "if (fd === this.#nodeFd) continue;"]],
    fails: ["loop-node"],
  },
  {
    name: "gives-the-thread-to-node-when-nothing-else-happens",
    file: loop,
    edits: [
      ["if (fd === this.#nodeFd) isNodeReady = true;", "if (fd === this.#nodeFd) isNodeReady = count === 1;"],
    ],
    fails: ["loop-node"],
  },
  {
    name: "stops-when-it-was-quiet-for-a-while",
    file: loop,
    edits: [
      ["  #turn = 0;\n", "  #turn = 0;\n  #busyAt = 0;\n"],
      [
        "      watch.handler.onReady(events);",
        "      this.#busyAt = this.now;\n      watch.handler.onReady(events);",
      ],
      [
        "  stop(): void {\n    this.#running = false;",
        "  stop(): void {\n    if (performance.now() - this.#busyAt < 200) setTimeout(() => this.stop(), 20);\n    else this.#running = false;",
      ],
    ],
    fails: ["ends-under-load"],
  },
  {
    name: "searches-a-list-for-the-handler",
    file: loop,
    edits: [["this.#tell(this.#watches[fd],", "this.#tell(this.#watches.find((each) => each?.fd === fd),"]],
    fails: ["loop-scale"],
  },
  {
    name: "searches-a-list-to-remove",
    file: loop,
    edits: [
      [
        "    this.#watches[fd] = undefined;",
        "    this.#watches[this.#watches.findIndex((each) => each?.fd === fd)] = undefined;",
      ],
    ],
    fails: ["loop-scale"],
  },
];

const ofTheCore: Mutant[] = [
  {
    name: "destroys-the-oldest-first",
    file: core,
    edits: [["[...this.#owned].reverse()", "[...this.#owned]"]],
    fails: ["core-owns"],
  },
  {
    name: "stops-destroying-at-the-first-trouble",
    file: core,
    edits: [["        errors.push(error);", "        throw error;"]],
    fails: ["core-owns"],
  },
  {
    name: "destroys-what-was-given-up",
    file: core,
    edits: [["    this.#owned.delete(resource);\n", "    void resource;\n"]],
    fails: ["core-owns"],
  },
  {
    name: "destroys-nothing-after-an-error",
    file: core,
    edits: [
      ["    try {\n      await this.loop.run();\n    } finally {", "    await this.loop.run();\n    {"],
    ],
    fails: ["core-owns"],
  },
  {
    name: "ignores-sigterm",
    file: core,
    edits: [['    process.on("SIGTERM", stop);\n', ""]],
    fails: ["core-signals", "ends-cleanly"],
  },
  {
    name: "leaves-its-signal-handlers",
    file: core,
    edits: [
      ['      process.off("SIGINT", stop);\n', ""],
      ['      process.off("SIGTERM", stop);\n', ""],
    ],
    fails: ["core-signals"],
  },
  {
    name: "exits-in-the-signal-handler",
    file: core,
    edits: [["const stop = () => this.stop();", "const stop = () => process.exit(0);"]],
    fails: ["core-signals"],
  },
  {
    name: "ends-with-the-status-of-a-killed-program",
    file: core,
    edits: [["const stop = () => this.stop();", "const stop = () => process.exit(130);"]],
    fails: ["ends-cleanly"],
  },
];

const ofTheProgram: Mutant[] = [
  {
    name: "syntax-error",
    file: entry,
    edits: [["const core = new Core();", "const core = new Core(;"]],
    fails: ["builds"],
  },
  {
    name: "announces-one-port-only",
    file: entry,
    edits: [["of servers) process", "of servers.slice(0, 1)) process"]],
    fails: ["announces"],
  },
  {
    name: "leaves-a-timer-of-nodes-behind",
    file: entry,
    edits: [["const core = new Core();", "const core = new Core();\nsetInterval(() => {}, 1000);"]],
    fails: ["ends-cleanly"],
  },
  {
    name: "serves-the-first-port-only",
    file: entry,
    edits: [
      ["ports.map((port) =>", "ports.map((port, index) =>"],
      ["port }, reverseLines)", "port }, index === 0 ? reverseLines : () => {})"],
    ],
    fails: ["reverse-line"],
  },
  {
    name: "answers-the-first-line-of-a-recv-only",
    file: lines,
    edits: [["      next = end + 1;\n    }", "      next = end + 1;\n      break;\n    }"]],
    fails: ["lines-together"],
  },
  {
    name: "forgets-the-part-of-a-line",
    file: lines,
    edits: [["if (next < length) this.#keep(bytes.subarray(next, length));", ""]],
    fails: ["line-in-pieces"],
  },
  {
    name: "does-not-end-with-its-client",
    file: entry,
    edits: [["    client.end();\n", ""]],
    fails: ["unfinished-line"],
  },
  {
    name: "keeps-a-view-instead-of-a-copy",
    file: lines,
    edits: [["this.#unfinished.push(new Uint8Array(part));", "this.#unfinished.push(part);"]],
    fails: ["two-clients"],
  },
  {
    name: "has-room-for-64-watched-descriptors",
    file: loop,
    edits: [
      [
        "  add(fd: number, events: number, handler: Handler): void {\n",
        "  add(fd: number, events: number, handler: Handler): void {\n    if (this.#watches.filter(Boolean).length === 64) return;\n",
      ],
    ],
    fails: ["many-clients"],
  },
  {
    name: "makes-text-of-the-bytes",
    file: entry,
    edits: [
      [
        "client.send(bytes.subarray(0, length))",
        "client.send(Buffer.from(Buffer.from(bytes.subarray(0, length)).toString()))",
      ],
    ],
    fails: ["all-bytes"],
  },
  {
    name: "accepts-blocking-sockets",
    file: server,
    edits: [
      ["accept4(this.#fd, null, SOCK_NONBLOCK | SOCK_CLOEXEC)", "accept4(this.#fd, null, SOCK_CLOEXEC)"],
    ],
    fails: ["non-blocking"],
  },
  {
    name: "drops-what-the-kernel-does-not-take",
    file: client,
    edits: [["    this.#unsent.push(new Uint8Array(bytes.subarray(taken)));\n    this.#watch();\n", ""]],
    fails: ["late-reader"],
  },
  {
    name: "throws-at-a-reset",
    file: client,
    edits: [
      [
        "    } else if (count !== -EAGAIN && count !== -EINTR) {\n      this.destroy();",
        "    } else if (count !== -EAGAIN && count !== -EINTR) {\n      process.exit(3);",
      ],
    ],
    fails: ["resets"],
  },
  {
    name: "forgets-to-close-clients",
    file: client,
    edits: [["    close(this.fd);\n", ""]],
    fails: ["descriptors", "resets"],
  },
  {
    name: "starts-without-a-port",
    file: entry,
    edits: [["  fail(1, ", "  process.stderr.write("]],
    fails: ["port-taken"],
  },
  {
    name: "takes-any-number-for-a-port",
    file: commandLine,
    edits: [["Number(text) <= 65535 ? Number(text) : undefined", "true ? Number(text) & 0xffff : undefined"]],
    fails: ["usage"],
  },
  {
    name: "forgets-reuseaddr",
    file: socket,
    edits: [["    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);\n", ""]],
    fails: ["restarts", "ends-cleanly"],
  },
  {
    name: "asks-node-for-help",
    file: entry,
    edits: [["const core = new Core();", 'import "node:net";\nconst core = new Core();']],
    fails: ["only-system-calls"],
  },
];

export const mutants: Mutant[] = [...ofTimers, ...ofTheLoop, ...ofTheCore, ...ofTheProgram];
