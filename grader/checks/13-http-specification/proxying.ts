/** What an intermediary owes to both sides. */
import { type Check, check } from "../../checks.ts";
import { assert, describeBytes, quote } from "../../engine/evidence.ts";
import { readResponse } from "../../engine/http-response.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { ask, expectField, expectStatusOf } from "../general/configured.ts";
import { type Answer, hello, type OriginRequest } from "../general/origin.ts";
import { exchange, requestBytes, startProxy, startSite } from "./site.ts";

/** Fails unless a request to the upstream has these values of a field. */
function expectSent(
  request: OriginRequest,
  name: string,
  expected: string | RegExp | undefined,
  why: string,
): void {
  const values = request.values(name);
  const value = values.length === 0 ? undefined : values.join(", ");
  const fits = expected instanceof RegExp ? value !== undefined && expected.test(value) : value === expected;
  assert(fits, {
    summary: `the request to the upstream has ${value === undefined ? `no ${name}` : `another ${name}`}, ${why}`,
    expected: expected === undefined ? `no field ${name}` : `${name}: ${expected}`,
    observed: quote(Buffer.from(request.head, "latin1"), 700),
  });
}

export const proxying: Check[] = [
  check(
    "hop-by-hop",
    {
      title: "keeps to itself what is about one connection only",
      points: 3,
      after: ["keeps-connection"],
      why: "Each of the two connections has its own length, its own end and its own options. What is passed on by mistake is believed by somebody whom it does not concern.",
      see: ["RFC 9110 §7.6.1", "docs/guides/persistent-connections.md"],
    },
    async (context) => {
      const { port, origin } = await startProxy(context, (_request, peer) =>
        peer.send(
          "HTTP/1.1 200 OK\r\nConnection: X-Private, keep-alive\r\nX-Private: 1\r\nKeep-Alive: timeout=9\r\n" +
            'Proxy-Authenticate: Basic realm="x"\r\nProxy-Connection: keep-alive\r\nUpgrade: h2c\r\nX-Kept: 7\r\nContent-Length: 5\r\n\r\nhello',
        ),
      );
      const headers = [
        "Connection: X-Secret, x-other , keep-alive",
        "X-Secret: 1",
        "X-Other: 2",
        "X-Secret: 3",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eDp5",
        "TE: gzip",
        "Trailer: X-Sum",
        "Upgrade: h2c",
        "X-Kept: 7",
        "Authorization: Basic eDp5",
      ];
      const client = await context.connect({ port });
      const response = await exchange(client, "GET /api", { headers });
      if (origin.trouble !== undefined) throw origin.trouble;
      expectStatusOf(response, 200, "GET /api");
      const request = origin.requests[0]!;
      for (const name of [
        "X-Secret",
        "X-Other",
        "Keep-Alive",
        "Proxy-Connection",
        "Proxy-Authorization",
        "TE",
        "Trailer",
        "Upgrade",
      ])
        expectSent(request, name, undefined, "which is about the client's connection");
      expectSent(request, "X-Kept", "7", "which is for the upstream");
      expectSent(request, "Authorization", "Basic eDp5", "which is for the upstream");
      for (const name of ["X-Private", "Proxy-Authenticate", "Proxy-Connection", "Upgrade"])
        expectField(response, name, undefined, "GET /api");
      assert(!/x-private/i.test(response.field("Connection") ?? ""), {
        summary: "Connection of the upstream's response is passed on",
        expected: "no name of a field that the upstream has named",
        observed: quote(Buffer.from(response.head, "latin1"), 600),
      });
      expectField(response, "X-Kept", "7", "GET /api");
      // No client may take away what the proxy needs, or what the course's server says of itself.
      const sly = {
        headers: ["Connection: close, Host, X-Forwarded-For, Content-Length, Via", "Content-Length: 2"],
      };
      const slyResponse = await exchange(client, "POST /api", { ...sly, body: "ab" });
      expectStatusOf(slyResponse, 200, "POST /api with Connection: Host, Content-Length");
      if (origin.trouble !== undefined) throw origin.trouble;
      const second = origin.requests[1]!;
      expectSent(second, "Host", "localhost", "although it must have one");
      expectSent(
        second,
        "X-Forwarded-For",
        "127.0.0.1",
        "although a client may not hide by naming it in Connection",
      );
      assert(second.body.toString() === "ab", {
        summary: "a client that names Content-Length in Connection takes the body's length away",
        expected: describeBytes(Buffer.from("ab")),
        observed: quote(Buffer.from(second.head), 600),
      });
    },
  ),
  check(
    "forwarded",
    {
      title: "tells the upstream who asks, and believes nobody else about it",
      points: 3,
      after: ["keeps-connection"],
      why: "All connections of the upstream come from the proxy. Who really asks it learns by these fields alone, and so a client must not be able to write them.",
      see: ["RFC 7239 §4", "RFC 9110 §7.6.3", "docs/reference/configuration.md"],
    },
    async (context) => {
      const lies = [
        "X-Forwarded-For: 10.9.9.9",
        "x-forwarded-proto: https",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=10.9.9.9;proto=https",
        "X-Real-IP: 10.9.9.9",
      ];
      const { port, origin } = await startProxy(context, hello);
      const response = await ask(context, port, "GET /api", { headers: lies, host: "own.example:8001" });
      expectStatusOf(response, 200, "GET /api");
      if (origin.trouble !== undefined) throw origin.trouble;
      const why = "although the client may say what it likes";
      const request = origin.requests[0]!;
      expectSent(request, "X-Forwarded-For", "127.0.0.1", why);
      expectSent(request, "X-Forwarded-Proto", "http", why);
      expectSent(request, "X-Forwarded-Host", "own.example:8001", why);
      expectSent(
        request,
        "Forwarded",
        /^for="?127\.0\.0\.1"?;\s*(host="own\.example:8001";\s*proto=http|proto=http;\s*host="own\.example:8001")$/i,
        why,
      );
      expectSent(request, "X-Real-IP", undefined, why);
      const trusting = await startProxy(context, hello, { api: { trusted_proxies: ["127.0.0.0/8"] } });
      await ask(context, trusting.port, "GET /api", {
        headers: ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"],
      });
      const trusted = trusting.origin.requests[0]!;
      expectSent(
        trusted,
        "X-Forwarded-For",
        "192.0.2.1, 127.0.0.1",
        "although it comes from a trusted proxy",
      );
      expectSent(trusted, "X-Forwarded-Proto", "https", "although it comes from a trusted proxy");
    },
  ),
  check(
    "via",
    {
      title: "names itself in Via, both ways",
      points: 1,
      after: ["keeps-connection"],
      why: "By Via one finds out which proxies a message went through, and which of them spoke an old version.",
      see: ["RFC 9110 §7.6.3"],
    },
    async (context) => {
      const { port, origin } = await startProxy(context, (_request, peer) =>
        peer.send("HTTP/1.1 200 OK\r\nVia: 1.0 inner\r\nContent-Length: 5\r\n\r\nhello"),
      );
      const response = await ask(context, port, "GET /api", { headers: ["Via: 1.0 outer"] });
      expectStatusOf(response, 200, "GET /api");
      expectSent(
        origin.requests[0]!,
        "Via",
        /^1\.0 outer, (HTTP\/)?1\.1 \S+/i,
        "although each proxy adds itself behind the others",
      );
      expectField(response, "Via", /^1\.0 inner, (HTTP\/)?1\.1 \S+/i, "GET /api");
    },
  ),
  check(
    "no-chunks-for-old-clients",
    {
      title: "sends no chunks to clients of HTTP/1.0",
      points: 2,
      after: ["old-clients-persistence"],
      why: "A client of HTTP/1.0 does not know chunks, and would take their sizes for content.",
      see: ["RFC 9112 §6.1"],
      byHand: "curl -si0 http://127.0.0.1:8001/api",
    },
    async (context) => {
      const chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
      const { port } = await startProxy(context, (_request, peer) => peer.send(chunked));
      for (const headers of [[], ["Connection: keep-alive"]]) {
        const client = await context.connect({ port });
        const what = `GET /api HTTP/1.0${headers.length === 0 ? "" : " with Connection: keep-alive"}`;
        const response = await exchange(client, "GET /api", { what, headers, version: "HTTP/1.0" });
        expectStatusOf(response, 200, what);
        expectField(response, "Transfer-Encoding", undefined, what);
        assert(response.body.toString() === "hello world", {
          summary: `the answer to ${what} has another content than the upstream's`,
          expected: describeBytes(Buffer.from("hello world")),
          observed: describeBytes(response.body),
        });
        client.close();
      }
    },
  ),
  check(
    "routed-path",
    {
      title: "routes by the normalized path, and passes that one on",
      points: 2,
      after: ["keeps-connection"],
      why: "If the server decides by one path and the upstream by another, every rule that hangs on a route has a way around it.",
      see: ["RFC 3986 §6.2.2", "docs/reference/configuration.md"],
      byHand: "curl -si --path-as-is http://127.0.0.1:8001/x/../api/%61",
    },
    async (context) => {
      const { port, origin } = await startProxy(context, hello);
      for (const [target, expected] of [
        ["/x/../api/a", "/api/a"],
        ["/%61pi/%7Eb", "/api/~b"],
        ["/api/./c/../d?x=/../y", "/api/d?x=/../y"],
        ["/x/%2e%2E/api/e", "/api/e"],
        ["/api/f%2Fg//h", "/api/f%2Fg//h"],
        ["http://other.example/api/i?j", "/api/i?j"],
      ] as const) {
        expectStatusOf(await ask(context, port, `GET ${target}`), 200, `GET ${target}`);
        const request = origin.requests.at(-1)!;
        assert(request.target === expected, {
          summary: `GET ${target} reaches the upstream under another path`,
          expected,
          observed: request.target,
        });
      }
      expectSent(
        origin.requests.at(-1)!,
        "Host",
        "other.example",
        "although the target names the host (RFC 9112 §3.2.2)",
      );
      const before = origin.requests.length;
      for (const target of ["/api/../index.html", "/api/%2e%2e/index.html"])
        expectStatusOf(await ask(context, port, `GET ${target}`), 200, `GET ${target}, which is a file,`);
      assert(origin.requests.length === before, {
        summary: "a path that leads out of /api reached the upstream of /api",
        expected: "the file index.html",
        observed: origin.requests.at(-1)!.target,
      });
    },
  ),
  check(
    "upgrade",
    {
      title: "lets WebSocket through, both ways, and other protocols not",
      points: 3,
      after: ["hop-by-hop"],
      why: "After 101 both sides speak what they have agreed on, and the proxy only passes bytes on. It must not offer that for protocols behind which requests could hide.",
      see: ["RFC 9110 §7.8", "RFC 6455 §1.3"],
    },
    async (context) => {
      let upstream: TcpPeer | undefined;
      const answer: Answer = async (request, peer) => {
        if (!/^websocket$/i.test(request.values("Upgrade").join())) return hello(request, peer);
        upstream = peer;
        peer.send(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nfirst",
        );
        await context.waitFor(() => peer.over, 30_000); // the bytes that follow are no requests
      };
      const { port, origin } = await startProxy(context, answer);
      const headers = ["Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: y"];
      const client = await context.connect({ port });
      const response = await exchange(client, "GET /api/chat", { headers });
      if (origin.trouble !== undefined) throw origin.trouble;
      expectStatusOf(response, 101, "GET /api/chat with Upgrade: websocket");
      expectField(response, "Upgrade", /^websocket$/i, "GET /api/chat");
      expectField(response, "Connection", /\bupgrade\b/i, "GET /api/chat");
      expectField(response, "Sec-WebSocket-Accept", "x", "GET /api/chat");
      expectSent(
        origin.requests[0]!,
        "Connection",
        /\bupgrade\b/i,
        "although the client wants to change the protocol",
      );
      await client.expect("first", { what: "what the upstream sent together with its 101" });
      const sent = context.random.bytes(100_000);
      const back = context.random.bytes(100_000);
      client.send(sent);
      upstream!.send(back);
      await client.expect(back, { what: "what the upstream sent after 101" });
      await upstream!.expect(sent, { what: "what the client sent after 101" });
      upstream!.end();
      await client.expectEnd({ why: "after the upstream ended" });
      client.end();
      const other = await context.connect({ port });
      const asks = [
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
      ];
      expectStatusOf(await exchange(other, "GET /api", { headers: asks }), 200, "GET /api with Upgrade: h2c");
      expectSent(
        origin.requests.at(-1)!,
        "Upgrade",
        undefined,
        "which would open a tunnel past the server's routes",
      );
    },
  ),
  check(
    "proxy-status",
    {
      title: "says by Proxy-Status why there is no response of an upstream",
      points: 1,
      after: ["keeps-connection"],
      why: "502 may mean three programs and five reasons. Who has to find the fault at night is glad about one word more.",
      see: ["RFC 9209 §2"],
    },
    async (context) => {
      const port = await startSite(context, { upstream: `127.0.0.1:${await context.freePort()}` });
      const client = await context.connect({ port });
      client.send(requestBytes("GET /api"));
      const response = await readResponse(client, { what: "GET /api" });
      expectStatusOf(response, 502, "GET /api, whose upstream refuses connections,");
      expectField(response, "Proxy-Status", /^\S+;\s*error=\w+/, "GET /api");
      expectStatusOf(await exchange(client, "GET /"), 200, "GET / on the same connection");
    },
  ),
];
