/** Routes that other servers answer. */
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, count, describeBytes, quote } from "../../engine/evidence.ts";
import { type HttpResponse, readResponse } from "../../engine/http-response.ts";
import { ask, expectStatusOf, serve } from "../general/configured.ts";
import { type Answer, hello, Origin, type OriginRequest } from "../general/origin.ts";

const KiB = 1024;

/** A proxy before an origin of the check's own. */
type Proxied = { port: number; origin: Origin };

async function proxied(context: CheckContext, answer: Answer, more: object = {}): Promise<Proxied> {
  const origin = await Origin.listen(context, answer);
  const port = await proxyTo(context, origin.address, more);
  return { port, origin };
}

/** Starts a server with a route /api that an upstream answers, and a redirect beside it. */
async function proxyTo(context: CheckContext, upstream: string, more: object = {}): Promise<number> {
  const { ports } = await serve(context, ([port]) => ({
    servers: [
      {
        listeners: [{ host: "127.0.0.1", port }],
        routes: [
          { req_path: "/api", type: "reverse_proxy", upstreams: [upstream], ...more },
          { req_path: "/old", type: "redirect", http_status_code: 301, redirect_url: "/new" },
        ],
      },
    ],
  }));
  return ports[0]!;
}

/** Fails unless the origin got a part of the request as it was sent. */
function expectArrived(
  what: string,
  expected: string,
  observed: string | undefined,
  request: OriginRequest,
): void {
  assert(observed === expected, {
    summary: `the upstream got another ${what} than the client sent`,
    expected: `${what}: ${quote(Buffer.from(expected), 100)}`,
    observed: `${observed === undefined ? "none" : quote(Buffer.from(observed), 100)}, in ${quote(Buffer.from(request.head), 400)}`,
  });
}

function expectBody(response: HttpResponse, expected: Uint8Array, request: string): void {
  assert(Buffer.compare(response.body, expected) === 0, {
    summary: `the body of the answer to ${request} is not the upstream's`,
    expected: describeBytes(expected),
    observed: describeBytes(response.body),
  });
}

export const proxy: Check[] = [
  check(
    "proxy-request",
    {
      title: "passes a request on: method, path, query, fields and body",
      points: 3,
      after: ["redirects"],
      why: "The upstream has to answer as if the client had asked it by itself. What the proxy leaves out, the application behind it never learns.",
      see: ["RFC 9110 §7.6", "docs/reference/configuration.md"],
      byHand: "nc -l 127.0.0.1 3000   and   curl -d 'a body' 'http://127.0.0.1:8001/api/x?y=z'",
    },
    async (context) => {
      const { port, origin } = await proxied(context, hello);
      const large = context.random.bytes(300 * KiB);
      const chunks = Buffer.concat([
        Buffer.from("5\r\nhello\r\n"),
        Buffer.from(`${large.length.toString(16)};x=y\r\n`),
        large,
        Buffer.from("\r\n0\r\n\r\n"),
      ]);
      const requests: [
        method: string,
        target: string,
        headers: string[],
        sent: Uint8Array,
        body: Uint8Array,
      ][] = [
        ["GET", "/api", [], Buffer.alloc(0), Buffer.alloc(0)],
        ["DELETE", "/api/items/7?a=%20b&c=d/../e?f", [], Buffer.alloc(0), Buffer.alloc(0)],
        ["POST", "/api/x%2Fy//z", ["Content-Length: 6"], Buffer.from("a body"), Buffer.from("a body")],
        ["PUT", "/api/large?", [`Content-Length: ${large.length}`], large, large],
        [
          "PATCH",
          "/api/chunked",
          ["Transfer-Encoding: chunked"],
          chunks,
          Buffer.concat([Buffer.from("hello"), large]),
        ],
      ];
      const fields = [
        "Accept: text/x-one, text/*;q=0.5",
        "Cookie: a=1; b=2",
        "X-Empty:",
        "X-Own:   kept  inside ",
      ];
      for (const [index, [method, target, headers, sent, body]] of requests.entries()) {
        const line = `${method} ${target}`;
        const response = await ask(context, port, line, { headers: [...fields, ...headers], body: sent });
        if (origin.trouble !== undefined) throw origin.trouble;
        expectStatusOf(response, 200, line);
        const request = origin.requests[index]!;
        expectArrived("method", method, request.method, request);
        expectArrived("path and query", target, request.target, request);
        expectArrived("Accept", "text/x-one, text/*;q=0.5", request.values("Accept").join("|"), request);
        expectArrived("Cookie", "a=1; b=2", request.values("Cookie").join("|"), request);
        expectArrived("X-Empty", "", request.values("X-Empty")[0], request);
        expectArrived("X-Own", "kept  inside", request.values("X-Own")[0], request);
        assert(request.values("Host").length === 1, {
          summary: "the request to the upstream has no Host, or several",
          expected: "one field Host (RFC 9112 §3.2)",
          observed: quote(Buffer.from(request.head), 400),
        });
        assert(Buffer.compare(request.body, body) === 0, {
          summary: `the upstream got another body than the client sent by ${line}`,
          expected: describeBytes(body),
          observed: describeBytes(request.body),
        });
      }
      assert(origin.requests.length === requests.length, {
        summary: "the upstream was asked more often than the clients asked",
        expected: count(requests.length, "request"),
        observed: count(origin.requests.length, "request"),
      });
    },
  ),
  check(
    "proxy-response",
    {
      title: "passes a response back, however its end is told",
      points: 3,
      after: ["redirects"],
      why: "A body ends after its Content-Length, after the chunk of size 0, or with the connection; 204, 304 and answers to HEAD have none. Who mistakes one for the other cuts responses short, or waits for ever.",
      see: ["RFC 9112 §6.3"],
    },
    async (context) => {
      const body = context.random.bytes(200 * KiB);
      const text = Buffer.from(body).toString("latin1");
      const half = body.length >> 1;
      const answers: Record<
        string,
        { head: string; rest: string; status: number; body: Uint8Array; ends?: boolean }
      > = {
        length: { head: `200 OK\r\nContent-Length: ${body.length}`, rest: text, status: 200, body },
        chunked: {
          head: "200 OK\r\nTransfer-Encoding: chunked",
          rest: `${half.toString(16)}\r\n${text.slice(0, half)}\r\n${(body.length - half).toString(16).toUpperCase()};a=b\r\n${text.slice(half)}\r\n0\r\nX-Trailer: x\r\n\r\n`,
          status: 200,
          body,
        },
        close: { head: "200 OK", rest: text, status: 200, body, ends: true },
        empty: { head: "404 Not Here\r\nContent-Length: 0", rest: "", status: 404, body: Buffer.alloc(0) },
        none: { head: "204 No Content", rest: "", status: 204, body: Buffer.alloc(0) },
        unchanged: { head: '304 Not Modified\r\nETag: "x"', rest: "", status: 304, body: Buffer.alloc(0) },
        interim: {
          head: "102 Processing\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 3",
          rest: "new",
          status: 201,
          body: Buffer.from("new"),
        },
        failing: { head: "500 Oh\r\nContent-Length: 3", rest: "bad", status: 500, body: Buffer.from("bad") },
      };
      const { port, origin } = await proxied(context, ({ target, method }, peer) => {
        const { head, rest, ends } = answers[target.slice("/api/".length)]!;
        const fields = "Content-Type: text/x-own\r\nSet-Cookie: a=1\r\nX-Own: 7\r\nSet-Cookie: b=2";
        peer.send(
          Buffer.from(`HTTP/1.1 ${head}\r\n${fields}\r\n\r\n${method === "HEAD" ? "" : rest}`, "latin1"),
        );
        if (ends) peer.end();
      });
      for (const [name, answer] of Object.entries(answers)) {
        for (const method of name === "length" || name === "chunked" ? ["GET", "HEAD"] : ["GET"]) {
          const line = `${method} /api/${name}`;
          const response = await ask(context, port, line);
          if (origin.trouble !== undefined) throw origin.trouble;
          expectStatusOf(response, answer.status, line);
          const values = (wanted: string) =>
            response.fields.filter(([field]) => field.toLowerCase() === wanted).map(([, value]) => value);
          const own = [
            values("content-type").join(),
            values("x-own").join(),
            values("set-cookie").join("; "),
          ].join(" ");
          assert(own === "text/x-own 7 a=1; b=2", {
            summary: `the answer to ${line} has not the fields of the upstream's`,
            expected: "Content-Type: text/x-own, X-Own: 7, and two fields Set-Cookie in their order",
            observed: quote(Buffer.from(response.head), 500),
          });
          if (method === "GET") expectBody(response, answer.body, line);
        }
      }
    },
  ),
  check(
    "proxy-streams",
    {
      title: "passes bytes on as they come, both ways",
      points: 2,
      after: ["proxy-response"],
      why: "An event stream never ends, and an upload may take an hour. A proxy that collects a body before it passes it on needs the memory for all of it, and everybody waits for the last byte.",
      see: ["docs/guides/backpressure.md"],
    },
    async (context) => {
      let isUploadThere = false;
      const { port: direct } = await context.listen({}, (peer) => {
        void (async () => {
          const method = (await peer.readLine()).toString().split(" ")[0];
          for (let line = "x"; line !== "\r\n" && line !== ""; ) line = (await peer.readLine()).toString();
          if (method === "POST")
            isUploadThere = (await peer.readLine(20_000)).length > 0; // its first chunk
          else peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        })();
      });
      const port = await proxyTo(context, `127.0.0.1:${direct}`);
      const uploading = await context.connect({ port });
      uploading.send("POST /api HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npart 1\r\n");
      assert(await context.waitFor(() => isUploadThere, 5000), {
        summary:
          "the first part of a body does not reach the upstream while the client has not sent the rest",
        expected: "a head and the first chunk at the upstream",
        observed: "no chunk",
      });
      const client = await context.connect({ port });
      client.send("GET /api HTTP/1.1\r\nHost: a\r\n\r\n");
      const arrived = await context.waitFor(() => client.unread().includes("first"), 5000);
      assert(arrived, {
        summary:
          "the first part of a response does not reach the client while the upstream has not sent the rest",
        expected: "a head and the bytes “first” at the client",
        observed: describeBytes(client.unread()),
      });
      await client.read(client.unread().length);
      client.close();
      uploading.close();
      expectStatusOf(
        await ask(context, port, "GET /old"),
        301,
        "GET /old, after two clients left in mid-exchange,",
      );
    },
  ),
  check(
    "proxy-no-upstream",
    {
      title: "answers 502 when the upstream cannot be reached or makes no sense, and works when it is back",
      points: 2,
      after: ["redirects"],
      why: "502 says: not I am broken, but what is behind me. Whoever looks into the log has to know which.",
      see: ["RFC 9110 §15.6.3"],
    },
    async (context) => {
      const upstream = await context.freePort();
      const port = await proxyTo(context, `127.0.0.1:${upstream}`);
      expectStatusOf(
        await ask(context, port, "GET /api"),
        502,
        "GET /api, whose upstream refuses connections,",
      );
      const answers = ["nonsense\r\n\r\n", "HTTP/1.1 999999 No\r\n\r\n", "", "HTTP/1.1 200 OK\r\nContent-Le"];
      await context.listen({ port: upstream }, (peer) => {
        void (async () => {
          for (let line = "x"; line !== "\r\n" && line !== ""; ) line = (await peer.readLine()).toString();
          peer.send(answers.shift() ?? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
          peer.end();
        })();
      });
      for (const answer of [...answers]) {
        const situation =
          answer === "" ? "ends the connection without a word" : `answers ${quote(Buffer.from(answer))}`;
        // By POST: a GET may be tried again, and by then the upstream says something else.
        const options = { headers: ["Content-Length: 2"], body: "ab" };
        expectStatusOf(
          await ask(context, port, "POST /api", options),
          502,
          `POST /api, whose upstream ${situation},`,
        );
      }
      // A later stage's server may leave an upstream alone for some seconds after such failures.
      const deadline = context.deadline(15_000);
      let last = await ask(context, port, "GET /api");
      while (last.status !== 200 && deadline.remaining() > 0) {
        await context.waitFor(() => undefined, 100); // not faster than an impatient person
        last = await ask(context, port, "GET /api");
      }
      expectStatusOf(last, 200, "GET /api, when the upstream is well again,");
    },
  ),
  check(
    "proxy-silent-upstream",
    {
      title: "answers 504 when the upstream is silent, and serves others meanwhile",
      points: 2,
      after: ["redirects"],
      why: "An upstream that hangs must not hang its clients for ever, and never those who want nothing of it.",
      see: ["RFC 9110 §15.6.5"],
    },
    async (context) => {
      let asked = 0;
      const { port } = await proxied(context, () => void asked++, { upstream_timeouts: { read_ms: 300 } });
      const waiting = await context.connect({ port });
      waiting.send("GET /api HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      await context.waitFor(() => asked > 0, 5000);
      expectStatusOf(
        await ask(context, port, "GET /old"),
        301,
        "GET /old, while another client waits for an upstream,",
      );
      const response = await readResponse(waiting, {
        what: "GET /api, whose upstream is silent",
        withinMs: 10_000,
      });
      expectStatusOf(response, 504, "GET /api, whose upstream is silent,");
    },
  ),
  check(
    "proxy-broken-response",
    {
      title: "breaks the connection when a response breaks off",
      points: 2,
      after: ["proxy-response"],
      why: "The head has left and cannot be taken back. An orderly end would tell the client that half a file is the whole, and it would be kept in caches as such.",
      see: ["RFC 9112 §8"],
    },
    async (context) => {
      const parts: Record<string, string> = {
        length: "Content-Length: 1000\r\n\r\nonly a part",
        chunked: "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nff\r\nonly a part",
      };
      const { port } = await proxied(context, ({ target }, peer) => {
        peer.send(`HTTP/1.1 200 OK\r\n${parts[target.slice("/api/".length)]}`);
        peer.end();
      });
      for (const name of Object.keys(parts)) {
        const client = await context.connect({ port });
        client.send(`GET /api/${name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        const received = (await client.readAll(5000)).toString("latin1");
        // Before anything has left, 502 is as good.
        const isTold = received.startsWith("HTTP/1.1 502") || !looksWhole(received);
        assert(client.over && isTold, {
          summary: client.over
            ? "a response that broke off at the upstream looks whole to the client"
            : "the connection stays open after the upstream's response broke off",
          expected: "the end of the connection before the announced end of the body",
          observed: describeBytes(Buffer.from(received, "latin1")),
        });
        client.close();
      }
    },
  ),
];

/** Whether a response has the end that its head announces. */
function looksWhole(response: string): boolean {
  const end = response.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const [head, body] = [response.slice(0, end), response.slice(end + 4)];
  if (/^transfer-encoding: chunked\r?$/im.test(head)) return /(^|\r\n)0\r\n/.test(body);
  const length = /^content-length: (\d+)\r?$/im.exec(head)?.[1];
  return length === undefined || body.length >= Number(length);
}
