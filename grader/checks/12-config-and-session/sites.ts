/** Who answers what: addresses, hosts, paths. */
import { type Check, check } from "../../checks.ts";
import { assert, quote } from "../../engine/evidence.ts";
import { ask, expectStatusOf, serve } from "../general/configured.ts";

const listenerAt = (port: number, host = "127.0.0.1") => ({ host, port });

/** A server whose redirects tell which of its routes took a request. */
const named = (name: string, listeners: object[], hostnames: string[] | undefined, paths = ["/"]) => ({
  listeners,
  ...(hostnames === undefined ? {} : { hostnames }),
  routes: paths.map((path) => ({
    req_path: path,
    type: "redirect",
    http_status_code: 307,
    redirect_url: `http://${name}.example/took${path}`,
  })),
});

/** Requests, and the server and route that has to take them. */
type Expectation = { port?: number; host?: string; line?: string; takes: string };

const shuffledPaths = ["/api", "/a", "/", "/api/v1/deep", "/api/v1", "/files/"];

export const sites: Check[] = [
  check(
    "listeners",
    {
      title: "gives each address its server, and a shared address its servers",
      points: 2,
      after: ["redirects"],
      why: "A machine has one port 80 and many sites. Several servers of a configuration may have the same address: it is opened once.",
      see: ["docs/reference/configuration.md"],
    },
    async (context) => {
      const { ports } = await serve(
        context,
        ([one, two, three]) => ({
          servers: [
            named("first", [listenerAt(one!), listenerAt(two!)], []),
            named("second", [listenerAt(three!)], undefined),
            named("third", [listenerAt(three!), listenerAt(one!)], ["third.example"]),
          ],
        }),
        { portCount: 3 },
      );
      await expectTakers(context, ports, [
        { port: 0, takes: "first" },
        { port: 1, takes: "first" },
        { port: 2, takes: "second" },
        { port: 0, host: "third.example", takes: "third" },
        { port: 2, host: "third.example", takes: "third" },
        { port: 1, host: "third.example", takes: "first" },
      ]);
    },
  ),
  check(
    "hostnames",
    {
      title:
        "finds the server by the request's host: by its name, else by the longest wildcard, else the one without names",
      points: 3,
      after: ["listeners"],
      why: "The client tells in Host which site it wants, and nothing else does: the address is the same. Names mean the same in capital letters, and the port that may stand behind is not part of them.",
      see: ["RFC 9110 §7.2", "RFC 9112 §3.2.2"],
      byHand: "curl -si -H 'Host: a.example.org' http://127.0.0.1:8001/",
    },
    async (context) => {
      const { ports } = await serve(context, ([port]) => {
        const at = [listenerAt(port!)];
        return {
          servers: [
            named("wide", at, ["*.example.org"]),
            named("exact", at, ["www.example.org", "Example.ORG"]),
            named("deep", at, ["*.deep.example.org"]),
            named("anybody", at, []),
            named("address", at, ["127.0.0.1"]),
          ],
        };
      });
      await expectTakers(context, ports, [
        { host: "www.example.org", takes: "exact" },
        { host: "WWW.Example.Org", takes: "exact" },
        { host: "example.org", takes: "exact" },
        { host: `www.example.org:${ports[0]}`, takes: "exact" },
        { host: "www.example.org:81", takes: "exact" },
        { host: "other.example.org", takes: "wide" },
        { host: "two.levels.example.org", takes: "wide" },
        { host: "a.deep.example.org", takes: "deep" },
        { host: "b.A.DEEP.example.org:8080", takes: "deep" },
        { host: "deep.example.org", takes: "wide" },
        { host: "notexample.org", takes: "anybody" },
        { host: "example.org.evil.example", takes: "anybody" },
        { host: "[::1]:80", takes: "anybody" },
        { host: "127.0.0.1:99", takes: "address" },
        // The host of an absolute target counts, whatever Host says (RFC 9112 §3.2.2).
        { line: "GET http://www.example.org/", host: "other.example.org", takes: "exact" },
      ]);
    },
  ),
  check(
    "default-server",
    {
      title: "gives hosts that are nobody's to the first server when all have names",
      points: 1,
      after: ["hostnames"],
      why: "A request without a known host has to be answered by somebody, and always by the same one. The first of the configuration is what other servers take, too.",
    },
    async (context) => {
      const { ports } = await serve(context, ([port]) => ({
        servers: ["one", "two"].map((name) => named(name, [listenerAt(port!)], [`${name}.example`])),
      }));
      await expectTakers(context, ports, [
        { host: "two.example", takes: "two" },
        { host: "three.example", takes: "one" },
        { host: "127.0.0.1", takes: "one" },
      ]);
    },
  ),
  check(
    "routes",
    {
      title:
        "gives a path to the longest req_path that ends where a segment ends, and 404 where there is none",
      points: 3,
      after: ["redirects"],
      why: "A prefix of letters is not a prefix of a path: the rules for /api must not hold for /api2. And a path has many spellings; a route that one of them slips by is a door beside the lock.",
      see: ["RFC 3986 §6.2.2", "docs/reference/configuration.md"],
      byHand: "curl -si --path-as-is http://127.0.0.1:8001/x/../api",
    },
    async (context) => {
      const { ports } = await serve(
        context,
        ([one, two]) => ({
          servers: [
            named("all", [listenerAt(one!)], [], context.random.shuffle(shuffledPaths)),
            named("some", [listenerAt(two!)], [], ["/api", "/files/"]),
          ],
        }),
        { portCount: 2 },
      );
      const of = (path: string, taker: string): Expectation => ({
        line: `GET ${path}`,
        takes: `all ${taker}`,
      });
      await expectTakers(context, ports, [
        of("/", "/"),
        of("/api", "/api"),
        of("/api/", "/api"),
        of("/api/x", "/api"),
        of("/api?x=/a", "/api"),
        of("/api2", "/"),
        of("/api/v1", "/api/v1"),
        of("/api/v1/x", "/api/v1"),
        of("/api/v10", "/api"),
        of("/api/v1/deep/er", "/api/v1/deep"),
        of("/ap", "/"),
        of("/a", "/a"),
        of("/a/api", "/a"),
        of("/files/x", "/files/"),
        of("/files", "/"),
        of("/API", "/"),
        of("/%61pi/x", "/api"),
        of("/x/../api/y", "/api"),
        of("/api/../x", "/"),
        of("/api/%2e%2e/a", "/a"),
        of("/api%2Fv1", "/"),
      ]);
      for (const path of ["/", "/api2", "/files", "/x/api"]) {
        expectStatusOf(
          await ask(context, ports[1]!, `GET ${path}`),
          404,
          `GET ${path}, for which there is no route`,
        );
      }
    },
  ),
];

/** Fails unless each request is taken by the server, and where it is named by the route, that should. */
async function expectTakers(
  context: Parameters<Check["run"]>[0],
  ports: number[],
  expectations: Expectation[],
): Promise<void> {
  for (const { port = 0, host = "localhost", line = "GET /", takes } of expectations) {
    const response = await ask(context, ports[port]!, line, { host });
    const [, server, route] =
      /^http:\/\/(\w+)\.example\/took(.*)$/.exec(response.field("Location") ?? "") ?? [];
    const taken = takes.includes(" ") ? `${server} ${route}` : server;
    const request = `${line} with Host: ${host}${ports.length > 1 ? `, at the ${["first", "second", "third"][port]} port` : ""}`;
    assert(taken === takes, {
      summary: `${request} is taken by another than it should be`,
      expected: takes.includes(" ") ? `the route ${takes.split(" ")[1]}` : `the server "${takes}"`,
      observed: server === undefined ? quote(Buffer.from(response.head), 400) : `"${taken}"`,
    });
  }
}
