import type { Mutant } from "../mutants.ts";

const file = "src/phase-0/epoll-server.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file,
    edits: [
      ["const port = portFrom(process.argv.slice(2));", "const port = portFrom(process.argv.slice(2);"],
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
    name: "binds-one-address",
    file,
    edits: [["bind(listener, { host: INADDR_ANY, port });", 'bind(listener, { host: "127.0.0.1", port });']],
    fails: ["announces"],
  },
  {
    name: "reverses-the-line-end-too",
    file,
    edits: [["message.at(-1) === newline ? message.length - 1 : message.length", "message.length"]],
    fails: ["reverse-line"],
  },
  {
    name: "sends-the-whole-buffer",
    file,
    edits: [["const message = buffer.subarray(0, count);", "const message = buffer;"]],
    fails: ["reverse-line"],
  },
  {
    name: "has-a-small-buffer",
    file,
    edits: [["new Uint8Array(64 * 1024)", "new Uint8Array(1024)"]],
    fails: ["reverse-line"],
  },
  {
    name: "serves-one-client-to-its-end",
    file,
    edits: [["    else answer(fd);", "    else for (let turn = 0; turn < 1000; turn++) answer(fd);"]],
    fails: ["two-clients"],
  },
  {
    name: "reads-right-after-accept",
    file,
    edits: [
      [
        "epoll_ctl(epoll, EPOLL_CTL_ADD, client, EPOLLIN);",
        "epoll_ctl(epoll, EPOLL_CTL_ADD, client, EPOLLIN);\n    answer(client);",
      ],
    ],
    fails: ["two-clients", "silent-client"],
  },
  {
    name: "answers-the-last-that-came",
    file,
    edits: [
      ['let lastComplaint = "";', 'let lastComplaint = "";\nlet latest = -1;'],
      [
        "epoll_ctl(epoll, EPOLL_CTL_ADD, client, EPOLLIN);",
        "epoll_ctl(epoll, EPOLL_CTL_ADD, client, EPOLLIN);\n    latest = client;",
      ],
      ["if (sendAll(client, message) < 0)", "if (sendAll(latest, message) < 0)"],
    ],
    fails: ["two-clients", "silent-client"],
  },
  {
    name: "has-room-for-a-hundred-clients",
    file,
    edits: [
      [
        "  if (client < 0) {",
        "  if (client > 120) {\n    close(client);\n    return;\n  }\n  if (client < 0) {",
      ],
    ],
    fails: ["five-hundred"],
  },
  {
    name: "ends-when-a-client-leaves",
    file,
    edits: [["    drop(client); // 0:", "    process.exit(0); // 0:"]],
    fails: ["leaver", "descriptors", "resets"],
  },
  {
    name: "takes-the-end-for-a-message",
    file,
    edits: [["  if (count <= 0) {", "  if (count === 0) return;\n  if (count < 0) {"]],
    fails: ["leaver", "descriptors", "idle-cpu"],
  },
  {
    name: "forgets-to-close",
    file,
    edits: [
      [
        "  epoll_ctl(epoll, EPOLL_CTL_DEL, client);\n  close(client);",
        "  epoll_ctl(epoll, EPOLL_CTL_DEL, client);",
      ],
    ],
    fails: ["descriptors", "resets", "leaver"],
  },
  {
    name: "shuts-down-instead-of-closing",
    file,
    edits: [
      [
        "  epoll_ctl(epoll, EPOLL_CTL_DEL, client);\n  close(client);",
        "  epoll_ctl(epoll, EPOLL_CTL_DEL, client);\n  shutdown(client, SHUT_RDWR);",
      ],
      ["  SO_REUSEADDR,\n", "  SHUT_RDWR,\n  SO_REUSEADDR,\n  shutdown,\n"],
    ],
    fails: ["descriptors"],
  },
  {
    name: "makes-text-of-the-bytes",
    file,
    edits: [
      [
        "const message = buffer.subarray(0, count);",
        "const message = Buffer.from(Buffer.from(buffer.subarray(0, count)).toString());",
      ],
    ],
    fails: ["all-bytes"],
  },
  {
    name: "asks-for-clients-again-and-again",
    file,
    edits: [
      ["    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);\n", ""],
      ["accepting ? -1 : acceptRetryMs", "10"],
      ["if (!accepting) watchListener(true);", "acceptClient();"],
    ],
    fails: ["in-epoll-set"],
  },
  {
    name: "starts-a-process-for-each-client",
    file,
    edits: [
      ['const usage = "usage', 'import { spawn } from "node:child_process";\nconst usage = "usage'],
      [
        "epoll_ctl(epoll, EPOLL_CTL_ADD, client, EPOLLIN);",
        'epoll_ctl(epoll, EPOLL_CTL_ADD, client, EPOLLIN);\n    spawn("sleep", ["60"]);',
      ],
    ],
    fails: ["one-thread"],
  },
  {
    name: "never-sleeps",
    file,
    edits: [["accepting ? -1 : acceptRetryMs", "0"]],
    fails: ["idle-cpu"],
  },
  {
    name: "throws-when-recv-fails",
    file,
    edits: [
      ["  if (count <= 0) {", "  if (count < 0) throw new Error(describe(count));\n  if (count === 0) {"],
    ],
    fails: ["resets"],
  },
  {
    name: "throws-when-send-fails",
    file,
    edits: [
      [
        "if (sendAll(client, message) < 0) drop(client);",
        'if (sendAll(client, message) < 0) throw new Error("send failed");',
      ],
    ],
    fails: ["resets"],
  },
  {
    name: "catches-no-error-of-bind",
    file,
    edits: [
      ["if (!(error instanceof SystemCallError)) throw error;\n    fail(1, error.message);", "throw error;"],
    ],
    fails: ["port-taken"],
  },
  {
    name: "believes-any-argument",
    file,
    edits: [["if (!/^[1-9]\\d{0,4}$/.test(port) || Number(port) > 65535) {", "if (Number(port) > 65535) {"]],
    fails: ["usage"],
  },
  {
    name: "overlooks-a-second-argument",
    file,
    edits: [["if (surplus !== undefined) fail(", "if (port === undefined) fail("]],
    fails: ["usage"],
  },
  {
    name: "registers-signal-handlers",
    file,
    edits: [
      [
        "const port = portFrom(process.argv.slice(2));",
        'for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));\nconst port = portFrom(process.argv.slice(2));',
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
];
