import type { Mutant } from "../mutants.ts";

const file = "src/phase-0/tcp-proxy.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file,
    edits: [
      ["const { listener, epoll } = openServer(port);", "const { listener, epoll } = openServer(port;"],
    ],
    fails: ["builds"],
  },
  {
    name: "says-that-it-starts",
    file,
    edits: [["print(1, `listening on", "print(1, `starting\\nlistening on"]],
    fails: ["announces"],
  },
  {
    name: "relays-one-direction-only",
    file,
    edits: [["for (const direction of [request, reply]) {", "for (const direction of [request]) {"]],
    fails: ["relays"],
  },
  {
    name: "connects-when-the-client-speaks",
    file,
    edits: [
      [
        "  const upstream = connectUpstream();\n",
        "  const count = recv(client, buffer, buffer.length);\n  const upstream = connectUpstream();\n  sendAll(upstream, buffer.subarray(0, count));\n",
      ],
    ],
    fails: ["relays"],
  },
  {
    name: "makes-text-of-the-bytes",
    file,
    edits: [
      [
        "sendAll(direction.to, buffer.subarray(0, count))",
        "sendAll(direction.to, Buffer.from(Buffer.from(buffer.subarray(0, count)).toString()))",
      ],
    ],
    fails: ["relays"],
  },
  {
    name: "sends-the-whole-buffer",
    file,
    edits: [["sendAll(direction.to, buffer.subarray(0, count))", "sendAll(direction.to, buffer)"]],
    fails: ["relays"],
  },
  {
    name: "takes-a-part-for-the-whole",
    file,
    edits: [
      ["  accept,\n", "  accept4,\n"],
      ["const client = accept(listener);", "const client = accept4(listener, null, SOCK_NONBLOCK);"],
      ["    sent += count;\n", "    return 0;\n"],
    ],
    fails: ["both-ways"],
  },
  {
    name: "reads-one-piece-per-edge",
    file,
    edits: [
      ["  EPOLLIN,\n", "  EPOLLET,\n  EPOLLIN,\n"],
      [
        "epoll_ctl(epoll, EPOLL_CTL_ADD, direction.from, EPOLLIN);",
        "epoll_ctl(epoll, EPOLL_CTL_ADD, direction.from, EPOLLIN | EPOLLET);",
      ],
    ],
    fails: ["both-ways", "http"],
  },
  {
    name: "sends-to-the-latest-upstream",
    file,
    edits: [
      ['let lastComplaint = "";', 'let lastComplaint = "";\nlet latest = -1;'],
      ["  const request: Direction = {", "  latest = upstream;\n  const request: Direction = {"],
      [
        "sendAll(direction.to, buffer",
        "sendAll(direction.from < direction.to ? latest : direction.to, buffer",
      ],
    ],
    fails: ["fifty-pairs"],
  },
  {
    name: "has-room-for-twenty-pairs",
    file,
    edits: [
      ["  if (upstream < 0) close(client);", "  if (upstream < 0 || directions.size >= 40) close(client);"],
    ],
    fails: ["fifty-pairs"],
  },
  {
    name: "does-not-pass-on-an-end",
    file,
    edits: [["if (bothEnded || shutdown(direction.to, SHUT_WR) < 0) {", "if (bothEnded) {"]],
    fails: ["upstream-closes", "client-closes", "half-close"],
  },
  {
    name: "closes-both-at-the-first-end",
    file,
    edits: [
      ["if (bothEnded || shutdown(direction.to, SHUT_WR) < 0) {", "if (bothEnded || direction.ended) {"],
    ],
    fails: ["half-close"],
  },
  {
    name: "ends-the-other-direction-too",
    file,
    edits: [
      ["  direction.ended = true;\n", "  direction.ended = true;\n  shutdown(direction.from, SHUT_WR);\n"],
    ],
    fails: ["half-close"],
  },
  {
    name: "exits-when-the-upstream-refuses",
    file,
    edits: [["    complain(`cannot connect to", "    fail(1, `cannot connect to"]],
    fails: ["upstream-down"],
  },
  {
    name: "keeps-a-client-without-upstream",
    file,
    edits: [["  if (upstream < 0) close(client);", "  if (upstream < 0) return;"]],
    fails: ["upstream-down"],
  },
  {
    name: "gives-up-a-refusing-upstream",
    file,
    edits: [
      ['let lastComplaint = "";', 'let lastComplaint = "";\nlet down = false;'],
      ["  if (result < 0) {\n", "  if (result < 0 || down) {\n    down = true;\n"],
    ],
    fails: ["upstream-down"],
  },
  {
    name: "connects-once-more-until-it-works",
    file,
    edits: [
      [
        "  let result = connect(upstream, upstreamAddress);\n",
        "  let result = connect(upstream, upstreamAddress);\n  while (result < 0) result = connect(upstream, upstreamAddress);\n",
      ],
    ],
    fails: ["upstream-down"],
  },
  {
    name: "closes-one-of-two",
    file,
    edits: [["    close(fd);\n  }\n}", "    if (fd === direction.from) close(fd);\n  }\n}"]],
    fails: ["thousand-connections", "resets"],
  },
  {
    name: "throws-when-recv-fails",
    file,
    edits: [
      [
        "  if (count === 0) endDirection(direction);",
        "  if (count < 0) throw new Error(describe(count));\n  if (count === 0) endDirection(direction);",
      ],
    ],
    fails: ["resets"],
  },
  {
    name: "throws-when-send-fails",
    file,
    edits: [
      [
        "else if (count < 0 || sendAll(direction.to, buffer.subarray(0, count)) < 0) closePair(direction);",
        'else if (count < 0) closePair(direction);\n  else if (sendAll(direction.to, buffer.subarray(0, count)) < 0) throw new Error("send failed");',
      ],
    ],
    fails: ["resets"],
  },
  {
    name: "closes-only-the-broken-side",
    file,
    edits: [
      [
        "else if (count < 0 || sendAll(direction.to, buffer.subarray(0, count)) < 0) closePair(direction);",
        "else if (count < 0) {\n    directions.delete(direction.from);\n    close(direction.from);\n  } else if (sendAll(direction.to, buffer.subarray(0, count)) < 0) closePair(direction);",
      ],
    ],
    fails: ["resets"],
  },
  {
    name: "spins-on-a-half-closed-pair",
    file,
    edits: [
      ["  if (direction.ended) {\n", "  if (direction.ended) return;\n  if (direction.ended) {\n"],
      ["  epoll_ctl(epoll, EPOLL_CTL_MOD, direction.from, 0);\n", ""],
    ],
    fails: ["idle-cpu"],
  },
  {
    name: "never-sleeps",
    file,
    edits: [["accepting ? -1 : acceptRetryMs", "0"]],
    fails: ["idle-cpu"],
  },
  {
    name: "catches-no-error-of-bind",
    file,
    edits: [
      [
        "    return { listener, epoll };\n  } catch (error) {\n    if (!(error instanceof SystemCallError)) throw error;\n",
        "    return { listener, epoll };\n  } catch (error) {\n    throw error;\n",
      ],
    ],
    fails: ["port-taken"],
  },
  {
    name: "corrects-a-wrong-upstream",
    file,
    edits: [
      [
        "const upstreamAddress = addressFrom(upstream);",
        'const upstreamAddress = addressFrom(upstream) ?? { host: "127.0.0.1", port: 3000 };',
      ],
    ],
    fails: ["usage"],
  },
  {
    name: "registers-signal-handlers",
    file,
    edits: [
      [
        "const { port, upstreamAddress } = argumentsFrom(process.argv.slice(2));",
        'for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));\nconst { port, upstreamAddress } = argumentsFrom(process.argv.slice(2));',
      ],
    ],
    fails: ["ends-on-signal"],
  },
  {
    name: "forgets-reuseaddr",
    file,
    edits: [["setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, 1);", ""]],
    fails: ["restarts"],
  },
  {
    name: "imports-node-net",
    file,
    edits: [
      ['const usage = "usage', 'import { isIP } from "node:net";\nisIP(INADDR_ANY);\nconst usage = "usage'],
    ],
    fails: ["only-system-calls"],
  },
  {
    name: "ignores-the-error-of-recv",
    file,
    edits: [["else if (count < 0 || sendAll(", "else if (sendAll("]],
    fails: ["resets"],
  },
  {
    name: "closes-at-a-hang-up-without-reading",
    file,
    edits: [
      [
        "    if (direction !== undefined) relay(direction);",
        "    if (direction !== undefined && (events.events(i) & 0x10) !== 0) closePair(direction);\n    else if (direction !== undefined) relay(direction);",
      ],
    ],
    fails: ["half-close"],
  },
  {
    name: "accepts-in-the-middle-of-a-batch",
    file,
    edits: [["      clientWaits = true;\n", "      acceptClient();\n"]],
    fails: ["resets"],
  },
  {
    name: "takes-every-event-for-a-living-pair",
    file,
    edits: [["if (direction !== undefined) relay(direction);", "relay(direction as Direction);"]],
    fails: ["resets"],
  },
];
