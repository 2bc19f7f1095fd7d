import type { Mutant } from "../mutants.ts";

const file = "src/phase-0/tcp-server.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file,
    edits: [["const listener = openListener(port);", "const listener = openListener(port;"]],
    fails: ["builds"],
  },
  {
    name: "says-that-it-starts",
    file,
    edits: [["print(1, `listening on", "print(1, `starting\\nlistening on"]],
    fails: ["announces"],
  },
  {
    name: "announces-another-address",
    file,
    edits: [["{INADDR_ANY}:", "{'localhost'}:"]],
    fails: ["announces"],
  },
  {
    name: "binds-one-address",
    file,
    edits: [["bind(fd, { host: INADDR_ANY, port });", 'bind(fd, { host: "127.0.0.1", port });']],
    fails: ["announces", "reachable"],
  },
  {
    name: "forgets-to-reverse",
    file,
    edits: [["    reverse(message);\n", ""]],
    fails: ["reverse-line"],
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
    name: "sends-what-an-earlier-message-left",
    file,
    edits: [
      [
        "const buffer = new Uint8Array(64 * 1024);",
        "const buffer = new Uint8Array(64 * 1024);\n  let longest = 0;",
      ],
      [
        "const message = buffer.subarray(0, count);",
        "longest = Math.max(longest, count);\n    const message = buffer.subarray(0, longest);",
      ],
    ],
    fails: ["thousand-lines"],
  },
  {
    name: "ends-after-a-hundred-messages",
    file,
    edits: [
      [
        "  const buffer = new Uint8Array(64 * 1024);\n  while (true) {",
        "  const buffer = new Uint8Array(64 * 1024);\n  for (let turn = 0; turn < 100; turn++) {",
      ],
      ["    if (result < 0) return result;\n  }\n", "    if (result < 0) return result;\n  }\n  return 0;\n"],
    ],
    fails: ["thousand-lines"],
  },
  {
    name: "has-a-small-buffer",
    file,
    edits: [["new Uint8Array(64 * 1024)", "new Uint8Array(1024)"]],
    fails: ["large-message"],
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
    name: "stops-at-a-zero-byte",
    file,
    edits: [
      [
        "const message = buffer.subarray(0, count);",
        "const zero = buffer.subarray(0, count).indexOf(0);\n    const message = buffer.subarray(0, zero < 0 ? count : zero);",
      ],
    ],
    fails: ["all-bytes"],
  },
  {
    name: "takes-the-end-for-a-message",
    file,
    edits: [["if (count <= 0) return count;", "if (count < 0) return count;"]],
    fails: ["ends-with-client"],
  },
  {
    name: "waits-for-another-client",
    file,
    edits: [
      [
        "close(client);\nclose(listener);",
        "close(client);\nserve(acceptClient(listener));\nclose(listener);",
      ],
    ],
    fails: ["ends-with-client", "survives-reset"],
  },
  {
    name: "takes-the-end-for-an-error",
    file,
    edits: [["if (result < 0) print(2, ", "if (result <= 0) fail(1, "]],
    fails: ["ends-with-client"],
  },
  {
    name: "throws-on-a-reset",
    file,
    edits: [
      [
        "if (result < 0) print(2, `the connection broke",
        "if (result < 0) throw new Error(`the connection broke",
      ],
    ],
    fails: ["survives-reset"],
  },
  {
    name: "catches-no-error-of-bind",
    file,
    edits: [["    if (!(error instanceof SystemCallError)) throw error;\n", "    throw error;\n"]],
    fails: ["port-taken"],
  },
  {
    name: "keeps-the-reason-to-itself",
    file,
    edits: [["fail(1, error.message);", 'fail(1, "cannot start");']],
    fails: ["port-taken"],
  },
  {
    name: "believes-any-argument",
    file,
    edits: [["if (!/^[1-9]\\d{0,4}$/.test(port) || Number(port) > 65535) {", "if (Number(port) > 65535) {"]],
    fails: ["usage"],
  },
  {
    name: "reads-numbers-as-far-as-they-go",
    file,
    edits: [
      [
        "if (!/^[1-9]\\d{0,4}$/.test(port) || Number(port) > 65535) {",
        "if (!(Number.parseInt(port, 10) <= 65535)) {",
      ],
      ["return Number(port);", "return Number.parseInt(port, 10);"],
    ],
    fails: ["usage"],
  },
  {
    name: "ends-with-1-whatever-the-reason",
    file,
    edits: [["process.exit(status);", "process.exit(1);"]],
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
    edits: [["setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);", ""]],
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
