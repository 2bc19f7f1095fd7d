/** Configurations that are refused, each with a message that says where. */
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert } from "../../engine/evidence.ts";
import type { Program } from "../../engine/program.ts";
import { type Configuration, writeConfiguration } from "../general/configured.ts";
import { expectExit, expectNoStackTrace, expectStatus } from "../general/endings.ts";

// biome-ignore lint/suspicious/noExplicitAny: whatever a configuration can be wrong by
type Anything = any;

/** A fault in a configuration. */
type Fault = {
  /** What is wrong, for a person. */
  what: string;
  /** Where: one of these has to stand in the message. `{}` is where the server stands that has the fault. */
  at: string[];
  /** Puts the fault into a good server, or, with `whole`, into the whole configuration. */
  spoil: (target: Anything) => void;
  whole?: boolean;
};

/** A good server that shares nothing with the one of another number. */
const goodServer = (number: number): Anything => ({
  listeners: [{ host: "127.0.0.1", port: 8001 + number }],
  hostnames: ["example.org"],
  routes: [
    { req_path: "/", type: "file_serve", dir_path: "public" },
    { req_path: "/old", type: "redirect", http_status_code: 301, redirect_url: "/new" },
    { req_path: "/api", type: "reverse_proxy", upstreams: ["127.0.0.1:3000"] },
  ],
});

const goodConfiguration = (servers: number): Configuration => ({
  server_name: "eXpServer",
  servers: Array.from({ length: servers }, (_, number) => goodServer(number)),
});

/**
 * A key of a server, a listener or a route that is set to something.
 * @param within where in the value the fault is
 */
const set = (what: string, at: string, value: unknown, within = ""): Fault => ({
  what,
  at: [`{}.${at}${within}`],
  spoil: (server) => {
    const keys = at.split(/[.[\]]+/).filter(Boolean);
    const last = keys.pop()!;
    const object = keys.reduce((inner, key) => inner[key], server);
    if (value === undefined) delete object[last];
    else object[last] = value;
  },
});

const setAtTop = (what: string, key: string, value: unknown): Fault => ({
  what,
  at: [key],
  whole: true,
  spoil: (configuration) => {
    if (value === undefined) delete configuration[key];
    else configuration[key] = value;
  },
});

/** Whether a message has one of the places. */
const names = (message: string, at: string[], server: number) =>
  at.some((place) => message.includes(place.replace("{}", `servers[${server}]`)));

/** Runs the program with --check. */
async function tryOut(context: CheckContext, configuration: Configuration | string): Promise<Program> {
  const { file } = writeConfiguration(context, configuration, { "public/index.html": "hello\n" });
  const program = context.launch(["--check", file]);
  await expectExit(program, 10_000, "it was started with --check and a bad configuration");
  return program;
}

/**
 * Fails unless each fault is refused by a message that names its place. All of them are tried in one configuration first: a
 * program that tells everything at once has to be started once only. What it did not tell is tried by itself.
 */
async function expectRefused(context: CheckContext, faults: Fault[]): Promise<void> {
  const together = goodConfiguration(faults.length);
  const servers = together.servers as Anything[];
  for (const [number, { spoil, whole }] of faults.entries()) spoil(whole ? together : servers[number]);
  const all = Array.isArray(together.servers) ? (await tryOut(context, together)).stderr.text() : "";
  const untold = faults.filter(({ at }, number) => !names(all, at, number));
  await Promise.all(untold.map((fault) => expectOneRefused(context, fault)));
}

async function expectOneRefused(context: CheckContext, { what, at, spoil, whole }: Fault): Promise<void> {
  const configuration = goodConfiguration(1);
  spoil(whole ? configuration : (configuration.servers as Anything[])[0]);
  const program = await tryOut(context, configuration);
  expectStatus(program, program.exit!, [1], `when ${what}`);
  expectNoStackTrace(program);
  const message = program.stderr.text();
  assert(names(message, at, 0), {
    summary: `the message does not say where the configuration is wrong: ${what}`,
    expected: `a sentence on stderr with ${at.map((place) => place.replace("{}", "servers[0]")).join(" or ")}`,
    observed: message.trim() || "nothing on stderr",
  });
}

const unknownKeys: Fault[] = [
  setAtTop("there is a key sever_name at the top", "sever_name", "x"),
  set("a server has a key hostname", "hostname", "example.org"),
  set("a server has a key routs", "routs", []),
  set("a listener has a key prot", "listeners[0].prot", 80),
  set("a route has a key gzip_levl", "routes[0].gzip_levl", 6),
  set("a redirect has a dir_path", "routes[1].dir_path", "public"),
  set(
    "the time-outs of a proxy have a key conect_ms",
    "routes[2].upstream_timeouts",
    { conect_ms: 100 },
    ".conect_ms",
  ),
];

const missingKeys: Fault[] = [
  set("a server has no listeners", "listeners", undefined),
  set("a server has no routes", "routes", undefined),
  set("a listener has no port", "listeners[0].port", undefined),
  set("a listener has no host", "listeners[0].host", undefined),
  set("a route has no req_path", "routes[0].req_path", undefined),
  set("a route has no type", "routes[0].type", undefined),
  set("a file_serve route has no dir_path", "routes[0].dir_path", undefined),
  set("a redirect has no redirect_url", "routes[1].redirect_url", undefined),
  set("a proxy has no upstreams", "routes[2].upstreams", undefined),
];

const wrongValues: Fault[] = [
  set('a port is the text "8001"', "listeners[0].port", "8001"),
  set("a port is 80.5", "listeners[0].port", 80.5),
  set("a port is 0", "listeners[0].port", 0),
  set("a port is 70000", "listeners[0].port", 70_000),
  set("a host is no address (300.1.2.3)", "listeners[0].host", "300.1.2.3"),
  set("a host is the number 127", "listeners[0].host", 127),
  set("a list of listeners is empty", "listeners", []),
  set("a listener is a text", "listeners[0]", "127.0.0.1:8001"),
  set("the hostnames are a text and no list", "hostnames", "example.org"),
  set('a hostname has an asterisk in its middle ("a.*.org")', "hostnames[0]", "a.*.org"),
  set("a hostname is a number", "hostnames[0]", 5),
  set("the routes are an object and no list", "routes", {}),
  set('a req_path has no slash at its front ("api")', "routes[0].req_path", "api"),
  set('a req_path has a query ("/api?x=1")', "routes[0].req_path", "/api?x=1"),
  set('there is no type "file_server"', "routes[0].type", "file_server"),
  set("a dir_path is true", "routes[0].dir_path", true),
  set("a list of upstreams is empty", "routes[2].upstreams", []),
  set('an upstream is "no port"', "routes[2].upstreams[0]", "no port"),
  set("a redirect has the status 200", "routes[1].http_status_code", 200),
  set('the status of a redirect is the text "301"', "routes[1].http_status_code", "301"),
  set("a redirect_url has a line end in it", "routes[1].redirect_url", "/new\r\nSet-Cookie: x=1"),
];

const atTop: Fault[] = [
  setAtTop("there are no servers", "servers", undefined),
  setAtTop("the list of servers is empty", "servers", []),
  setAtTop("the servers are an object and no list", "servers", {}),
];

const conflicts: Fault[] = [
  {
    what: "a server has the same listener twice",
    at: ["{}.listeners"],
    spoil: (server) => server.listeners.push({ ...server.listeners[0] }),
  },
  {
    what: "a server has two routes with the same req_path",
    at: ["{}.routes"],
    spoil: (server) => server.routes.push({ ...server.routes[0] }),
  },
];

/** Two servers of one configuration that cannot be told apart. */
const sameName: Fault = {
  what: "two servers have the same hostname on the same listener",
  at: ["servers[0]", "servers[1]"],
  whole: true,
  spoil: (configuration) => configuration.servers.push(goodServer(0)),
};

const folders: Fault[] = [
  set("the folder of a route does not exist", "routes[0].dir_path", "no-such-folder"),
  set("the folder of a route is a file", "routes[0].dir_path", "public/index.html"),
];

/** Texts that are no JSON, with the place where that shows first. */
const brokenTexts: { what: string; text: string; line: number; column: number }[] = [
  { what: "a value is @", text: '{\n  "servers": @\n}', line: 2, column: 14 },
  { what: "a key has no quotes", text: '{\n  "server_name": "x",\n  servers: []\n}', line: 3, column: 3 },
  { what: "a text has single quotes", text: "{\n\n  \"server_name\": 'x'\n}", line: 3, column: 18 },
  { what: "there is a comment", text: '{\n  "servers": [\n    // mine\n  ]\n}', line: 3, column: 5 },
  { what: "a second value follows", text: '{\n  "servers": []\n}\n  true', line: 4, column: 3 },
];

export const badConfigurations: Check[] = [
  check(
    "unknown-keys",
    {
      title: "refuses keys that nobody knows, and says where they stand",
      points: 3,
      after: ["announces"],
      why: "A mistyped key that is ignored is a setting that silently does not hold. The operator finds out on the day when it matters: the list of addresses that was to be kept out was never read.",
      see: ["docs/reference/configuration.md"],
      byHand: "npx expserver-course run expserver --check xps-config.json; echo $?",
    },
    (context) => expectRefused(context, unknownKeys),
  ),
  check(
    "missing-keys",
    {
      title: "says which keys are missing",
      points: 2,
      after: ["announces"],
      why: "“undefined is not a string” names neither the file nor the key. Whoever starts a server has a file in the editor, and wants to know where to go.",
      see: ["docs/reference/configuration.md"],
    },
    async (context) => {
      await expectRefused(context, missingKeys);
      for (const fault of atTop.slice(0, 1)) await expectOneRefused(context, fault);
    },
  ),
  check(
    "wrong-values",
    {
      title: "refuses values that cannot be used, each by its key",
      points: 3,
      after: ["announces"],
      why: "Values are looked at once, at the start, by whoever knows what they mean; everything behind can rely on them. A port that is a text, or a Location with a line end in it, goes wrong at the first request otherwise, or at the first attack.",
      see: ["docs/reference/configuration.md"],
    },
    async (context) => {
      // Each server can have one fault in the same place, so they need no more than one start.
      await expectRefused(context, wrongValues);
      await Promise.all(atTop.slice(1).map((fault) => expectOneRefused(context, fault)));
    },
  ),
  check(
    "conflicts",
    {
      title: "refuses listeners, names and paths that stand there twice",
      points: 2,
      after: ["announces"],
      why: "Each of the two is good by itself, so no look at one value finds it. One of them would never be reached, and which one is a matter of luck.",
      see: ["docs/reference/configuration.md"],
    },
    async (context) => {
      await expectRefused(context, conflicts);
      await expectOneRefused(context, sameName);
    },
  ),
  check(
    "missing-folder",
    {
      title: "refuses a folder that is not there, by its key",
      points: 1,
      after: ["announces"],
      why: "What a feature needs is prepared before the first socket opens. A server that starts and then answers every request by an error looks alive to whoever watches it.",
    },
    (context) => expectRefused(context, folders),
  ),
  check(
    "bad-json",
    {
      title: "says line and column where a configuration is no JSON",
      points: 2,
      after: ["announces"],
      why: "A comma too much in two hundred lines is hard to find by looking, and easy for whoever has just read the file.",
      see: ["RFC 8259"],
    },
    async (context) => {
      const refuses = async ({ what, text, line, column }: (typeof brokenTexts)[number]) => {
        const program = await tryOut(context, text);
        expectStatus(program, program.exit!, [1], `when ${what} in the configuration`);
        expectNoStackTrace(program);
        const message = program.stderr.text();
        // Columns count from 0 or from 1.
        const place = new RegExp(`\\b${line}\\b\\D+(${column}|${column - 1})\\b`);
        assert(place.test(message.replaceAll(context.plan.scratch, "")), {
          summary: `the message does not say where the configuration is no JSON: ${what}`,
          expected: `a sentence on stderr with line ${line} and column ${column}, such as xps-config.json:${line}:${column}`,
          observed: message.trim() || "nothing on stderr",
        });
      };
      await Promise.all(brokenTexts.map(refuses));
    },
  ),
];
