// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts of programs
import type { Mutant } from "../mutants.ts";

const modules = "src/modules.ts";
const persistence = "src/http/persistence.ts";
const pool = "src/http/upstream-pool.ts";
const exchange = "src/http/proxy-exchange.ts";
const upstreamRequest = "src/http/upstream-request.ts";
const session = "src/http/session.ts";
const response = "src/http/response.ts";
const bodySize = "src/modules/body-size.ts";
const expectations = "src/modules/expect.ts";
const methods = "src/modules/methods.ts";
const entityTag = "src/http/entity-tag.ts";
const parseDate = "src/http/parse-date.ts";
const conditionals = "src/modules/conditionals.ts";
const range = "src/http/range.ts";
const ranges = "src/modules/ranges.ts";
const forwarding = "src/modules/forwarding.ts";
const upgrade = "src/modules/upgrade.ts";
const framing = "src/http/framing.ts";
const hopByHop = "src/http/hop-by-hop.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file: modules,
    edits: [["  persistence(),", "  persistence(,"]],
    fails: ["builds"],
  },
  {
    name: "a-connection-for-each-request",
    file: modules,
    edits: [["  persistence(),\n", ""]],
    fails: ["keeps-connection"],
  },
  {
    name: "keeps-what-the-client-ends",
    file: persistence,
    edits: [["  if (framing.hasClose) return false;\n", ""]],
    fails: ["closes-on-request"],
  },
  {
    name: "keeps-old-clients",
    file: persistence,
    edits: [["minorVersion > 0 || framing.hasKeepAlive", "minorVersion >= 0"]],
    fails: ["old-clients-persistence"],
  },
  {
    name: "drops-old-clients",
    file: persistence,
    edits: [["minorVersion > 0 || framing.hasKeepAlive", "minorVersion > 0"]],
    fails: ["old-clients-persistence"],
  },
  {
    name: "forgets-what-came-early",
    file: session,
    edits: [
      [
        "    if (at < length) this.#hold(bytes.slice(at, length));",
        "    if (at < length) this.#hold(nothing);",
      ],
    ],
    fails: ["pipelining"],
  },
  {
    name: "connects-for-each-request",
    file: pool,
    edits: [
      ["isFresh ? undefined : this.#idle.get(address)?.pop()", "undefined as PooledConnection | undefined"],
    ],
    fails: ["pool"],
  },
  {
    name: "never-asks-again",
    file: exchange,
    edits: [["      this.#isReused &&\n", "      this.#isReused && this.#isOver &&\n"]],
    fails: ["pool-repeats"],
  },
  {
    name: "asks-again-by-post",
    file: exchange,
    edits: [
      [
        "      !this.#request.hasBody &&\n      idempotent.has(this.#request.head.method);",
        "      idempotent.size > 0;",
      ],
    ],
    fails: ["pool-repeats"],
  },
  {
    name: "takes-unwanted-bodies-for-requests",
    file: session,
    edits: [
      [
        'if (this.#state !== "response" || !request.hasBody) return;',
        'if (this.#state !== "response" || !request.hasBody || request.bodySink === undefined) return;',
      ],
    ],
    fails: ["unwanted-bodies"],
  },
  {
    name: "says-the-client's-chunks-twice",
    file: upstreamRequest,
    edits: [["    from += length;", "    from += Math.max(1, length - 1);"]],
    fails: ["chunked-bodies"],
  },
  {
    name: "never-says-continue",
    file: expectations,
    edits: [["      phases.bodyWanted.push(tellToGoOn);\n", ""]],
    fails: ["expect-continue"],
  },
  {
    name: "says-continue-to-long-bodies",
    file: expectations,
    edits: [
      [
        '  if (expectation === undefined || expectation === "100-continue") return false;',
        '  if (expectation === "100-continue") response.sendInterim(100);\n  if (expectation === undefined || expectation === "100-continue") return false;',
      ],
    ],
    fails: ["expect-continue"],
  },
  {
    name: "meets-every-expectation",
    file: expectations,
    edits: [["      phases.head.push(refuseUnknown);\n", ""]],
    fails: ["expect-unknown"],
  },
  {
    name: "limits-nothing",
    file: bodySize,
    edits: [["        request.bodyLimit = limit;\n", "        request.bodyLimit = limit + 1e15;\n"]],
    fails: ["limits"],
  },
  {
    name: "one-byte-too-few",
    file: bodySize,
    edits: [["        request.bodyLimit = limit;\n", "        request.bodyLimit = limit - 1;\n"]],
    fails: ["limits"],
  },
  {
    name: "traces",
    file: methods,
    edits: [['request.head.method === "TRACE"', 'request.head.method === "NONE"']],
    fails: ["methods"],
  },
  {
    name: "refuses-options",
    file: methods,
    edits: [["      route.filters.push(answerForContent);\n", "      void route;\n"]],
    fails: ["methods"],
  },
  {
    name: "ends-one-byte-early",
    file: range,
    edits: [["Math.min(size, Number(last) + 1)", "Math.min(size, Number(last))"]],
    fails: ["range"],
  },
  {
    name: "takes-suffixes-for-prefixes",
    file: range,
    edits: [
      [
        "{ start: Math.max(0, size - Number(suffix)), end: size }",
        "{ start: 0, end: Math.min(size, Number(suffix)) }",
      ],
    ],
    fails: ["range"],
  },
  {
    name: "serves-the-first-of-several",
    file: range,
    edits: [["ranges.length > 1 ? coalesce(ranges) : ranges", "ranges.slice(0, 1)"]],
    fails: ["several-ranges"],
  },
  {
    name: "joins-nothing",
    file: range,
    edits: [["ranges.length > 1 ? coalesce(ranges) : ranges", "ranges"]],
    fails: ["several-ranges"],
  },
  {
    name: "forgets-the-last-delimiter",
    file: ranges,
    edits: [["  add(text(`\\r\\n--${boundary}--\\r\\n`));\n", ""]],
    fails: ["several-ranges"],
  },
  {
    name: "refuses-what-it-does-not-understand",
    file: range,
    edits: [
      [
        "if (Number(last) < Number(first)) return undefined;",
        "if (Number(last) < Number(first)) return { start: 0, end: 0 };",
      ],
    ],
    fails: ["bad-ranges"],
  },
  {
    name: "does-not-tell-the-size",
    file: ranges,
    edits: [['    response.fields.set("Content-Range", `bytes */${size}`);\n', ""]],
    fails: ["bad-ranges"],
  },
  {
    name: "serves-any-number-of-ranges",
    file: range,
    edits: [["const mostRanges = 16;", "const mostRanges = 16_000;"]],
    fails: ["bad-ranges"],
  },
  {
    name: "does-not-ask-whether-it-is-the-same",
    file: ranges,
    edits: [["  if (ifRange === undefined) return true;\n", "  if (ifRange !== null) return true;\n"]],
    fails: ["if-range"],
  },
  {
    name: "splits-tags-at-commas",
    file: entityTag,
    edits: [["[\\x21\\x23-\\x7e\\x80-\\xff]", "[\\x21\\x23-\\x2b\\x2d-\\x7e\\x80-\\xff]"]],
    fails: ["not-modified"],
  },
  {
    name: "believes-dates-ahead",
    file: conditionals,
    edits: [
      ["modifiedSince !== undefined && modifiedSince <= Date.now() / 1000", "modifiedSince !== undefined"],
    ],
    fails: ["not-modified"],
  },
  {
    name: "knows-one-form-of-dates",
    file: parseDate,
    edits: [["formats.map((format)", "formats.slice(0, 1).map((format)"]],
    fails: ["not-modified"],
  },
  {
    name: "cuts-before-it-asks",
    file: modules,
    edits: [["  conditionals(),\n  ranges(),\n", "  ranges(),\n  conditionals(),\n"]],
    fails: ["not-modified"],
  },
  {
    name: "matches-weakly",
    file: conditionals,
    edits: [
      ["if (!matchesStrongly(match, etag)) return 412;", "if (!matchesWeakly(match, etag)) return 412;"],
    ],
    fails: ["preconditions"],
  },
  {
    name: "lets-chunks-win-over-a-length",
    file: framing,
    edits: [
      [
        '      return { status: 400, reason: "the request has both Content-Length and Transfer-Encoding" };\n',
        "      this.contentLength = -1;\n",
      ],
    ],
    fails: ["ambiguous-heads"],
  },
  {
    name: "passes-on-what-connection-names",
    file: hopByHop,
    edits: [["this.#named.push(new FieldName(name));", "this.#named.push(new FieldName(`${name}-`));"]],
    fails: ["hop-by-hop"],
  },
  {
    name: "passes-upgrades-on",
    file: hopByHop,
    edits: [['  "upgrade",\n', ""]],
    fails: ["hop-by-hop"],
  },
  {
    name: "leaves-upstreams-with-half-a-request",
    file: session,
    edits: [["    response.abandon();\n", ""]],
    fails: ["ambiguous-chunks"],
  },
  {
    name: "believes-forwarded-fields",
    file: forwarding,
    edits: [["        droppedRequestFields: believed.map(({ text }) => text),\n", ""]],
    fails: ["forwarded"],
  },
  {
    name: "trusts-nobody",
    file: forwarding,
    edits: [["new IpNetworks(config.trusted_proxies as string[])", "new IpNetworks([])"]],
    fails: ["forwarded"],
  },
  {
    name: "says-no-via",
    file: forwarding,
    edits: [
      [
        '          response.fields.add("Via", via[minorVersion]!);\n',
        "          void response, minorVersion;\n",
      ],
    ],
    fails: ["via"],
  },
  {
    name: "gives-no-reason",
    file: forwarding,
    edits: [
      [
        '          response.fields.set("Proxy-Status", `${pseudonym}; error=${errorType(code)}`);\n',
        "          void response, code;\n",
      ],
    ],
    fails: ["proxy-status"],
  },
  {
    name: "chunks-for-everybody",
    file: response,
    edits: [
      [
        "} else if (this.#request.head.minorVersion > 0) {",
        "} else if (this.#request.head.minorVersion >= 0) {",
      ],
    ],
    fails: ["no-chunks-for-old-clients"],
  },
  {
    name: "passes-the-target-as-it-came",
    file: upstreamRequest,
    edits: [["  head.text(request.path);\n", "  head.text(request.head.path);\n"]],
    fails: ["routed-path"],
  },
  {
    name: "upgrades-to-anything",
    file: upgrade,
    edits: [['= ["websocket"]', '= ["websocket", "h2c"]']],
    fails: ["upgrade"],
  },
  {
    name: "loses-what-came-with-the-switch",
    file: upgrade,
    edits: [["  if (rest.length > 0 && !client.write(rest)) upstream.pause();\n", ""]],
    fails: ["upgrade"],
  },
  {
    name: "answers-who-does-not-read",
    file: session,
    edits: [
      [
        "        if (at === end || !this.connection.isWritable) return at;",
        "        if (at === end) return at;",
      ],
    ],
    fails: ["pipelining-flood"],
  },
  {
    name: "keeps-those-that-end",
    file: session,
    edits: [
      [
        '    if (this.#state === "idle" || this.#state === "head") this.#close();\n    else if',
        '    if (this.#state === "idle") return;\n    if',
      ],
    ],
    fails: ["clients-come-and-go"],
  },
  {
    name: "looks-again-and-again",
    file: persistence,
    edits: [
      [
        "    setUpServer({ phases }) {\n",
        "    setUpServer({ phases }) {\n      const look = (): unknown => setImmediate(look);\n      look();\n",
      ],
    ],
    fails: ["idle-cpu"],
  },
];
