import type { Mutant } from "../mutants.ts";

const entry = "src/stage-11.ts";
const single = "src/single-request.ts";
const files = "src/modules/static-files.ts";
const response = "src/http/response.ts";
const date = "src/http/date.ts";
const path = "src/http/request-path.ts";
const request = "src/http/request.ts";
const cache = "src/disk/open-file-cache.ts";
const file = "src/disk/file.ts";
const core = "src/core/core.ts";
const connection = "src/network/tcp-connection.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file: entry,
    edits: [["const core = new Core();", "const core = new Core(;"]],
    fails: ["builds"],
  },
  {
    name: "listens-before-it-has-a-folder",
    file: entry,
    edits: [
      ["  process.stdout.write(`listening on", "  if (port === -1) process.stdout.write(`listening on"],
      ["  const address = {", "  const port = ports[0]!;\n  const address = {"],
    ],
    fails: ["announces"],
  },
  {
    name: "forgets-the-last-byte",
    file: files,
    edits: [
      [
        "const part = { start: 0, end: file.size };",
        "const part = { start: 0, end: Math.max(0, file.size - 1) };",
      ],
    ],
    fails: ["serves-files"],
  },
  {
    name: "ends-lines-by-lf",
    file: response,
    edits: [['const lineEnd = Buffer.from("\\r\\n");', 'const lineEnd = Buffer.from("\\n");']],
    fails: ["serves-files"],
  },
  {
    name: "sends-the-file-before-the-head",
    file: response,
    edits: [
      ["        output.flush();\n        this.connection.sendFile", "        this.connection.sendFile"],
    ],
    fails: ["serves-files"],
  },
  {
    name: "tells-a-byte-too-much",
    file: files,
    edits: [["{file.size}\\r", "{file.size + 1}\\r"]],
    fails: ["real-clients"],
  },
  {
    name: "serves-the-working-directory",
    file: entry,
    edits: [['{ root: "public" }', '{ root: "." }']],
    fails: ["default-root"],
  },
  {
    name: "takes-all-for-pages",
    file: files,
    edits: [["mimeType(path);", 'mimeType("a.html");']],
    fails: ["content-type"],
  },
  {
    name: "keeps-the-first-date",
    file: response,
    edits: [["} else if (start.second !== second) {", "} else if (start.second > second) {"]],
    fails: ["fields"],
  },
  {
    name: "pads-by-spaces",
    file: date,
    edits: [['String(number).padStart(2, "0")', 'String(number).padStart(2, " ")']],
    fails: ["fields"],
  },
  {
    name: "tells-versions-by-size",
    file: files,
    edits: [["file.modifiedNs.toString(36)", '"v"']],
    fails: ["validators"],
  },
  {
    name: "believes-a-wrong-clock",
    file: files,
    edits: [["Math.min(file.modifiedAt, Math.floor(Date.now() / 1000))", "file.modifiedAt"]],
    fails: ["validators"],
  },
  {
    name: "believes-the-cache-for-ever",
    file: cache,
    edits: [["const believedMs = 1000;", "const believedMs = 1e9;"]],
    fails: ["validators", "client-leaves"],
  },
  {
    name: "answers-head-with-a-body",
    file: response,
    edits: [["isBodiless(this.status) || this.#request.isHead", "isBodiless(this.status)"]],
    fails: ["head"],
  },
  {
    name: "does-not-say-close",
    file: response,
    edits: [
      [
        "if (!this.persists) output.write(connection, closeField);",
        "if (this.persists) output.write(connection, closeField);",
      ],
    ],
    fails: ["one-request"],
  },
  {
    name: "never-ends",
    file: single,
    edits: [["    this.#connection.endGracefully();\n", ""]],
    fails: ["serves-files"],
  },
  {
    name: "resets-after-the-answer",
    file: single,
    edits: [["this.#connection.endGracefully();", "this.#connection.abort();"]],
    fails: ["serves-files"],
  },
  {
    name: "knows-http-1.1-only",
    file: request,
    edits: [
      [
        '    if (this.head.form === "authority") {',
        '    if (this.head.minorVersion === 0) return { status: 505, reason: "too old" };\n    if (this.head.form === "authority") {',
      ],
    ],
    fails: ["http-1.0"],
  },
  {
    name: "takes-the-query-for-a-name",
    file: files,
    edits: [["filePath(request.path)", "filePath(request.head.target)"]],
    fails: ["query"],
  },
  {
    name: "decodes-twice",
    file: path,
    edits: [["return decodeURIComponent(path)", "return decodeURIComponent(decodeURIComponent(path))"]],
    fails: ["decoding"],
  },
  {
    name: "keeps-double-slashes",
    file: path,
    edits: [['.replace(/\\/{2,}/g, "/")', '.replace(/\\/{2,}/g, "//x")']],
    fails: ["decoding"],
  },
  {
    name: "ends-names-at-nul",
    file: path,
    edits: [
      [' || digits === "00"', ""],
      ["return decodeURIComponent(path)", 'return decodeURIComponent(path).replace(/\\0.*/s, "")'],
    ],
    fails: ["refused-paths"],
  },
  {
    name: "decodes-slashes",
    file: path,
    edits: [['path.includes("%2F")', 'path.includes("%2F%2F")']],
    fails: ["refused-paths"],
  },
  {
    name: "looks-for-another-index",
    file: files,
    edits: [['options.index ?? ["index.html"]', 'options.index ?? ["index.htm"]']],
    fails: ["index"],
  },
  {
    name: "redirects-to-another-host",
    file: files,
    edits: [['request.path.replace(/^\\/{2,}/, "/")', "request.path"]],
    fails: ["folder-redirect"],
  },
  {
    name: "forgets-the-query-in-a-redirect",
    file: files,
    edits: [["query === undefined ? path :", 'query !== "" ? path :']],
    fails: ["folder-redirect"],
  },
  {
    name: "follows-links-out",
    file: file,
    edits: [
      [
        "resolve: RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS",
        "resolve: RESOLVE_NO_MAGICLINKS & ~RESOLVE_BENEATH",
      ],
    ],
    fails: ["nothing-outside"],
  },
  {
    name: "takes-a-missing-file-for-a-fault",
    file: files,
    edits: [["      return 404;\n", "      return 500;\n"]],
    fails: ["not-found"],
  },
  {
    name: "waits-for-a-pipe",
    file: file,
    edits: [["O_RDONLY | O_NONBLOCK |", "O_RDONLY | (O_NONBLOCK & 0) |"]],
    fails: ["not-found"],
  },
  {
    name: "has-no-page-for-errors",
    file: response,
    edits: [
      ["this.setText(errorPage(status, reason),", "this.setText(errorPage(status, reason).slice(0, 0),"],
    ],
    fails: ["not-found"],
  },
  {
    name: "takes-a-folder-without-index-for-missing",
    file: files,
    edits: [["      response.sendError(403);", "      response.sendError(404);"]],
    fails: ["index", "forbidden"],
  },
  {
    name: "does-not-say-what-is-allowed",
    file: files,
    edits: [['  response.fields.set("Allow", "GET, HEAD");\n', ""]],
    fails: ["methods"],
  },
  {
    name: "knows-every-method",
    file: files,
    edits: [["if (!isKnownMethod(method)) {", 'if (!isKnownMethod(method) && method === "") {']],
    fails: ["methods"],
  },
  {
    name: "answers-every-refusal-by-400",
    file: request,
    edits: [["return this.head.refusal;", "return { ...this.head.refusal, status: 400 };"]],
    fails: ["bad-requests"],
  },
  {
    name: "keeps-large-files-in-memory",
    file: cache,
    edits: [["const smallFile = 32 * 1024;", "const smallFile = 1024 ** 3;"]],
    fails: ["large-file"],
  },
  {
    name: "closes-with-input-unread",
    file: connection,
    edits: [["  #linger(): void {\n", "  #linger(): void {\n    this.destroy();\n    return;\n"]],
    fails: ["late-reader"],
  },
  {
    name: "retains-twice",
    file: files,
    edits: [["file.retain();", "file.retain(), file.retain();"]],
    fails: ["client-leaves"],
  },
  {
    name: "keeps-the-files-of-head",
    file: response,
    edits: [
      [
        '    if (this.#delimiter === "none") {\n      this.dropBody();',
        '    if (this.#delimiter === "none") {\n      this.#parts = noParts;\n      this.dropBody();',
      ],
    ],
    fails: ["client-leaves"],
  },
  {
    name: "counts-characters",
    file: response,
    edits: [
      ["start: 0, end: bytes.length }], bytes.length);", "start: 0, end: bytes.length }], text.length);"],
    ],
    fails: ["streams"],
  },
  {
    name: "tells-the-length-of-no-body",
    file: response,
    edits: [["this.#contentLength >= 0 && !isBodiless(this.status)", "this.#contentLength >= 0"]],
    fails: ["streams"],
  },
  {
    name: "leaves-quotes-as-they-are",
    file: response,
    edits: [["text.replace(/[&<>\"']/g", "text.replace(/[&<>]/g"]],
    fails: ["streams"],
  },
  {
    name: "forgets-the-last-chunk",
    file: response,
    edits: [['Buffer.from("0\\r\\n\\r\\n")', 'Buffer.from("")']],
    fails: ["streams"],
  },
  {
    name: "ends-a-short-body-in-order",
    file: response,
    edits: [
      [
        'if (this.#delimiter === "length" && this.#remaining > 0) {',
        'if (this.#delimiter === "length" && this.#remaining < 0) {',
      ],
    ],
    fails: ["streams"],
  },
  {
    name: "answers-before-the-head-is-complete",
    file: single,
    edits: [
      [
        "    if (!head.isComplete && head.refusal === undefined) return;",
        '    if (!head.isComplete && head.refusal === undefined) {\n      this.#response.sendError(400, "incomplete");\n      return;\n    }',
      ],
    ],
    fails: ["in-pieces"],
  },
  {
    name: "has-one-request-for-all-clients",
    file: single,
    edits: [
      [
        "    this.#request = new Request(connection);",
        "    this.#request = shared ??= new Request(connection);",
      ],
      ["/** One request and", "let shared: Request | undefined;\n\n/** One request and"],
    ],
    fails: ["serves-files"],
  },
  {
    name: "keeps-clients-that-ended-in-the-middle",
    file: single,
    edits: [["    if (!this.#response.isSent) this.#connection.end();", ""]],
    fails: ["in-pieces"],
  },
  {
    name: "repeats-the-request-as-html",
    file: files,
    edits: [
      [
        "      response.sendError(statusOf(found));",
        '      response.status = statusOf(found);\n      response.setText("<p>No " + path, "text/html");\n      response.send();',
      ],
    ],
    fails: ["not-found"],
  },
  {
    name: "sends-more-than-it-tells",
    file: files,
    edits: [["size}\\r\\nContent-Type", "size >> 1}\\r\\nContent-Type"]],
    fails: ["serves-files"],
  },
  {
    name: "puts-an-empty-chunk-for-an-empty-write",
    file: response,
    edits: [['"streaming" || length === 0 || this', '"streaming" || this']],
    fails: ["streams"],
  },
  {
    name: "sends-chunks-to-old-clients",
    file: response,
    edits: [["minorVersion > 0) {", "minorVersion >= 0) {"]],
    fails: ["streams"],
  },
  {
    name: "is-deaf-to-sigterm",
    file: core,
    edits: [['process.on("SIGTERM", stop);', 'process.on("SIGTERM", () => {});']],
    fails: ["ends-cleanly"],
  },
];
