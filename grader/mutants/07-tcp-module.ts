import type { Mutant } from "../mutants.ts";

const entry = "src/stage-07.ts";
const commandLine = "src/command-line.ts";
const lineConnection = "src/line-connection.ts";
const connection = "src/network/tcp-connection.ts";
const lines = "src/network/lines.ts";
const queue = "src/network/write-queue.ts";
const server = "src/network/tcp.ts";
const socket = "src/network/socket.ts";
const core = "src/core/core.ts";
const loop = "src/core/loop.ts";

export const mutants: Mutant[] = [
  // Servers that block.
  {
    name: "accepts-blocking-sockets",
    file: server,
    edits: [
      ["SOCK_NONBLOCK | SOCK_CLOEXEC", "SOCK_CLOEXEC"],
      ["  SOCK_NONBLOCK,\n", ""],
    ],
    fails: ["non-blocking", "flood"],
  },
  {
    name: "sends-until-all-is-taken",
    file: queue,
    edits: [
      ["      if (count === -EINTR) continue;", "      if (count === -EINTR || count === -EAGAIN) continue;"],
    ],
    fails: ["flood"],
  },

  // Servers that spin.
  {
    name: "watches-level-triggered",
    file: connection,
    edits: [
      [" | EPOLLRDHUP | EPOLLET;", " | EPOLLRDHUP;"],
      ["  EPOLLET,\n", ""],
    ],
    fails: ["edge-triggered", "idle-cpu"],
  },
  {
    name: "tries-again-in-each-turn",
    file: connection,
    edits: [["    } else if (result === 0) {", "    } else {"]],
    fails: ["idle-cpu"],
  },
  {
    name: "asks-again-after-each-read",
    file: connection,
    edits: [
      [
        "      if (!this.#isReadable || this.#isPaused || this.#isClosed) return;",
        "      if (this.#isClosed) return;\n      if (!this.#isReadable || this.#isPaused) break;",
      ],
      [
        "    if (this.#isPaused) {\n",
        "    if (this.#isPaused) {\n      this.#loop.again(this.transport.fd, EPOLLIN);\n",
      ],
    ],
    fails: ["idle-cpu"],
  },

  // Servers that grow.
  {
    name: "goes-on-reading-whoever-does-not-read",
    file: lineConnection,
    edits: [
      ["if (!connection.write(bytes, length)) connection.pause();", "connection.write(bytes, length);"],
    ],
    fails: ["flood"],
  },
  {
    name: "never-says-that-much-waits",
    file: connection,
    edits: [["    return !this.#owesDrain;", "    return true;"]],
    fails: ["flood", "on-drain"],
  },
  {
    name: "reads-on-while-paused",
    file: connection,
    edits: [
      [
        "    if (this.#isPaused) {\n      // Who",
        "    if (this.#isPaused && this.#isBroken) {\n      // Who",
      ],
      ["|| this.#isPaused || this.#isClosed) return;", "|| this.#isClosed) return;"],
    ],
    fails: ["flood", "pause-resume"],
  },

  // Servers that lose bytes, double or swap them.
  {
    name: "drops-what-the-kernel-did-not-take",
    file: queue,
    edits: [["    this.#copy(bytes, taken, length);\n", ""]],
    fails: ["late-reader", "flood", "write-order"],
  },
  {
    name: "keeps-a-part-that-was-taken",
    file: queue,
    edits: [["    this.#copy(bytes, taken, length);\n", "    this.#copy(bytes, 0, length);\n"]],
    fails: ["late-reader", "write-order"],
  },
  {
    name: "overtakes-what-waits",
    file: queue,
    edits: [["    if (!this.isEmpty) {\n", "    if (this.files > 0) {\n"]],
    fails: ["write-order"],
  },
  {
    name: "waits-with-bytes-of-the-caller",
    file: queue,
    edits: [
      [
        "last = { chunk: freeChunks.pop() ?? new Uint8Array(chunkSize), start: 0, end: 0 };",
        "last = { chunk: source.subarray(start), start: 0, end: 0 };",
      ],
    ],
    fails: ["write-order"],
  },
  {
    name: "gives-a-chunk-to-two",
    file: queue,
    edits: [["      freeChunks.push(item.chunk);", "      freeChunks.push(item.chunk, item.chunk);"]],
    fails: ["slow-readers"],
  },
  {
    name: "ends-before-the-queue-is-empty",
    file: connection,
    edits: [
      [
        '    this.#end = "after";\n    if (this.#queue.isEmpty) this.#sendEnd();',
        '    this.#end = "after";\n    this.#queue.clear();\n    this.#sendEnd();',
      ],
    ],
    fails: ["half-close", "write-order"],
  },
  {
    name: "keeps-a-view-instead-of-a-copy",
    file: lines,
    edits: [["this.#unfinished.push(new Uint8Array(part));", "this.#unfinished.push(part);"]],
    fails: ["two-clients", "many-lines"],
  },

  // Wake-ups that are missed.
  {
    name: "accepts-one-client-per-edge",
    file: server,
    edits: [["      if (fd >= 0) this.#welcome(fd);\n", "      if (fd >= 0) return this.#welcome(fd);\n"]],
    fails: ["burst", "server-destroy"],
  },
  {
    name: "accepts-a-share-and-does-not-come-back",
    file: server,
    edits: [["    if (!this.#isPaused) this.#loop.again(this.#fd, EPOLLIN);\n", ""]],
    fails: ["burst"],
  },
  {
    name: "takes-a-short-read-for-the-last",
    file: connection,
    edits: [["    if ((events & ~(EPOLLIN | EPOLLOUT)) !== 0) this.#readsToEnd = true;\n", ""]],
    fails: ["half-close", "pause-resume"],
  },
  {
    name: "reads-once-per-edge",
    file: connection,
    edits: [
      ["received < receiveBudget; ) {", "received === 0; ) {"],
      [
        "    this.#loop.again(this.transport.fd, EPOLLIN);\n  }\n\n  /** What a read",
        "    void receiveBudget;\n  }\n\n  /** What a read",
      ],
    ],
    fails: ["pause-resume"],
  },
  {
    name: "reads-a-share-and-does-not-come-back",
    file: connection,
    edits: [
      [
        "    this.#loop.again(this.transport.fd, EPOLLIN);\n  }\n\n  /** What a read",
        "  }\n\n  /** What a read",
      ],
    ],
    fails: ["pause-resume"],
  },
  {
    name: "resumes-and-waits-for-an-edge",
    file: connection,
    edits: [
      ["    if (this.#isReadable && !this.#isClosed) this.#loop.again(this.transport.fd, EPOLLIN);\n", ""],
    ],
    fails: ["pause-resume"],
  },
  {
    name: "never-says-that-it-has-drained",
    file: connection,
    edits: [["    if (this.#owesDrain && this.#queue.bytes", "    if (this.#isBroken && this.#queue.bytes"]],
    fails: ["stops-and-goes", "on-drain"],
  },
  {
    name: "says-that-it-has-drained-to-everybody",
    file: connection,
    edits: [
      ["    if (this.#owesDrain && this.#queue.bytes", "    if (this.#queue.bytes"],
      ["if (!this.#queue.isEmpty && ((events & EPOLLOUT)", "if (((events & EPOLLOUT)"],
    ],
    fails: ["on-drain"],
  },
  {
    name: "says-that-it-has-drained-too-early",
    file: connection,
    edits: [
      [
        "      if (!this.#isLingering && !this.#isClosed) this.handler.onDrain();\n    }\n  }\n",
        "      if (!this.#isLingering && !this.#isClosed) this.handler.onDrain();\n    }\n    void lowWater;\n  }\n",
      ],
      ["this.#queue.bytes <= lowWater", "this.#queue.bytes > 0"],
    ],
    fails: ["on-drain"],
  },
  {
    name: "takes-a-part-for-eagain",
    file: queue,
    edits: [["    return result === -EAGAIN ? result : this.flush(transport);", "    return -EAGAIN;"]],
    fails: ["partial-writes"],
  },
  {
    name: "asks-epoll-alone",
    file: connection,
    edits: [[" || this.#readsToEnd || this.transport.hasPending;", " || this.#readsToEnd;"]],
    fails: ["read-ahead"],
  },

  // Ends and breaks.
  {
    name: "answers-an-end-by-nothing",
    file: lineConnection,
    edits: [["    this.#connection.end();\n", ""]],
    fails: ["unfinished-line", "descriptors"],
  },
  {
    name: "forgets-the-unfinished-line",
    file: lineConnection,
    edits: [["    this.#lines.end();\n", ""]],
    fails: ["unfinished-line"],
  },
  {
    name: "keeps-what-both-have-ended",
    file: connection,
    edits: [["    else if (this.#peerEnded) this.#close(undefined, false);\n", ""]],
    fails: ["half-close"],
  },
  {
    name: "keeps-what-is-broken",
    file: connection,
    edits: [["    this.#close(describeErrno(reason), true);\n", "    void describeErrno(reason);\n"]],
    fails: ["resets", "gone-while-stuck", "breaks"],
  },
  {
    name: "ignores-what-send-returns",
    file: connection,
    edits: [
      [
        "    if (result < 0 && result !== -EAGAIN) {\n      this.#fail(result);\n    } else if",
        "    if (result < 0) {\n      // later\n    } else if",
      ],
    ],
    fails: ["gone-while-stuck"],
  },
  {
    name: "ends-after-a-failed-send",
    file: connection,
    edits: [
      [
        "      this.#fail(result);\n    } else if",
        '      this.#fail(result);\n      if (this.#end === "after") this.#sendEnd();\n    } else if',
      ],
    ],
    fails: ["breaks"],
  },
  {
    name: "resumes-in-the-midst-of-another",
    file: connection,
    edits: [
      [
        "    if (this.#isReadable && !this.#isClosed) this.#loop.again(this.transport.fd, EPOLLIN);\n",
        "    if (this.#isReadable && !this.#isClosed) this.#receive();\n",
      ],
    ],
    fails: ["pause-resume"],
  },
  {
    name: "forgets-a-break-that-came-with-bytes",
    file: connection,
    edits: [
      [
        "      if (this.#isPaused && this.#isBroken && !this.#isClosed) this.#loop.again(this.transport.fd, EPOLLIN);\n",
        "",
      ],
    ],
    fails: ["breaks"],
  },
  {
    name: "sees-no-break-after-an-end",
    file: connection,
    edits: [
      [
        "    if ((events & EPOLLERR) !== 0 || isHungUp) this.#isBroken = true;\n",
        "    void (isHungUp || EPOLLERR);\n",
      ],
    ],
    fails: ["breaks"],
  },
  {
    name: "destroys-twice",
    file: connection,
    edits: [["    if (this.#isClosed) return;\n    this.#isClosed = true;", "    this.#isClosed = true;"]],
    fails: ["destroy"],
  },
  {
    name: "reads-on-after-destroy",
    file: connection,
    edits: [["|| this.#isPaused || this.#isClosed) return;", "|| this.#isPaused) return;"]],
    fails: ["destroy"],
  },
  {
    name: "keeps-the-connection-of-a-handler-that-throws",
    file: connection,
    edits: [["    this.#close(String(error), true);\n", ""]],
    fails: ["handler-error"],
  },
  {
    name: "closes-gracefully-at-once",
    file: connection,
    edits: [
      [
        "    this.#isLingering = true;\n    this.resume();\n",
        "    this.#isLingering = true;\n    if (this.#queue.isEmpty) return this.destroy();\n",
      ],
    ],
    fails: ["graceful"],
  },
  {
    name: "closes-after-the-last-byte",
    file: connection,
    edits: [
      [
        "    else if (this.#isLingering) this.#linger();\n",
        "    else if (this.#isLingering) this.destroy();\n",
      ],
    ],
    fails: ["graceful"],
  },
  {
    name: "forgets-the-edge-of-a-pause",
    file: connection,
    edits: [
      [
        "      if (next <= 0) this.#closeBroken(next);\n",
        "      if (next <= 0) this.#closeBroken(next);\n      this.#isReadable = false;\n",
      ],
    ],
    fails: ["pause-resume"],
  },
  {
    name: "ends-gracefully-and-reads-nothing",
    file: connection,
    edits: [["    this.#isLingering = true;\n    this.resume();\n", "    this.#isLingering = true;\n"]],
    fails: ["graceful"],
  },
  {
    name: "hands-over-what-comes-after-a-graceful-end",
    file: connection,
    edits: [["      if (!this.#isLingering) this.handler.onData(", "      this.handler.onData("]],
    fails: ["graceful"],
  },
  {
    name: "lingers-for-ever",
    file: connection,
    edits: [["    else if (this.#isLingering) this.#linger();\n", ""]],
    fails: ["graceful"],
  },
  {
    name: "aborts-in-order",
    file: connection,
    edits: [["    this.#close(undefined, true);\n", "    this.#close(undefined, false);\n"]],
    fails: ["abort"],
  },

  // The server.
  {
    name: "leaves-its-connections-alone",
    file: server,
    edits: [["    for (const connection of [...this.#connections]) connection.destroy();\n", ""]],
    fails: ["server-destroy"],
  },
  {
    name: "asks-again-at-once-without-descriptors",
    file: server,
    edits: [
      [
        "        this.#restForAWhile();\n        return;",
        "        this.#loop.again(this.#fd, EPOLLIN);\n        return;",
      ],
    ],
    fails: ["no-descriptors"],
  },
  {
    name: "gives-up-without-descriptors",
    file: server,
    edits: [["        this.#restForAWhile();\n        return;", "        return;"]],
    fails: ["no-descriptors"],
  },
  {
    name: "has-room-for-64-clients-on-a-port",
    file: server,
    edits: [
      [
        "      if (fd >= 0) this.#welcome(fd);",
        "      if (fd >= 0 && this.#connections.size === 64) close(fd);\n      else if (fd >= 0) this.#welcome(fd);",
      ],
    ],
    fails: ["many-clients", "burst"],
  },

  // What held before.
  {
    name: "syntax-error",
    file: entry,
    edits: [["const core = new Core();", "const core = new Core(;"]],
    fails: ["builds"],
  },
  {
    name: "announces-one-port-only",
    file: entry,
    edits: [["for (const port of ports) process", "for (const port of ports.slice(0, 1)) process"]],
    fails: ["announces"],
  },
  {
    name: "reverses-the-line-end-too",
    file: lines,
    edits: [["reverse(bytes, next, end);", "reverse(bytes, next, end + 1);"]],
    fails: ["reverse-line"],
  },
  {
    name: "has-room-for-half-a-megabyte",
    file: lines,
    edits: [["const longestLine = 16 * 1024 * 1024;", "const longestLine = 512 * 1024;"]],
    fails: ["long-line"],
  },
  {
    name: "takes-a-recv-for-a-message",
    file: lines,
    edits: [["const end = indexOfNewline(bytes, next, length);", "const end = length - 1;"]],
    fails: ["lines-together", "line-in-pieces"],
  },
  {
    name: "makes-text-of-the-bytes",
    file: lineConnection,
    edits: [
      [
        "    this.#lines.push(bytes, length);",
        "    const text = Buffer.from(Buffer.from(bytes.subarray(0, length)).toString());\n    this.#lines.push(text, text.length);",
      ],
    ],
    fails: ["all-bytes"],
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
    name: "ends-with-the-status-of-a-killed-program",
    file: core,
    edits: [["const stop = () => this.stop();", "const stop = () => process.exit(130);"]],
    fails: ["ends-cleanly"],
  },
  {
    name: "gives-the-thread-to-node-when-nothing-else-happens",
    file: loop,
    edits: [
      ["if (fd === this.#nodeFd) isNodeReady = true;", "if (fd === this.#nodeFd) isNodeReady = count === 1;"],
    ],
    fails: ["ends-under-load"],
  },
  {
    name: "forgets-reuseaddr",
    file: socket,
    edits: [["    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);\n", ""]],
    fails: ["restarts"],
  },
  {
    name: "asks-node-for-help",
    file: entry,
    edits: [["const core = new Core();", 'import "node:net";\nconst core = new Core();']],
    fails: ["only-system-calls"],
  },
];
