/** Bodies of requests, expectations, limits and methods. */
import { type Check, check } from "../../checks.ts";
import { validBodiesByTopic } from "../../corpora/http/chunked-valid.ts";
import { assert, describeBytes, quote } from "../../engine/evidence.ts";
import { readResponse } from "../../engine/http-response.ts";
import { ask, expectField, expectStatusOf } from "../general/configured.ts";
import { hello } from "../general/origin.ts";
import { exchange, requestBytes, startProxy, startSite } from "./site.ts";

const KiB = 1024;

export const bodies: Check[] = [
  check(
    "unwanted-bodies",
    {
      title: "takes no body that nobody wants for the next request",
      points: 3,
      after: ["keeps-connection"],
      why: "A redirect needs no body, but the client has sent one. Its bytes are content, also where they look like a request.",
      see: ["RFC 9112 §6.3", "RFC 9112 §9.3", "docs/guides/request-smuggling.md"],
    },
    async (context) => {
      const port = await startSite(context);
      const inside = "GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n";
      const size = inside.length.toString(16);
      const bodies: [what: string, headers: string[], body: string][] = [
        ["by length", [`Content-Length: ${inside.length}`], inside],
        [
          "in chunks",
          ["Transfer-Encoding: chunked"],
          `5;a=b\r\nhello\r\n${size}\r\n${inside}\r\n0\r\nX-Trailer: x\r\n\r\n`,
        ],
        ["of length 0", ["Content-Length: 0"], ""],
        ["by length, of 100 KiB", [`Content-Length: ${100 * KiB}`], inside.padEnd(100 * KiB, "x")],
      ];
      for (const [what, headers, body] of bodies) {
        for (const [line, status] of [
          ["POST /old", 301],
          ["GET /", 200],
        ] as const) {
          const client = await context.connect({ port });
          client.send(Buffer.concat([requestBytes(line, { headers, body }), requestBytes("GET /none")]));
          const request = `${line} with a body ${what}`;
          expectStatusOf(await readResponse(client, { what: request }), status, request);
          // It may read the body to its end, or end the connection; but nothing else may be answered next.
          await context.waitFor(() => client.over || client.unread().length > 0, 5000);
          if (client.unread().length > 0) {
            const next = await readResponse(client, { what: `GET /none behind ${request}` });
            expectStatusOf(next, 404, `GET /none, behind ${request},`);
          }
          client.close();
        }
      }
    },
  ),
  check(
    "chunked-bodies",
    {
      title: "reads chunked bodies: sizes, extensions, trailers",
      points: 2,
      after: ["keeps-connection"],
      why: "The proxy reads the client's chunks and writes its own. Whatever way the client has cut the content, the upstream has to get all of it and nothing else.",
      see: ["RFC 9112 §7.1"],
    },
    async (context) => {
      const { port, origin } = await startProxy(context, hello);
      const { chunks, extensions, trailers } = validBodiesByTopic;
      for (const { name, bytes, content } of [...chunks, ...extensions, ...trailers]) {
        const client = await context.connect({ port });
        const what = `POST /api with a chunked body (${name})`;
        const head = requestBytes("POST /api", { headers: ["Transfer-Encoding: chunked"] });
        const all = Buffer.concat([head, Buffer.from(bytes, "latin1")]);
        const cut = head.length + context.random.integer(0, Math.max(1, bytes.length - 1));
        client.send(all.subarray(0, cut));
        await client.wasRead();
        client.send(all.subarray(cut));
        expectStatusOf(await readResponse(client, { what }), 200, what);
        if (origin.trouble !== undefined) throw origin.trouble;
        const arrived = origin.requests.at(-1)!.body;
        assert(arrived.equals(Buffer.from(content, "latin1")), {
          summary: `the upstream got another body than the client sent by ${what}`,
          expected: describeBytes(Buffer.from(content, "latin1")),
          observed: describeBytes(arrived),
        });
        client.close();
      }
    },
  ),
  check(
    "expect-continue",
    {
      title: "says 100 Continue before a body that it wants, and to nobody else",
      points: 2,
      after: ["keeps-connection"],
      why: "A client with Expect: 100-continue holds its body back until it hears whether anybody wants it. Who never says so makes it wait; curl waits a second, others for ever.",
      see: ["RFC 9110 §10.1.1"],
      byHand: "curl -si -H 'Expect: 100-continue' -d 'a body' http://127.0.0.1:8001/api",
    },
    async (context) => {
      const { port, origin } = await startProxy(context, hello, { server: { max_body_bytes: 1000 } });
      const expecting = ["Expect: 100-continue", "Content-Length: 6"];
      const client = await context.connect({ port });
      const what = "POST /api with Expect: 100-continue";
      client.send(requestBytes("POST /api", { headers: expecting }));
      const interim = await client.readLine();
      assert(/^HTTP\/1\.1 100 /.test(interim.toString()), {
        summary: `${what} is not answered by 100 while the client holds its body back`,
        expected: '"HTTP/1.1 100 Continue\\r\\n"',
        observed: describeBytes(interim),
      });
      while ((await client.readLine()).toString().trim() !== "");
      client.send("a body");
      expectStatusOf(await readResponse(client, { what }), 200, what);
      if (origin.trouble !== undefined) throw origin.trouble;
      assert(origin.requests[0]?.body.toString() === "a body", {
        summary: "the body that was sent after 100 did not reach the upstream",
        expected: '"a body"',
        observed: describeBytes(origin.requests[0]?.body ?? Buffer.alloc(0)),
      });
      client.close();
      const tooLong = await context.connect({ port });
      tooLong.send(
        requestBytes("POST /api", { headers: ["Expect: 100-continue", "Content-Length: 100000"] }),
      );
      const refused = await tooLong.readLine();
      assert(/^HTTP\/1\.1 413 /.test(refused.toString()), {
        summary: "a client is told to send a body that is too long",
        expected: "413 at once, without 100 before it",
        observed: describeBytes(refused),
      });
      await tooLong.readAll();
      const old = await context.connect({ port });
      old.send(requestBytes("POST /api", { headers: expecting, version: "HTTP/1.0", body: "a body" }));
      const first = await old.readLine();
      assert(/^HTTP\/1\.[01] 200 /.test(first.toString()), {
        summary: "a client of HTTP/1.0 gets something else before its answer",
        expected: "the answer alone: HTTP/1.0 knows no responses before the response (RFC 9110 §15.2)",
        observed: describeBytes(first),
      });
      await old.readAll();
    },
  ),
  check(
    "expect-unknown",
    {
      title: "answers other expectations by 417",
      points: 1,
      after: ["keeps-connection"],
      why: "A client that expects something has to learn that nobody here knows it. The course's server refuses, as the lesson says.",
      see: ["RFC 9110 §10.1.1"],
    },
    async (context) => {
      const port = await startSite(context);
      for (const value of ["200-ok", "100-continue, more"]) {
        const what = `GET / with Expect: ${value}`;
        expectStatusOf(await ask(context, port, "GET /", { headers: [`Expect: ${value}`] }), 417, what);
      }
    },
  ),
  check(
    "limits",
    {
      title: "refuses bodies, targets and heads that are too long, and what it does not know",
      points: 2,
      after: ["keeps-connection"],
      why: "Whatever a client can make longer at no cost needs a limit, or one client takes all memory. And a refusal has to say which limit it was.",
      see: ["RFC 9110 §15.5.14", "RFC 6585 §5", "docs/reference/configuration.md"],
      byHand: "head -c 2000000 /dev/zero | curl -si --data-binary @- http://127.0.0.1:8001/api",
    },
    async (context) => {
      const { port, origin } = await startProxy(context, hello, { server: { max_body_bytes: 1000 } });
      const chunked = ["Transfer-Encoding: chunked"];
      const of = (length: number) => `${length.toString(16)}\r\n${"x".repeat(length)}\r\n`;
      const requests: [what: string, status: number, bytes: Buffer][] = [
        [
          "a body of 1,000 bytes",
          200,
          requestBytes("POST /api", { headers: ["Content-Length: 1000"], body: "x".repeat(1000) }),
        ],
        [
          "a body of 1,000 bytes in chunks",
          200,
          requestBytes("POST /api", { headers: chunked, body: `${of(600)}${of(400)}0\r\n\r\n` }),
        ],
        [
          "a body of 1,001 bytes",
          413,
          requestBytes("POST /api", { headers: ["Content-Length: 1001"], body: "x".repeat(1001) }),
        ],
        [
          "a body of 1,001 bytes in chunks",
          413,
          requestBytes("POST /api", { headers: chunked, body: `${of(600)}${of(401)}0\r\n\r\n` }),
        ],
        [
          "a body that would have 10^12 bytes",
          413,
          requestBytes("POST /api", { headers: ["Content-Length: 1000000000000"] }),
        ],
        ["a target of 9,000 bytes", 414, requestBytes(`GET /${"x".repeat(9000)}`)],
        [
          "a field of 40,000 bytes",
          431,
          requestBytes("GET /", { headers: [`X-Own: ${"x".repeat(40_000)}`] }),
        ],
        [
          "300 fields",
          431,
          requestBytes("GET /", { headers: Array.from({ length: 300 }, (_, i) => `X-${i}: x`) }),
        ],
        ["the method BREW", 501, requestBytes("BREW /")],
        ["HTTP/3.0", 505, requestBytes("GET /", { version: "HTTP/3.0" })],
      ];
      for (const [what, status, bytes] of requests) {
        const client = await context.connect({ port });
        client.send(bytes);
        const response = await readResponse(client, { what: `a request with ${what}` });
        expectStatusOf(response, status, `a request with ${what}`);
        client.close();
      }
      const long = origin.requests.find(({ body }) => body.length > 1000);
      assert(long === undefined, {
        summary: "a body that is too long reached the upstream whole",
        expected: "at most a part of it, and then the end of the connection",
        observed: `${long?.body.length} bytes`,
      });
    },
  ),
  check(
    "methods",
    {
      title: "answers OPTIONS, tells what is allowed, and refuses TRACE",
      points: 2,
      after: ["keeps-connection"],
      why: "OPTIONS asks what may be asked. TRACE sends a request back to its client: by it, a script could read the cookies that its browser keeps from it.",
      see: ["RFC 9110 §9.3.7", "RFC 9110 §9.3.8", "RFC 9110 §15.5.6"],
      byHand:
        "curl -si -X OPTIONS http://127.0.0.1:8001/   and   curl -si -X OPTIONS --request-target '*' http://127.0.0.1:8001",
    },
    async (context) => {
      const { port, origin } = await startProxy(context, hello);
      for (const line of ["OPTIONS /", "OPTIONS *", "OPTIONS /index.html"]) {
        const client = await context.connect({ port });
        const response = await exchange(client, line);
        assert(response.status === 200 || response.status === 204, {
          summary: `${line} is answered by ${response.status}`,
          expected: "204 or 200, with the methods in Allow",
          observed: quote(Buffer.from(response.head, "latin1"), 400),
        });
        for (const method of ["GET", "HEAD"])
          expectField(response, "Allow", new RegExp(`\\b${method}\\b`), line);
        if (response.status === 204) expectField(response, "Content-Length", undefined, line);
        expectStatusOf(await exchange(client, "GET /"), 200, `GET / behind ${line}`);
        client.close();
      }
      for (const line of ["DELETE /", "POST /index.html"]) {
        const response = await ask(context, port, line);
        expectStatusOf(response, 405, line);
        expectField(response, "Allow", /\bGET\b/, line);
      }
      for (const line of ["TRACE /", "TRACE /api"]) {
        const response = await ask(context, port, line, { headers: ["Cookie: secret=7"] });
        expectStatusOf(response, 405, line);
        assert(!response.body.includes("secret=7"), {
          summary: `the answer to ${line} has the request's Cookie`,
          expected: "a refusal without anything of the request's fields",
          observed: describeBytes(response.body),
        });
      }
      assert(!origin.requests.some(({ method }) => method === "TRACE"), {
        summary: "TRACE reached the upstream",
        expected: "405 by the server itself",
        observed: origin.requests.map(({ method, target }) => `${method} ${target}`).join(", "),
      });
      expectStatusOf(
        await ask(context, port, "OPTIONS /api"),
        200,
        "OPTIONS /api, which is the upstream's matter,",
      );
    },
  ),
];
