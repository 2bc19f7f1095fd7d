import type { Mutant } from "../mutants.ts";

const entry = "src/stage-09.ts";
const http = "src/http09-connection.ts";
const file = "src/disk/file.ts";
const mime = "src/disk/mime.ts";
const queue = "src/network/write-queue.ts";
const connection = "src/network/tcp-connection.ts";
const lines = "src/line-connection.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file: entry,
    edits: [["const core = new Core();", "const core = new Core(;"]],
    fails: ["builds"],
  },
  {
    name: "listens-on-three-ports",
    file: entry,
    edits: [["ports.entries())", "ports.slice(0, 3).entries())"]],
    fails: ["announces"],
  },
  {
    name: "relays-nothing",
    file: entry,
    edits: [["  if (index === 0) return", "  if (index === 7) return"]],
    fails: ["relays"],
  },
  {
    name: "serves-the-third-port",
    file: entry,
    edits: [["if (index === 1)", "if (index === 2)"]],
    fails: ["reverse-line", "serves-files"],
  },
  {
    name: "forgets-the-last-byte",
    file: http,
    edits: [["sendFile(file, 0, file.size)", "sendFile(file, 0, Math.max(0, file.size - 1))"]],
    fails: ["serves-files"],
  },
  {
    name: "never-ends",
    file: http,
    edits: [["    this.#connection.endGracefully();\n", ""]],
    fails: ["serves-files"],
  },
  {
    name: "serves-the-working-directory",
    file: entry,
    edits: [['root: "public"', 'root: "."']],
    fails: ["default-root"],
  },
  {
    name: "takes-the-version-for-the-path",
    file: http,
    edits: [["[^ \\r\\n]*", "[^\\r\\n]*"]],
    fails: ["request-line", "curl"],
  },
  {
    name: "takes-any-method",
    file: http,
    edits: [["/^GET (", "/^[A-Z]+ ("]],
    fails: ["nonsense"],
  },
  {
    name: "closes-with-input-unread",
    file: connection,
    edits: [["  #linger(): void {\n", "  #linger(): void {\n    this.destroy();\n    return;\n"]],
    fails: ["request-line"],
  },
  {
    name: "expects-the-line-in-one-piece",
    file: http,
    edits: [["this.#request.includes(newline) || this.#request.length > longestRequest", "true"]],
    fails: ["request-line"],
  },
  {
    name: "reads-files-into-memory",
    file: http,
    edits: [
      [
        "this.#connection.sendFile(file, 0, file.size);",
        "{ this.#connection.write(readFileSync(file.fd)); file.release(); }",
      ],
      ["import type { FileRoot }", 'import { readFileSync } from "node:fs";\nimport type { FileRoot }'],
    ],
    fails: ["large-file"],
  },
  {
    name: "sends-the-last-opened-file",
    file: http,
    edits: [
      ["sendFile(file, 0, file.size)", "sendFile((last = file), 0, file.size)"],
      [
        "if (typeof file",
        'if (last !== undefined && typeof file !== "number" && file.size > 0 && ++turn % 20 === 0) this.#connection.write(Buffer.from("x"));\n    if (typeof file',
      ],
      ["const newline", "let last: object | undefined;\nlet turn = 0;\nconst newline"],
    ],
    fails: ["fifty-at-once"],
  },
  {
    name: "keeps-the-files-of-clients-that-left",
    file: queue,
    edits: [["      item.file.release();", "      if (item.start === item.end) item.file.release();"]],
    fails: ["client-leaves"],
  },
  {
    name: "waits-for-a-pipe",
    file,
    edits: [
      ["O_RDONLY | O_NONBLOCK | O_NOCTTY", "O_RDONLY | O_NOCTTY"],
      ["  O_NONBLOCK,\n", ""],
    ],
    fails: ["no-such-file"],
  },
  {
    name: "serves-pipes",
    file,
    edits: [
      ["result === 0 && stat.isFile()", "result === 0 && !stat.isDirectory()"],
      ["    close(fd);\n    if (result", "    if (result"],
    ],
    fails: ["no-such-file"],
  },
  {
    name: "walks-out",
    file,
    edits: [
      ["RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS", "RESOLVE_NO_MAGICLINKS"],
      ["  RESOLVE_BENEATH,\n", ""],
    ],
    fails: ["nothing-outside", "file-root"],
  },
  {
    name: "looks-for-dots-only",
    file,
    edits: [
      ["RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS", "0"],
      [
        "    let fd = -EAGAIN;",
        '    if (relative.split("/").includes("..")) return -EINVAL;\n    let fd = -EAGAIN;',
      ],
      ["  RESOLVE_BENEATH,\n  RESOLVE_NO_MAGICLINKS,\n", ""],
    ],
    fails: ["nothing-outside"],
  },
  {
    name: "looks-at-the-path-and-opens-it-later",
    file,
    edits: [
      ["RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS", "0"],
      [
        "    let fd = -EAGAIN;",
        "    const base = realpathSync(`/proc/self/fd/$" +
          '{this.#fd}`);\n    try {\n      if (!realpathSync(join(base, relative)).startsWith(base + "/") && relative !== ".") return -EINVAL;\n    } catch {\n      return -EINVAL;\n    }\n    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2); // somebody else has the processor\n    let fd = -EAGAIN;',
      ],
      ["  RESOLVE_BENEATH,\n  RESOLVE_NO_MAGICLINKS,\n", ""],
      [
        "import {\n  close,",
        'import { realpathSync } from "node:fs";\nimport { join } from "node:path";\nimport {\n  close,',
      ],
    ],
    fails: ["link-swapped"],
  },
  {
    name: "waits-for-the-rest-of-a-file",
    file: queue,
    edits: [["        if (count === 0) return -EIO;\n", "        if (count === 0) return 0;\n"]],
    fails: ["file-shrinks"],
  },
  {
    name: "keeps-an-endless-request",
    file: http,
    edits: [
      [
        "    this.#request = Buffer.concat(",
        "    kept.push(Buffer.from(bytes.subarray(0, length)));\n    if (this.#request.length < 8192) this.#request = Buffer.concat(",
      ],
      [" || this.#request.length > longestRequest", ""],
      ["const newline", "const kept: Buffer[] = [];\nconst newline"],
    ],
    fails: ["endless-request"],
  },
  {
    name: "leaves-directories-open",
    file,
    edits: [["    close(fd);\n    if (result < 0) return result;", "    if (result < 0) return result;"]],
    fails: ["file-root", "no-such-file"],
  },
  {
    name: "gives-the-directory-back-twice",
    file,
    edits: [
      ["    if (this.#fd < 0) return;\n", ""],
      ["    this.#fd = -1;\n", ""],
    ],
    fails: ["file-root"],
  },
  {
    name: "knows-small-letters-only",
    file: mime,
    edits: [[".slice(1).toLowerCase()", ".slice(1)"]],
    fails: ["mime"],
  },
  {
    name: "takes-what-is-unknown-for-text",
    file: mime,
    edits: [['const unknown = "application/octet-stream";', 'const unknown = "text/plain";']],
    fails: ["mime"],
  },
  {
    name: "keeps-all-replies",
    file: lines,
    edits: [
      ["if (!connection.write(bytes, length)) connection.pause();", "connection.write(bytes, length);"],
    ],
    fails: ["flood"],
  },
  {
    name: "ends-with-a-broken-connection",
    file: lines,
    edits: [
      [
        "  onClose(): void {}",
        "  onClose(error?: string): void {\n    if (error !== undefined) process.exit(3);\n  }",
      ],
    ],
    fails: ["resets"],
  },
  {
    name: "ignores-a-missing-folder",
    file: entry,
    edits: [["  fail(1, ", "  process.stderr.write("]],
    fails: ["missing-root"],
  },
];
