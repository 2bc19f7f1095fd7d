/** Requests and responses on a connection. */
import { type Check, check } from "../../checks.ts";
import { assert, describeBytes, quote } from "../../engine/evidence.ts";
import { readResponse } from "../../engine/http-response.ts";
import { ask, expectStatusOf, serve } from "../general/configured.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const files = { "public/index.html": "hello\n" };
const fileRoute = { req_path: "/", type: "file_serve", dir_path: "public" };
const redirectTo = (redirect_url: string, more: object = {}) => ({
  req_path: "/old",
  type: "redirect",
  http_status_code: 301,
  redirect_url,
  ...more,
});
const withRoutes =
  (...routes: object[]) =>
  ([port]: number[]) => ({
    servers: [{ listeners: [{ host: "127.0.0.1", port }], routes }],
  });

export const session: Check[] = [
  check(
    "redirects",
    {
      title: "redirects with the status and the URL of the configuration",
      points: 2,
      after: ["serves-files"],
      why: "The five statuses differ in what a client does next: whether it asks by the same method, and whether it remembers. The URL goes out as it stands; a client puts the rest together by itself.",
      see: ["RFC 9110 §15.4"],
      byHand: "curl -si http://127.0.0.1:8001/old",
    },
    async (context) => {
      const url = "https://example.org:8443/a%20b?x=1&y=2#there";
      const statuses = [301, 302, 303, 307, 308];
      const { ports } = await serve(
        context,
        withRoutes(
          ...statuses.map((status) =>
            redirectTo("/new", { req_path: `/${status}`, http_status_code: status }),
          ),
          redirectTo(url),
        ),
        { files },
      );
      const expectLocation = async (line: string, status: number, location: string, options = {}) => {
        const response = await ask(context, ports[0]!, line, options);
        expectStatusOf(response, status, line);
        assert(response.field("Location") === location, {
          summary: `the answer to ${line} has another Location than the configuration`,
          expected: `Location: ${location}`,
          observed: quote(Buffer.from(response.head), 400),
        });
      };
      for (const status of statuses) await expectLocation(`GET /${status}`, status, "/new");
      await expectLocation("GET /old", 301, url);
      await expectLocation("GET /old/deeper?q=1", 301, url);
      await expectLocation("HEAD /old", 301, url);
      await expectLocation("POST /old", 301, url, { headers: ["Content-Length: 5"], body: "hello" });
    },
  ),
  check(
    "request-in-pieces",
    {
      title: "takes a request in whatever pieces it comes, and clients in whatever order",
      points: 2,
      after: ["redirects"],
      why: "A stream has no message boundaries. The session keeps where it is between two pieces, for each connection by itself, and waits for nobody.",
      see: ["docs/guides/tcp-is-a-byte-stream.md"],
    },
    async (context) => {
      const { ports } = await serve(context, withRoutes(redirectTo("/new"), fileRoute), { files });
      const address = { port: ports[0]! };
      const silent = await context.connect(address);
      const slow = await context.connect(address);
      const request = "GET /old HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
      slow.send(request.slice(0, 9));
      await slow.wasRead();
      expectStatusOf(
        await ask(context, ports[0]!, "GET /"),
        200,
        "GET /, while another client has sent half of a head,",
      );
      for (const character of request.slice(9, -1)) {
        slow.send(character);
        await slow.wasRead();
      }
      slow.expectNothing();
      slow.send(request.slice(-1));
      expectStatusOf(
        await readResponse(slow, { what: "a request in single bytes" }),
        301,
        "a request in single bytes",
      );
      // A client that has sent nothing may take its time.
      silent.send(request);
      expectStatusOf(
        await readResponse(silent),
        301,
        "the first request of a client that was silent for long",
      );
    },
  ),
  check(
    "bad-requests",
    {
      title: "answers what it cannot understand by 400, and then ends the connection",
      points: 2,
      after: ["redirects"],
      why: "Where a request ends is known only to who has understood it. What follows one that was not understood could be anything, and is not read as a request.",
      see: ["RFC 9112 §2.2", "RFC 9112 §3"],
    },
    async (context) => {
      const { ports } = await serve(context, withRoutes(fileRoute), { files });
      const bad: [what: string, request: string, status: number][] = [
        ["no version", "GET /\r\n\r\n", 400],
        ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
        ["a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400],
        ["a path above the root", "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 400],
        ["an escaped NUL", "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n", 400],
        [
          "two lengths",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
          400,
        ],
        ["HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
      ];
      for (const [what, request, status] of bad) {
        const client = await context.connect({ port: ports[0]! });
        client.send(`${request}GET / HTTP/1.1\r\nHost: a\r\n\r\n`);
        expectStatusOf(await readResponse(client, { what }), status, `a request with ${what}`);
        await client.expectEnd({ reset: true, why: `after the answer to a request with ${what}` });
        client.close();
      }
      expectStatusOf(await ask(context, ports[0]!, "GET /"), 200, "a good request after all of these");
    },
  ),
  check(
    "old-clients",
    {
      title: "answers clients of HTTP/1.0, who may have no Host",
      points: 1,
      after: ["redirects"],
      why: "Host came with HTTP/1.1. Load balancers that look whether a server is alive often still ask by 1.0.",
      see: ["RFC 9112 §3.2"],
      byHand: "curl -si0 http://127.0.0.1:8001/",
    },
    async (context) => {
      const { ports } = await serve(context, withRoutes(fileRoute), { files });
      const client = await context.connect({ port: ports[0]! });
      client.send("GET / HTTP/1.0\r\n\r\n");
      const response = await readResponse(client);
      expectStatusOf(response, 200, "GET / HTTP/1.0 without Host");
      await client.expectEnd({ why: "after the answer to a client of HTTP/1.0" });
    },
  ),
  check(
    "unread-body",
    {
      title: "answers a request whose body nobody wants, and lets the answer arrive",
      points: 2,
      after: ["redirects"],
      why: "A redirect needs no body, but the client has sent one. If the connection is closed with bytes unread, the kernel answers them by a reset, and the reset destroys the answer on its way.",
      see: ["tcp(7)", "RFC 9112 §9.6"],
    },
    async (context) => {
      const large = context.random.bytes(3 * MiB);
      const { ports } = await serve(context, withRoutes(redirectTo("/new"), fileRoute), {
        files: { "public/large": large },
      });
      const body = context.random.bytes(700 * KiB);
      // This client first says all it has to say, and reads then.
      for (const [line, status, expected] of [
        ["POST /old", 301, undefined],
        ["GET /large", 200, large],
      ] as const) {
        const client = await context.connect({ port: ports[0]! });
        client.pause();
        client.send(
          `${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
        );
        client.send(body);
        await client.drained(2000);
        await client.wasRead(500);
        client.resume();
        const what = `${line} with a body of 700 KiB`;
        const response = await readResponse(client, { what, withinMs: 10_000 });
        expectStatusOf(response, status, what);
        assert(expected === undefined || Buffer.compare(response.body, expected) === 0, {
          summary: `the answer to ${what} has other bytes than the file`,
          expected: describeBytes(large),
          observed: describeBytes(response.body),
        });
        client.close();
      }
      const chunked = await context.connect({ port: ports[0]! });
      chunked.send(
        "POST /old HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      );
      expectStatusOf(
        await readResponse(chunked, { what: "POST /old in chunks" }),
        301,
        "POST /old in chunks",
      );
    },
  ),
];
