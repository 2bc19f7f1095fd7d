import type { Mutant } from "../mutants.ts";

const entry = "src/stage-05.ts";
const client = "src/network/client.ts";
const lines = "src/network/lines.ts";
const server = "src/network/server.ts";
const socket = "src/network/socket.ts";
const commandLine = "src/command-line.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file: entry,
    edits: [["const poller = new NaivePoller();", "const poller = new NaivePoller(;"]],
    fails: ["builds"],
  },
  {
    name: "announces-one-port-only",
    file: entry,
    edits: [["of servers) process", "of servers.slice(0, 1)) process"]],
    fails: ["announces"],
  },
  {
    name: "listens-on-loopback-only",
    file: entry,
    edits: [
      ["{ host: INADDR_ANY, port }", '{ host: "127.0.0.1", port }'],
      ["formatAddress(address)", "formatAddress({ ...address, host: INADDR_ANY })"],
    ],
    fails: ["announces"],
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
    name: "reverses-the-line-end-too",
    file: lines,
    edits: [["reverse(bytes, next, end);", "reverse(bytes, next, end + 1);"]],
    fails: ["reverse-line", "line-reverser"],
  },
  {
    name: "takes-a-recv-for-a-message",
    file: lines,
    edits: [["const end = indexOfNewline(bytes, next, length);", "const end = length - 1;"]],
    fails: ["lines-together", "line-in-pieces"],
  },
  {
    name: "answers-the-first-line-of-a-recv-only",
    file: lines,
    edits: [["      next = end + 1;\n    }", "      next = end + 1;\n      break;\n    }"]],
    fails: ["lines-together", "line-reverser"],
  },
  {
    name: "forgets-the-part-of-a-line",
    file: lines,
    edits: [["if (next < length) this.#keep(bytes.subarray(next, length));", ""]],
    fails: ["line-in-pieces", "lines-together"],
  },
  {
    name: "keeps-a-view-instead-of-a-copy",
    file: lines,
    edits: [["this.#unfinished.push(new Uint8Array(part));", "this.#unfinished.push(part);"]],
    fails: ["two-clients", "line-reverser"],
  },
  {
    name: "looks-behind-the-bytes-that-came",
    file: lines,
    edits: [
      ["if (length < bytes.length) bytes[length] = newline;", ""],
      ["return index < length ? index : -1;", "return index;"],
    ],
    fails: ["line-reverser", "line-in-pieces"],
  },
  {
    name: "drops-the-unfinished-line",
    file: entry,
    edits: [["    lines.end();\n", ""]],
    fails: ["unfinished-line"],
  },
  {
    name: "does-not-end-with-its-client",
    file: entry,
    edits: [["    client.end();\n", ""]],
    fails: ["unfinished-line"],
  },
  {
    name: "has-room-for-64-clients-on-a-port",
    file: server,
    edits: [
      [
        "    if (fd >= 0) this.#welcome(fd);",
        "    if (fd >= 0 && this.#clients.size === 64) close(fd);\n    else if (fd >= 0) this.#welcome(fd);",
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
    fails: ["late-reader", "write-interest"],
  },
  {
    name: "sends-past-what-waits",
    file: client,
    edits: [["this.#unsent.length === 0 ? this.#trySend(bytes) : 0", "this.#trySend(bytes)"]],
    fails: ["late-reader"],
  },
  {
    name: "keeps-a-view-of-what-waits",
    file: client,
    edits: [["new Uint8Array(bytes.subarray(taken))", "bytes.subarray(taken)"]],
    fails: ["late-reader", "write-interest"],
  },
  {
    name: "takes-eagain-for-the-end",
    file: client,
    edits: [
      [
        "    if (count !== -EAGAIN && count !== -EINTR) this.destroy();\n    return 0;",
        "    this.destroy();\n    return 0;",
      ],
    ],
    fails: ["write-interest"],
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
    name: "goes-on-asking-after-the-end",
    file: client,
    edits: [["(this.#peerEnded ? 0 : EPOLLIN)", "EPOLLIN"]],
    fails: ["idle-cpu", "client-end"],
  },
  {
    name: "does-not-close-at-the-second-end",
    file: client,
    edits: [
      ["      if (this.#ending && this.#unsent.length === 0) this.destroy();\n", ""],
      ["(EPOLLERR | EPOLLHUP)", "(EPOLLERR & ~EPOLLHUP)"],
    ],
    fails: ["client-end"],
  },
  {
    name: "leaves-a-socket-that-is-not-watched",
    file: server,
    edits: [["      close(this.#fd);\n      throw error;", "      throw error;"]],
    fails: ["busy-port"],
  },
  {
    name: "tells-the-end-twice",
    file: client,
    edits: [["      this.onEnd();\n", "      this.onEnd();\n      this.onEnd();\n"]],
    fails: ["client-end"],
  },
  {
    name: "ends-before-what-waits",
    file: client,
    edits: [["if (this.#unsent.length === 0) this.#finish();", "this.#finish();"]],
    fails: ["late-reader", "write-interest"],
  },
  {
    name: "asks-for-room-without-need",
    file: client,
    edits: [
      ["(this.#unsent.length > 0 ? EPOLLOUT : 0)", "EPOLLOUT"],
      ["poller.add(fd, EPOLLIN, this);", "poller.add(fd, EPOLLIN | EPOLLOUT, this);"],
    ],
    fails: ["idle-cpu", "write-interest"],
  },
  {
    name: "refuses-long-lines",
    file: lines,
    edits: [["const longestLine = 16 * 1024 * 1024;", "const longestLine = 64 * 1024;"]],
    fails: ["long-line"],
  },
  {
    name: "keeps-the-last-part-only",
    file: lines,
    edits: [["Buffer.concat([...this.#unfinished, ", "Buffer.concat([...this.#unfinished.slice(-2), "]],
    fails: ["line-in-pieces"],
  },
  {
    name: "listens-with-a-blocking-socket",
    file: socket,
    edits: [["SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC", "SOCK_STREAM | SOCK_CLOEXEC"]],
    fails: ["listen-on"],
  },
  {
    name: "knows-ipv4-only",
    file: socket,
    edits: [['host.includes(":") ? AF_INET6 : AF_INET', "AF_INET"]],
    fails: ["listen-on"],
  },
  {
    name: "takes-ipv4-with-its-ipv6-socket",
    file: socket,
    edits: [["setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)", "setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)"]],
    fails: ["listen-on"],
  },
  {
    name: "destroys-a-client-twice",
    file: client,
    edits: [["  destroy(): void {\n    if (this.#closed) return;\n", "  destroy(): void {\n"]],
    fails: ["client-destroy"],
  },
  {
    name: "closes-before-it-leaves-the-poller",
    file: client,
    edits: [["    this.#poller.remove(this.fd);\n", ""]],
    fails: ["client-destroy"],
  },
  {
    name: "leaves-its-clients-alone",
    file: server,
    edits: [["    for (const client of [...this.#clients]) client.destroy();\n", ""]],
    fails: ["server-destroy"],
  },
  {
    name: "keeps-clients-that-have-left",
    file: server,
    edits: [["    this.#clients.delete(client);\n", ""]],
    fails: ["server-destroy"],
  },
  {
    name: "asks-on-without-a-descriptor",
    file: server,
    edits: [["    else if (fd !== -EAGAIN && fd !== -ECONNABORTED && fd !== -EINTR) this.#rest(fd);\n", ""]],
    fails: ["no-descriptor"],
  },
  {
    name: "rests-for-ever",
    file: server,
    edits: [["      this.#poller.modify(this.#fd, EPOLLIN);\n", ""]],
    fails: ["no-descriptor"],
  },
  {
    name: "destroys-a-server-twice",
    file: server,
    edits: [["    if (this.#destroyed) return;\n    this.#destroyed = true;\n", ""]],
    fails: ["server-destroy"],
  },
  {
    name: "leaves-the-socket-of-a-busy-port-open",
    file: socket,
    edits: [
      ["    close(fd);\n    throw error;", "    throw error;"],
      ["  close,\n", ""],
    ],
    fails: ["busy-port"],
  },
  {
    name: "starts-without-a-port",
    file: entry,
    edits: [["  fail(1, ", "  process.stderr.write("]],
    fails: ["port-taken"],
  },
  {
    name: "does-not-name-the-taken-port",
    file: entry,
    edits: [["error.message}", '"a port is taken"}']],
    fails: ["port-taken"],
  },
  {
    name: "takes-any-number-for-a-port",
    file: commandLine,
    edits: [["Number(text) <= 65535 ? Number(text) : undefined", "true ? Number(text) & 0xffff : undefined"]],
    fails: ["usage"],
  },
  {
    name: "registers-a-handler-that-never-runs",
    file: entry,
    edits: [["poller.run();", 'process.on("SIGTERM", () => process.exit(0));\npoller.run();']],
    fails: ["ends-on-signal"],
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
    edits: [["const poller = new NaivePoller();", 'import "node:net";\nconst poller = new NaivePoller();']],
    fails: ["only-system-calls"],
  },
];
