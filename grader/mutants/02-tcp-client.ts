import type { Mutant } from "../mutants.ts";

const file = "src/phase-0/tcp-client.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file,
    edits: [["let line = input.next();", "let line = input.next(;"]],
    fails: ["builds"],
  },
  {
    name: "throws-when-refused",
    file,
    edits: [
      ["if (result < 0) fail(1, `cannot connect to", "if (result < 0) throw new Error(`cannot connect to"],
    ],
    fails: ["no-server"],
  },
  {
    name: "does-not-look-at-the-result-of-connect",
    file,
    edits: [["if (result < 0) fail(1, `cannot connect to", "if (result > 0) fail(1, `cannot connect to"]],
    fails: ["no-server"],
  },
  {
    name: "prints-another-label",
    file,
    edits: [['Buffer.from("[SERVER MESSAGE] ")', 'Buffer.from("[SERVER] ")']],
    fails: ["pipe"],
  },
  {
    name: "reads-all-input-first",
    file,
    edits: [
      [
        "if (at >= 0) return this.take(at + 1);",
        "if (at >= 0 && (this.fd !== 0 || this.ended)) return this.take(at + 1);",
      ],
      ["searched = this.end - this.start;", "searched = this.fd === 0 ? 0 : this.end - this.start;"],
    ],
    fails: ["pipe"],
  },
  {
    name: "prints-replies-at-the-end",
    file,
    edits: [
      ["const result = writeAll(1, Buffer.concat([", "printed.push(Buffer.concat(["],
      ['text, Buffer.from("\\n")]));\n', 'text, Buffer.from("\\n")]));\n  const result = 0;\n'],
      ["let line = input.next();", "const printed: Uint8Array[] = [];\nlet line = input.next();"],
      ["close(server);", "writeAll(1, Buffer.concat(printed));\nclose(server);"],
    ],
    fails: ["pipe"],
  },
  {
    name: "reads-the-terminal-key-by-key",
    file,
    edits: [
      [
        'const usage = "usage',
        'import { isatty, ReadStream } from "node:tty";\nif (isatty(0)) new ReadStream(0).setRawMode(true);\nconst usage = "usage',
      ],
    ],
    fails: ["terminal"],
  },
  {
    name: "waits-for-a-last-reply",
    file,
    edits: [["if (line.length > 0) printReply();\nclose(server);", "printReply();\nclose(server);"]],
    fails: ["end-of-input"],
  },
  {
    name: "prompts-in-a-pipe",
    file,
    edits: [["let line = input.next();", 'writeAll(1, Buffer.from("> "));\nlet line = input.next();']],
    fails: ["end-of-input", "long-line"],
  },
  {
    name: "ends-with-status-1",
    file,
    edits: [["close(server);", "close(server);\nprocess.exit(1);"]],
    fails: ["end-of-input"],
  },
  {
    name: "sends-its-whole-buffer",
    file,
    edits: [["const result = writeAll(server, line);", "const result = writeAll(server, input.buffer);"]],
    fails: ["pipe"],
  },
  {
    name: "ends-every-line",
    file,
    edits: [
      [
        "if (line.length > 0) sendLine(line);",
        'if (line.length > 0) sendLine(Buffer.concat([line, Buffer.from("\\n")]));',
      ],
    ],
    fails: ["exact-bytes"],
  },
  {
    name: "drops-an-unfinished-line",
    file,
    edits: [
      ["if (line.length > 0) sendLine(line);\n", ""],
      ["if (line.length > 0) printReply();\nclose(server);", "close(server);"],
    ],
    fails: ["exact-bytes"],
  },
  {
    name: "makes-text-of-the-bytes",
    file,
    edits: [
      [
        "const result = writeAll(server, line);",
        "const result = writeAll(server, Buffer.from(Buffer.from(line).toString()));",
      ],
    ],
    fails: ["exact-bytes"],
  },
  {
    name: "prints-what-one-read-brings",
    file,
    edits: [
      [
        "this.end += count;\n",
        "this.end += count;\n      if (this.fd !== 0 && count > 0) return this.take(this.end);\n",
      ],
    ],
    fails: ["split-reply", "long-line"],
  },
  {
    name: "drops-an-unfinished-reply",
    file,
    edits: [
      [
        "if (this.ended) return this.take(this.end);",
        "if (this.ended) return this.take(this.fd === 0 ? this.end : this.start);",
      ],
    ],
    fails: ["rest-at-eof"],
  },
  {
    name: "takes-the-end-for-an-empty-reply",
    file,
    edits: [['if (reply.length === 0) fail(1, "the server closed the connection without a reply");\n', ""]],
    fails: ["server-closes"],
  },
  {
    name: "throws-on-a-reset",
    file,
    edits: [
      ["fail(1, `the server closed the connection", "throw new Error(`the server closed the connection"],
    ],
    fails: ["server-closes"],
  },
  {
    name: "cuts-long-lines",
    file,
    edits: [
      [
        "      this.makeRoom();\n",
        "      if (this.end === this.buffer.length) return this.take(this.end);\n      this.makeRoom();\n",
      ],
    ],
    fails: ["long-line"],
  },
  {
    name: "connects-to-this-machine-only",
    file,
    edits: [
      [
        "const server = openConnection(address);",
        'const server = openConnection({ ...address, host: "127.0.0.1" });',
      ],
    ],
    fails: ["host"],
  },
  {
    name: "believes-any-host",
    file,
    edits: [["if (!isNumericAddress(host)) fail(", "if (host === undefined) fail("]],
    fails: ["usage"],
  },
  {
    name: "believes-any-port",
    file,
    edits: [["if (!/^[1-9]\\d{0,4}$/.test(port) || Number(port) > 65535) {", "if (Number(port) > 65535) {"]],
    fails: ["usage"],
  },
  {
    name: "registers-signal-handlers",
    file,
    edits: [
      [
        "const address = addressFrom(process.argv.slice(2));",
        'for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));\nconst address = addressFrom(process.argv.slice(2));',
      ],
    ],
    fails: ["ends-on-signal"],
  },
  {
    name: "asks-node-net-what-an-address-is",
    file,
    edits: [
      ['const usage = "usage', 'import { isIP } from "node:net";\nconst usage = "usage'],
      ["if (!isNumericAddress(host)) fail(", "if (isIP(host) === 0) fail("],
    ],
    fails: ["only-system-calls"],
  },
];
