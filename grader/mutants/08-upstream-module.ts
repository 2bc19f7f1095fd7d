import type { Mutant } from "../mutants.ts";

const entry = "src/stage-08.ts";
const upstream = "src/network/upstream.ts";
const relay = "src/network/relay.ts";
const relayed = "src/relayed-connection.ts";
const address = "src/upstream-address.ts";
const lines = "src/network/lines.ts";
const lineConnection = "src/line-connection.ts";

export const mutants: Mutant[] = [
  {
    name: "syntax-error",
    file: entry,
    edits: [["const core = new Core();", "const core = new Core(;"]],
    fails: ["builds"],
  },
  {
    name: "announces-before-it-listens-on-all",
    file: entry,
    edits: [
      ["for (const port of ports) process.stdout", "for (const port of ports.slice(1)) process.stdout"],
    ],
    fails: ["announces"],
  },
  {
    name: "relays-on-every-port",
    file: entry,
    edits: [["if (index === 0) return", "if (index >= 0) return"]],
    fails: ["reverse-line"],
  },
  {
    name: "takes-a-recv-for-a-message",
    file: lines,
    edits: [["const end = indexOfNewline(bytes, next, length);", "const end = length - 1;"]],
    fails: ["lines-together", "line-in-pieces"],
  },
  {
    name: "drops-the-unfinished-line",
    file: lineConnection,
    edits: [["    this.#lines.end();\n", ""]],
    fails: ["unfinished-line"],
  },
  {
    name: "relays-one-direction-only",
    file: relay,
    edits: [["  other.handler = new RelayEnd(other, one);\n", ""]],
    fails: ["relays", "relay-module"],
  },
  {
    name: "relays-when-the-client-has-spoken",
    file: relayed,
    edits: [
      [
        "  const attempt = new UpstreamConnect(loop, upstream, {",
        "  client.resume();\n  client.handler = { onData: begin, onEnd() {}, onDrain() {}, onClose() {} };\n  function begin(bytes: Uint8Array, length: number) {\n  const said = bytes.slice(0, length);\n  client.pause();\n  const attempt = new UpstreamConnect(loop, upstream, {",
      ],
      [
        "onConnect: (connection) => relay(client, connection),",
        "onConnect(connection) {\n      connection.write(said);\n      relay(client, connection);\n    },",
      ],
      ["onClose: () => attempt.cancel() };", "onClose: () => attempt.cancel() };\n  }"],
    ],
    fails: ["relays"],
  },
  {
    name: "takes-einprogress-for-a-failure",
    file: upstream,
    edits: [["result < 0 && result !== -EINPROGRESS && result", "result < 0 && result"]],
    fails: ["relays", "connect-addresses"],
  },
  {
    name: "passes-on-16-kib-of-a-piece",
    file: relay,
    edits: [["this.#other.write(bytes, length)", "this.#other.write(bytes, Math.min(length, 16_384))"]],
    fails: ["both-ways", "http"],
  },
  {
    name: "never-goes-on-after-a-pause",
    file: relay,
    edits: [["  onDrain(): void {\n    this.#other.resume();", "  onDrain(): void {"]],
    fails: ["both-ways"],
  },
  {
    name: "relays-to-the-latest-upstream",
    file: relay,
    edits: [
      ["export function relay(", "let latest: TcpConnection | undefined;\n\nexport function relay("],
      ["  one.resume();", "  latest = other;\n  one.resume();"],
      [
        "  onData(bytes: Uint8Array, length: number): void {",
        "  onData(bytes: Uint8Array, length: number): void {\n    if (this.#isFirst && latest !== this.#other) return void latest!.write(bytes, length);",
      ],
      ["  readonly #own: TcpConnection;", "  readonly #isFirst: boolean;\n  readonly #own: TcpConnection;"],
      [
        "    this.#own = own;",
        "    this.#isFirst = !(other.handler instanceof RelayEnd);\n    this.#own = own;",
      ],
    ],
    fails: ["fifty-pairs"],
  },
  {
    name: "has-room-for-150-pairs",
    file: entry,
    edits: [
      ["const core = new Core();", "const core = new Core();\nlet pairs = 0;"],
      [
        "return (client) => relayToUpstream(core.loop, client, upstream);",
        "return (client) => (++pairs > 150 ? client.destroy() : relayToUpstream(core.loop, client, upstream));",
      ],
    ],
    fails: ["two-hundred-pairs"],
  },
  {
    name: "does-not-pass-on-an-end",
    file: relay,
    edits: [["  onEnd(): void {\n    this.#other.end();", "  onEnd(): void {"]],
    fails: ["upstream-closes", "client-closes", "half-close", "thousand-connections"],
  },
  {
    name: "closes-both-at-the-first-end",
    file: relay,
    edits: [["    this.#other.end();", "    this.#other.end();\n    this.#own.end();"]],
    fails: ["half-close"],
  },
  {
    name: "closes-before-the-last-byte",
    file: relay,
    edits: [["    this.#other.end();", "    this.#other.destroy();"]],
    fails: ["upstream-closes", "half-close"],
  },
  {
    name: "keeps-a-client-without-upstream",
    file: relayed,
    edits: [["      client.endGracefully();\n", ""]],
    fails: ["upstream-down", "unknown-name", "silent-upstream"],
  },
  {
    name: "does-not-ask-for-the-error",
    file: upstream,
    edits: [["const error = getsockopt(fd, SOL_SOCKET, SO_ERROR);", "const error: number = 0;"]],
    fails: ["connect-errors"],
  },
  {
    name: "leaves-the-partner-of-a-broken-connection",
    file: relay,
    edits: [["    else this.#other.abort();", ""]],
    fails: ["resets", "break-is-no-end"],
  },
  {
    name: "passes-on-a-break-as-an-end",
    file: relay,
    edits: [["    else this.#other.abort();", "    else this.#other.endGracefully();"]],
    fails: ["break-is-no-end", "relay-module"],
  },
  {
    name: "closes-the-partner-of-a-broken-connection",
    file: relay,
    edits: [["    else this.#other.abort();", "    else this.#other.destroy();"]],
    fails: ["break-is-no-end"],
  },
  {
    name: "waits-in-connect",
    file: upstream,
    edits: [
      ["      fd = openSocket(address.host);", "      fd = socket(2, 1, 0);"],
      ["  TCP_NODELAY,\n", "  TCP_NODELAY,\n  socket,\n"],
    ],
    fails: ["silent-upstream", "connect-addresses"],
  },
  {
    name: "waits-as-long-as-the-kernel",
    file: upstream,
    edits: [
      [
        "    this.#setTimer(this.#timeoutMs, () => {\n      this.#leaveCurrent();\n      this.#tryNext(ETIMEDOUT);\n    });\n",
        "",
      ],
    ],
    fails: ["silent-upstream", "connect-errors"],
  },
  {
    name: "gives-up-after-half-a-second",
    file: upstream,
    edits: [["timeoutMs = 3000", "timeoutMs = 500"]],
    fails: ["silent-upstream", "late-upstream"],
  },
  {
    name: "forgets-the-socket-of-a-connect-that-failed",
    file: upstream,
    edits: [
      [
        "    this.#loop.remove(this.#current.fd);\n    close(this.#current.fd);",
        "    this.#loop.remove(this.#current.fd);",
      ],
    ],
    fails: ["silent-upstream", "connect-cancel", "connect-errors"],
  },
  {
    name: "reads-the-client-before-the-upstream-is-there",
    file: relayed,
    edits: [["  client.pause();\n", ""]],
    fails: ["late-upstream"],
  },
  {
    name: "takes-an-end-for-a-leaving-client",
    file: relayed,
    edits: [
      ["  client.pause();\n", ""],
      ["onEnd() {}, onDrain() {}", "onEnd: () => client.destroy(), onDrain() {}"],
    ],
    fails: ["late-upstream"],
  },
  {
    name: "connects-for-clients-that-have-left",
    file: relayed,
    edits: [["onClose: () => attempt.cancel() };", "onClose: () => void attempt };"]],
    fails: ["late-upstream"],
  },
  {
    name: "takes-numeric-addresses-only",
    file: upstream,
    edits: [["if (isNumericAddress(upstream.host)) {", "if (isNumericAddress(upstream.host) || true) {"]],
    fails: ["names", "connect-addresses"],
  },
  {
    name: "throws-where-nobody-catches",
    file: upstream,
    edits: [
      [
        "      if (this.#isOver) return;\n",
        "      if (this.#isOver) return;\n      if (error !== null) throw error;\n",
      ],
    ],
    fails: ["unknown-name", "connect-errors"],
  },
  {
    name: "tries-the-first-address-only",
    file: upstream,
    edits: [["= found.map(", "= found.slice(0, 1).map("]],
    fails: ["connect-addresses"],
  },
  {
    name: "tries-the-last-address-first",
    file: upstream,
    edits: [["this.#addresses.shift()", "this.#addresses.pop()"]],
    fails: ["connect-addresses"],
  },
  {
    name: "gives-up-at-the-first-address-that-is-silent",
    file: upstream,
    edits: [["      this.#tryNext(ETIMEDOUT);", '      this.#fail("ETIMEDOUT", "it does not answer");']],
    fails: ["connect-addresses"],
  },
  {
    name: "tells-after-cancel",
    file: upstream,
    edits: [["      if (this.#isOver) return;\n", ""]],
    fails: ["connect-cancel"],
  },
  {
    name: "leaves-its-timer",
    file: upstream,
    edits: [
      [
        "    if (this.#timer !== undefined) this.#loop.timers.cancel(this.#timer);\n  }\n\n  /** The kernel",
        "  }\n\n  /** The kernel",
      ],
    ],
    fails: ["connect-cancel"],
  },
  {
    name: "closes-what-it-has-handed-over",
    file: upstream,
    edits: [
      ["    this.#current = undefined;\n    this.#loop.remove(fd);\n", "    this.#loop.remove(fd);\n"],
      ["    this.cancel(); // only now", "    this.#isOver = true; // only now"],
    ],
    fails: ["connect-cancel"],
  },
  {
    name: "calls-every-failure-a-time-out",
    file: upstream,
    edits: [
      [
        "      this.#fail(errnoName(lastErrno), errnoMessage(lastErrno));",
        "      this.#fail(errnoName(ETIMEDOUT), errnoMessage(lastErrno));",
      ],
    ],
    fails: ["connect-errors"],
  },
  {
    name: "reads-only-who-comes-first",
    file: relay,
    edits: [["  other.resume();\n", ""]],
    fails: ["relay-module"],
  },
  {
    name: "never-waits-for-a-slow-side",
    file: relay,
    edits: [
      ["if (!this.#other.write(bytes, length)) this.#own.pause();", "this.#other.write(bytes, length);"],
    ],
    fails: ["slow-client", "slow-upstream"],
  },
  {
    name: "never-sleeps",
    file: entry,
    edits: [
      [
        "await core.run();",
        "const look = (): unknown => core.loop.timers.set(0, look);\nlook();\nawait core.run();",
      ],
    ],
    fails: ["idle-cpu"],
  },
  {
    name: "catches-no-error-of-bind",
    file: entry,
    edits: [
      [
        "  if (!(error instanceof SystemCallError)) throw error;\n",
        "  if (error instanceof SystemCallError) throw error;\n",
      ],
    ],
    fails: ["port-taken"],
  },
  {
    name: "corrects-a-wrong-upstream",
    file: address,
    edits: [
      [
        "  if (host === undefined || port === undefined) {",
        '  if (port === undefined) return { host: "127.0.0.1", port: 3000 };\n  if (host === undefined) {',
      ],
    ],
    fails: ["usage"],
  },
  {
    name: "does-not-end-after-its-loop",
    file: entry,
    edits: [["process.exit(0);", "setInterval(() => {}, 1000);"]],
    fails: ["ends-cleanly", "ends-while-connecting"],
  },
  {
    name: "forgets-reuseaddr",
    file: "src/network/socket.ts",
    edits: [["    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);\n", ""]],
    fails: ["restarts"],
  },
  {
    name: "imports-node-net",
    file: upstream,
    edits: [
      [
        'import { lookup } from "node:dns";',
        'import { lookup } from "node:dns";\nimport { isIP } from "node:net";',
      ],
      ["    if (isNumericAddress(upstream.host)) {", "    if (isIP(upstream.host) !== 0) {"],
      ["  isNumericAddress,\n", ""],
    ],
    fails: ["only-system-calls"],
  },
];
