import type { Mutant } from "../mutants.ts";

const entry = "src/stage-10.ts";
const connection = "src/head-connection.ts";
const head = "src/http/head-parser.ts";
const parser = "src/http/parser.ts";
const framing = "src/http/framing.ts";
const characters = "src/http/characters.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file: entry,
    edits: [["const core = new Core();", "const core = new Core(;"]],
    fails: ["builds"],
  },
  {
    name: "says-nothing",
    file: entry,
    edits: [["process.stdout.write(`listening on", "void (`listening on"]],
    fails: ["announces"],
  },
  {
    name: "forgets-the-query",
    file: connection,
    edits: [["query: query ?? null", "query: null"]],
    fails: ["targets"],
  },
  {
    name: "answers-without-the-host",
    file: connection,
    edits: [["host: host ?? null", "host: null"]],
    fails: ["simple-request"],
  },
  {
    name: "takes-every-version",
    file: parser,
    edits: [["bytes[start + 5] !== 0x31", "bytes[start + 5] === 0x00"]],
    fails: ["request-lines"],
  },
  {
    name: "takes-any-target-for-a-url",
    file: parser,
    edits: [['this.refuse(400, "only OPTIONS has the target *")', "void 0"]],
    fails: ["targets"],
  },
  {
    name: "keeps-the-space-behind-values",
    file: head,
    edits: [["while (valueEnd > first && (", "while (valueEnd < first && ("]],
    fails: ["fields"],
  },
  {
    name: "takes-a-bare-cr-as-a-line-end",
    file: head,
    edits: [
      [
        "if (bytes[i - 1] === lf) state = State.fieldStart;\n          else this.refuse(400, strayCarriageReturn);",
        "state = State.fieldStart;",
      ],
    ],
    fails: ["fields"],
  },
  {
    name: "needs-no-host",
    file: parser,
    edits: [["this.minorVersion > 0 && this.#hostIndex === -1", "this.minorVersion > 8"]],
    fails: ["hosts"],
  },
  {
    name: "takes-any-host",
    file: parser,
    edits: [['this.refuse(400, "the value of Host is not a host and port");', "this.refusal = undefined;"]],
    fails: ["hosts"],
  },
  {
    name: "takes-length-and-coding",
    file: framing,
    edits: [
      [
        '    if (this.contentLength !== -1) {\n      return { status: 400, reason: "the request has both Content-Length and Transfer-Encoding" };\n    }\n',
        "",
      ],
    ],
    fails: ["framing"],
  },
  {
    name: "has-no-limit-of-fields",
    file: head,
    edits: [["const longestFields = 32 * 1024;", "const longestFields = 48 * 1024;"]],
    fails: ["limits"],
  },
  {
    name: "counts-only-90-fields",
    file: head,
    edits: [["fields.count === mostFields", "fields.count === 90"]],
    fails: ["limits"],
  },
  {
    name: "takes-delete-in-values",
    file: characters,
    edits: [["byte > 0x20 && byte < 0x7f", "byte > 0x20 && byte <= 0x7f"]],
    fails: ["every-byte"],
  },
  {
    name: "starts-again-with-each-piece",
    file: head,
    edits: [
      [
        "if (this.isUnfinished) this.#keep(bytes, this.fields.origin, end);",
        "if (this.isUnfinished) this.reset();",
      ],
    ],
    fails: ["byte-by-byte", "in-pieces"],
  },
  {
    name: "forgets-what-follows",
    file: connection,
    edits: [["      parser.reset();\n", "      parser.reset();\n      return;\n"]],
    fails: ["pipelined"],
  },
  {
    name: "reads-bodies-as-requests",
    file: connection,
    edits: [["framing.contentLength > 0 || framing.isChunked || ", ""]],
    fails: ["bodies"],
  },
  {
    name: "asks-again-while-a-request-is-unfinished",
    file: connection,
    edits: [
      [
        "if (refusal === undefined && !parser.isComplete) return;",
        "if (refusal === undefined && !parser.isComplete) {\n        const spin = (): void => {\n          for (const end = Date.now() + 5; Date.now() < end; );\n          if (parser.isUnfinished) setTimeout(spin, 1);\n        };\n        spin();\n        return;\n      }",
      ],
    ],
    fails: ["idle-cpu"],
  },
  {
    name: "takes-one-port-too-many",
    file: entry,
    edits: [["[8001]);", "[8001, 8002]);"]],
    fails: ["usage"],
  },
  {
    name: "hides-the-reason",
    file: entry,
    edits: [["  fail(1, ", "  fail(0, "]],
    fails: ["port-taken"],
  },
  {
    name: "ignores-sigterm",
    file: entry,
    edits: [["await core.run();", "await core.run();\nprocess.exit(3);"]],
    fails: ["ends-cleanly"],
  },
  {
    name: "uses-node-net",
    file: entry,
    edits: [
      ["const core = new Core();", 'void isIP("");\nconst core = new Core();'],
      ["import { Core }", 'import { isIP } from "node:net";\nimport { Core }'],
    ],
    fails: ["only-system-calls"],
  },
];
