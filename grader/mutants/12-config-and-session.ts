// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts of programs
import type { Mutant } from "../mutants.ts";

const main = "src/main.ts";
const config = "src/config/config.ts";
const schema = "src/config/schema.ts";
const names = "src/config/names.ts";
const conflicts = "src/config/conflicts.ts";
const configError = "src/config/config-error.ts";
const httpServer = "src/http/http-server.ts";
const router = "src/http/router.ts";
const session = "src/http/session.ts";
const body = "src/http/body.ts";
const exchange = "src/http/proxy-exchange.ts";
const upstreamRequest = "src/http/upstream-request.ts";
const redirect = "src/modules/redirect.ts";
const fileServe = "src/modules/file-serve.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file: main,
    edits: [["const core = new Core();", "const core = new Core(;"]],
    fails: ["builds"],
  },
  {
    name: "listens-on-the-first-address-only",
    file: httpServer,
    edits: [
      ["for (const { host, port } of listeners) {", "for (const { host, port } of listeners.slice(0, 1)) {"],
    ],
    fails: ["announces"],
  },
  {
    name: "announces-ports-without-hosts",
    file: main,
    edits: [["`listening on ${formatAddress(address)}\\n`", "`listening on ${address.port}\\n`"]],
    fails: ["announces"],
  },
  {
    name: "keeps-the-route's-path-in-front-of-the-file",
    file: fileServe,
    edits: [["{ prefix: config.req_path, ", "{ "]],
    fails: ["serves-files"],
  },
  {
    name: "knows-index.html-only",
    file: fileServe,
    edits: [[", index: config.index as string[] }", " }"]],
    fails: ["serves-files"],
  },
  {
    name: "takes-paths-from-the-working-directory",
    file: config,
    edits: [["resolve(dirname(this.#file), path)", "resolve(path)"]],
    fails: ["relative-paths"],
  },
  {
    name: "opens-its-sockets-for-a-look",
    file: main,
    edits: [["    if (isTrial) {", "    if (isTrial) {\n      server.listen();"]],
    fails: ["check-option"],
  },
  {
    name: "looks-at-the-text-only",
    file: main,
    edits: [
      [
        "    const server = core.own(new HttpServer(",
        "    const looked = readConfig(file, modules);\n    if (isTrial) process.exit(looked === undefined ? 1 : 0);\n    const server = core.own(new HttpServer(",
      ],
    ],
    fails: ["check-option", "missing-folder"],
  },
  {
    name: "has-a-configuration-that-nobody-named",
    file: main,
    edits: [
      [
        "} else if (files.length === 1) {",
        '} else if (files.length < 2) {\n  files.push("xps-config.json");',
      ],
    ],
    fails: ["usage"],
  },
  {
    name: "takes-the-first-of-several-configurations",
    file: main,
    edits: [["} else if (files.length === 1) {", "} else if (files.length > 0) {"]],
    fails: ["usage"],
  },
  {
    name: "leaves-a-missing-configuration-to-node",
    file: config,
    edits: [
      [
        "    throw new InvalidConfig(\n      `cannot read the configuration ${file}: ${reasonOf(error as NodeJS.ErrnoException)}`,\n    );",
        "    if (reasonOf(error as NodeJS.ErrnoException) !== undefined) throw error;\n    throw error;",
      ],
    ],
    fails: ["no-such-configuration"],
  },
  {
    name: "serves-what-it-could-open",
    file: httpServer,
    edits: [
      [
        "      throw error;\n    }\n    for (const server of opened) this.own(server);",
        "      if (opened.length === 0) throw error;\n      return;\n    }\n    for (const server of opened) this.own(server);",
      ],
    ],
    fails: ["port-taken"],
  },
  {
    name: "announces-before-all-are-open",
    file: main,
    edits: [
      ["    server.listen();\n", ""],
      [
        "${formatAddress(address)}\\n`);\n    }",
        "${formatAddress(address)}\\n`);\n    }\n    server.listen();",
      ],
    ],
    fails: ["port-taken"],
  },
  {
    name: "keeps-a-timer-for-ever",
    file: main,
    edits: [
      ["  await core.run();\n  process.exit(0);", "  setInterval(() => {}, 1000);\n  await core.run();"],
    ],
    fails: ["ends-cleanly"],
  },
  {
    name: "always-redirects-for-ever",
    file: redirect,
    edits: [["response.status = status;", "response.status = status === 308 ? 308 : 301;"]],
    fails: ["redirects"],
  },
  {
    name: "adds-the-rest-of-the-path",
    file: redirect,
    edits: [
      ["      route.content = (_request, response) => {", "      route.content = (request, response) => {"],
      [
        "        response.prepared = location;",
        '        const rest = request.path.slice(config.req_path.length);\n        response.prepared = rest === "" ? location : Buffer.from(`Location: ${url}${rest}\\r\\n`);',
      ],
    ],
    fails: ["redirects"],
  },
  {
    name: "expects-heads-in-one-piece",
    file: session,
    edits: [
      [
        '        } else if (this.#state === "idle" && this.request.head.isUnfinished) {',
        '        } else if (this.request.head.isUnfinished) {\n          this.#refuse(400, "the head is not complete");\n        } else if (this.#state === "idle" && this.request.head.isUnfinished) {',
      ],
    ],
    fails: ["request-in-pieces"],
  },
  {
    name: "one-head-for-all-connections",
    file: session,
    edits: [
      [
        "const nothing = new Uint8Array(0);",
        "const nothing = new Uint8Array(0);\nlet shared: Request | undefined;",
      ],
      [
        "    this.request = new Request(connection);",
        "    shared ??= new Request(connection);\n    this.request = shared;",
      ],
    ],
    fails: ["announces"],
  },
  {
    name: "goes-on-behind-what-it-did-not-understand",
    file: session,
    edits: [
      [
        "    if (!response.isSent) response.sendError(status, reason);\n    this.#close();",
        '    if (!response.isSent) response.sendError(status, reason);\n    this.request.reset();\n    this.response.reset();\n    this.#state = "idle";',
      ],
    ],
    fails: ["bad-requests"],
  },
  {
    name: "answers-refusals-by-their-reason-only",
    file: session,
    edits: [
      ["response.sendError(status, reason);", "response.sendError(status === 400 ? 500 : status, reason);"],
    ],
    fails: ["bad-requests"],
  },
  {
    name: "wants-a-host-from-everybody",
    file: session,
    edits: [
      [
        "    const refusal = request.prepare();",
        '    const refusal = request.head.host === undefined ? { status: 400, reason: "no Host" } : request.prepare();',
      ],
    ],
    fails: ["old-clients"],
  },
  {
    name: "closes-with-a-body-unread",
    file: session,
    edits: [
      [
        "    this.connection.endGracefully();",
        "    this.connection.end();\n    this.connection.pause();\n    setTimeout(() => this.connection.destroy(), 20);",
      ],
    ],
    fails: ["unread-body"],
  },
  {
    name: "gives-an-address-to-its-last-server",
    file: httpServer,
    edits: [
      ["listener.servers.push(virtualServers[index]!);", "listener.servers = [virtualServers[index]!];"],
    ],
    fails: ["listeners"],
  },
  {
    name: "takes-capital-letters-for-others",
    file: router,
    edits: [["this.hostnames = hostnames.map((name) => name.toLowerCase());", "this.hostnames = hostnames;"]],
    fails: ["hostnames"],
  },
  {
    name: "takes-the-port-for-a-part-of-the-name",
    file: router,
    edits: [["(colon === -1 ? host : host.slice(0, colon)).toLowerCase()", "host.toLowerCase()"]],
    fails: ["hostnames"],
  },
  {
    name: "looks-for-the-shortest-wildcard",
    file: router,
    edits: [
      [
        'for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {',
        'for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {',
      ],
    ],
    fails: ["hostnames"],
  },
  {
    name: "takes-the-end-of-a-name-for-a-wildcard",
    file: router,
    edits: [
      ["[this.#wildcards, name.slice(1)]", "[this.#wildcards, name.slice(2)]"],
      [
        "this.#wildcards.get(name.slice(dot))",
        "[...this.#wildcards].find(([end]) => name.endsWith(end))?.[1]",
      ],
    ],
    fails: ["hostnames"],
  },
  {
    name: "leaves-unknown-hosts-to-the-last-server",
    file: router,
    edits: [["?? servers[0]!", "?? servers.at(-1)!"]],
    fails: ["default-server"],
  },
  {
    name: "takes-letters-for-segments",
    file: router,
    edits: [
      [
        'return path.length === prefix.length || prefix.endsWith("/") || path.charCodeAt(prefix.length) === 0x2f;',
        "return true;",
      ],
    ],
    fails: ["routes"],
  },
  {
    name: "takes-the-first-route-that-fits",
    file: router,
    edits: [["    this.#routes.sort((one, other) => other.prefix.length - one.prefix.length);\n", ""]],
    fails: ["routes"],
  },
  {
    name: "routes-by-the-path-as-it-was-sent",
    file: session,
    edits: [["this.#server.findRoute(request.path)", "this.#server.findRoute(request.head.path)"]],
    fails: ["routes"],
  },
  {
    name: "forgets-the-query",
    file: upstreamRequest,
    edits: [["if (query !== undefined) {", 'if (query === "never") {']],
    fails: ["proxy-request"],
  },
  {
    name: "drops-the-last-field",
    file: upstreamRequest,
    edits: [["i < fields.count; i++", "i < fields.count - 1; i++"]],
    fails: ["proxy-request"],
  },
  {
    name: "forgets-the-body",
    file: exchange,
    edits: [
      [
        "if (!sendRequestBody(this.#upstream, isChunked, bytes, start, end)) this",
        "if (!sendRequestBody(this.#upstream, isChunked, bytes, start, Math.min(end, start + 10_000))) this",
      ],
    ],
    fails: ["proxy-request"],
  },
  {
    name: "loses-a-byte-of-each-chunk",
    file: body,
    edits: [
      [
        "        sink?.onBodyBytes(bytes, i, i + length);",
        "        sink?.onBodyBytes(bytes, i, state === State.chunkData ? i + length - 1 : i + length);",
      ],
    ],
    fails: ["proxy-request"],
  },
  {
    name: "waits-for-the-body-of-a-204",
    file: exchange,
    edits: [
      [
        "const body = head.bodyFor(request.head.method);",
        'const body = head.framing.contentLength >= 0 || head.framing.isChunked ? "framed" : "until end";',
      ],
    ],
    fails: ["proxy-response"],
  },
  {
    name: "takes-an-interim-response-for-the-answer",
    file: exchange,
    edits: [["if (this.#head.isInterim) this.#passInterim();\n      else if", "if"]],
    fails: ["proxy-response"],
  },
  {
    name: "keeps-one-field-of-each-name",
    file: exchange,
    edits: [["target.addReceived(fields, i);", "target.set(fields.name(i), fields.value(i));"]],
    fails: ["proxy-response"],
  },
  {
    name: "collects-what-it-should-pass-on",
    file: exchange,
    edits: [["    if (!output.flush()) this.#upstream?.pause();\n", ""]],
    fails: ["proxy-streams"],
  },
  {
    name: "gives-up-without-a-word",
    file: exchange,
    edits: [["    this.#response.sendError(status);", "    this.#response.abort();"]],
    fails: ["proxy-no-upstream", "proxy-silent-upstream"],
  },
  {
    name: "has-one-status-for-everything",
    file: exchange,
    edits: [["    this.#response.sendError(status);", "    this.#response.sendError(500);"]],
    fails: ["proxy-no-upstream", "proxy-silent-upstream"],
  },
  {
    name: "waits-for-ever",
    file: exchange,
    edits: [["if (silentMs >= readMs) this", "if (silentMs >= 1000 * readMs) this"]],
    fails: ["proxy-silent-upstream"],
  },
  {
    name: "takes-a-part-for-the-whole",
    file: exchange,
    edits: [
      [
        "if (this.#head.isComplete && this.#body.endOfStream(this.#client)) this.#complete(false);",
        "if (this.#head.isComplete) this.#complete(false);",
      ],
    ],
    fails: ["proxy-broken-response"],
  },
  {
    name: "ignores-unknown-keys",
    file: schema,
    edits: [['z.strictObject(\n      joinKeys("route"', 'z.object(\n      joinKeys("route"']],
    fails: ["unknown-keys"],
  },
  {
    name: "says-what-and-not-where",
    file: configError,
    edits: [['super(keyPath === "" ? problem : `${keyPath}: ${problem}`);', "super(problem);"]],
    fails: ["unknown-keys"],
  },
  {
    name: "needs-no-routes",
    file: schema,
    edits: [
      [
        "          .array(routeSchema(modules))\n          .min(1)",
        "          .array(routeSchema(modules))\n          .default([])",
      ],
    ],
    fails: ["missing-keys"],
  },
  {
    name: "takes-texts-for-ports",
    file: schema,
    edits: [["port: z.int().min(1)", "port: z.coerce.number<number>().int().min(1)"]],
    fails: ["wrong-values"],
  },
  {
    name: "takes-any-port",
    file: schema,
    edits: [["port: z.int().min(1).max(65535)", "port: z.int()"]],
    fails: ["wrong-values"],
  },
  {
    name: "takes-any-name",
    file: names,
    edits: [["  const labels = (name", "  if (name.length > 0) return undefined;\n  const labels = (name"]],
    fails: ["wrong-values"],
  },
  {
    name: "takes-any-url",
    file: redirect,
    edits: [["  if (!isUriText(url)) return", "  if (url.length === 0) return"]],
    fails: ["wrong-values"],
  },
  {
    name: "takes-any-path",
    file: names,
    edits: [['  if (!path.startsWith("/")) return "has to begin with a slash";\n', ""]],
    fails: ["wrong-values"],
  },
  {
    name: "sees-no-address-twice",
    file: conflicts,
    edits: [['    ...twice("listeners", list(server, "listeners").map(addressOf), "the address"),\n', ""]],
    fails: ["conflicts"],
  },
  {
    name: "sees-no-name-twice",
    file: conflicts,
    edits: [["    ...conflictsOfNames(servers),\n", ""]],
    fails: ["conflicts"],
  },
  {
    name: "starts-without-its-folder",
    file: fileServe,
    edits: [["throw new ConfigError(`${keyPath}.dir_path`, error.message);", "return;"]],
    fails: ["missing-folder"],
  },
  {
    name: "leaves-syntax-errors-to-node",
    file: config,
    edits: [["    return parseJson(text);", "    JSON.parse(text);\n    return parseJson(text);"]],
    fails: ["bad-json"],
  },
  {
    name: "counts-lines-from-zero",
    file: config,
    edits: [
      [
        "`${file}:${line}:${column}: not JSON: ${error.message}`",
        "`${file}:${line - 1}:${column}: not JSON: ${error.message}`",
      ],
    ],
    fails: ["bad-json"],
  },
];
