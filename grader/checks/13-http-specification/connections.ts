/** Connections that go on: one request after the other. */
import { type Check, check } from "../../checks.ts";
import { assert, describeBytes } from "../../engine/evidence.ts";
import { readResponse } from "../../engine/http-response.ts";
import { expectField, expectStatusOf } from "../general/configured.ts";
import { hello } from "../general/origin.ts";
import { exchange, requestBytes, startProxy, startSite } from "./site.ts";

export const connections: Check[] = [
  check(
    "keeps-connection",
    {
      title: "answers 100 requests on one connection",
      points: 3,
      after: ["builds"],
      why: "A connection costs a round trip before its first byte, and a slow start after. Since HTTP/1.1 it goes on unless somebody says otherwise.",
      see: ["RFC 9112 §9.3", "docs/guides/persistent-connections.md"],
      byHand: "curl -sv http://127.0.0.1:8001/ http://127.0.0.1:8001/ 2>&1 | grep -i -e connect -e re-us",
    },
    async (context) => {
      const port = await startSite(context);
      const client = await context.connect({ port });
      const turns: [line: string, status: number, body: string | undefined][] = [
        ["GET /", 200, "hello\n"],
        ["HEAD /", 200, ""],
        ["GET /none", 404, undefined],
        ["GET /old", 301, undefined],
        ["HEAD /none", 404, ""],
      ];
      for (let number = 1; number <= 100; number++) {
        const [line, status, body] = turns[number % turns.length]!;
        const what = `request ${number} on one connection, ${line}`;
        const response = await exchange(client, line, { what });
        expectStatusOf(response, status, what);
        assert(body === undefined || response.body.toString() === body, {
          summary: `the answer to ${what} has another body than the file`,
          expected: describeBytes(Buffer.from(body ?? "")),
          observed: describeBytes(response.body),
        });
        assert(!/close/i.test(response.field("Connection") ?? ""), {
          summary: `the answer to ${what} announces the end of the connection`,
          expected: "no Connection: close, since the client did not ask for it",
          observed: `Connection: ${response.field("Connection")}`,
        });
      }
    },
  ),
  check(
    "closes-on-request",
    {
      title: "ends the connection after a request with Connection: close",
      points: 1,
      after: ["keeps-connection"],
      why: "A client that says so waits for the end: for some it is how they know that the answer is complete.",
      see: ["RFC 9112 §9.6"],
    },
    async (context) => {
      const port = await startSite(context);
      for (const value of ["close", "Close", "keep-alive, close", "x-own,close"]) {
        const client = await context.connect({ port });
        expectStatusOf(await exchange(client, "GET /"), 200, "GET /");
        const what = `GET / with Connection: ${value}`;
        const response = await exchange(client, "GET /", { what, headers: [`Connection: ${value}`] });
        expectStatusOf(response, 200, what);
        expectField(response, "Connection", /\bclose\b/i, what);
        await client.expectEnd({ why: `after the answer to ${what}` });
        client.close();
      }
    },
  ),
  check(
    "old-clients-persistence",
    {
      title: "keeps connections of HTTP/1.0 clients only if they ask for it",
      points: 1,
      after: ["keeps-connection"],
      why: "A client of HTTP/1.0 that does not ask waits for the end of the connection; one that asks has to be told that it goes on, or it waits all the same.",
      see: ["RFC 9112 §9.3", "docs/guides/persistent-connections.md"],
      byHand: "curl -si0 http://127.0.0.1:8001/",
    },
    async (context) => {
      const port = await startSite(context);
      const asking = await context.connect({ port });
      for (let turn = 0; turn < 2; turn++) {
        const what = "GET / HTTP/1.0 with Connection: keep-alive";
        const sent = { what, version: "HTTP/1.0", headers: ["Connection: keep-alive"] };
        const response = await exchange(asking, "GET /", sent);
        expectStatusOf(response, 200, what);
        expectField(response, "Connection", /\bkeep-alive\b/i, what);
      }
      const plain = await context.connect({ port });
      expectStatusOf(await exchange(plain, "GET /", { version: "HTTP/1.0" }), 200, "GET / HTTP/1.0");
      await plain.expectEnd({ why: "after the answer to a client of HTTP/1.0 that did not ask to keep it" });
    },
  ),
  check(
    "pipelining",
    {
      title: "answers requests that come together, in their order, also when the first one is slow",
      points: 3,
      after: ["keeps-connection"],
      why: "A client may send its next requests before the first is answered. Answers have no numbers: their order is all that tells which is whose.",
      see: ["RFC 9112 §9.3.2", "docs/guides/persistent-connections.md"],
      byHand:
        "printf 'GET /a HTTP/1.1\\r\\nHost: a\\r\\n\\r\\nGET /b HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' | nc 127.0.0.1 8001",
    },
    async (context) => {
      const names = Array.from({ length: 20 }, (_, index) => `file-${index}.txt`);
      const files = Object.fromEntries(names.map((name) => [`public/${name}`, `this is ${name}\n`]));
      let isAsked = false;
      let answer = () => {};
      const { port } = await startProxy(
        context,
        (_request, peer) => {
          isAsked = true;
          answer = () => peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow");
        },
        { files },
      );
      const requests = Buffer.concat(names.map((name) => requestBytes(`GET /${name}`)));
      for (const size of [requests.length, 7, 100]) {
        const client = await context.connect({ port });
        for (let at = 0; at < requests.length; at += size) client.send(requests.subarray(at, at + size));
        for (const [index, name] of names.entries()) {
          const what = `request ${index + 1} of ${names.length} that came together, GET /${name}`;
          const response = await readResponse(client, { what });
          expectStatusOf(response, 200, what);
          assert(response.body.toString() === `this is ${name}\n`, {
            summary: `the answer to ${what} is the one to another request`,
            expected: describeBytes(Buffer.from(`this is ${name}\n`)),
            observed: describeBytes(response.body),
          });
        }
        client.close();
      }
      const client = await context.connect({ port });
      client.send(Buffer.concat([requestBytes("GET /api"), requestBytes(`GET /${names[0]}`)]));
      await context.waitFor(() => isAsked, 5000);
      const bystander = await context.connect({ port });
      expectStatusOf(
        await exchange(bystander, `GET /${names[1]}`),
        200,
        "a request of another client, while an upstream is slow,",
      );
      client.expectNothing();
      answer();
      const first = await readResponse(client, { what: "the first of two requests" });
      const second = await readResponse(client, { what: "the second of two requests" });
      const bodies = [first, second].map(({ body }) => body.toString());
      assert(bodies[0] === "slow" && bodies[1] === `this is ${names[0]}\n`, {
        summary: "the answers to two requests that came together are not in their order",
        expected: `“slow” from the upstream, then the file`,
        observed: bodies.map((body) => describeBytes(Buffer.from(body))).join(", then "),
      });
    },
  ),
  check(
    "pool",
    {
      title: "keeps its connections to the upstream, and uses them again",
      points: 2,
      after: ["keeps-connection"],
      why: "To connect anew for each request costs a proxy more than half of its work, and the upstream as much.",
      see: ["RFC 9112 §9.3", "docs/guides/persistent-connections.md"],
    },
    async (context) => {
      const peers = new Set<object>();
      const { port, origin } = await startProxy(context, (request, peer) => {
        peers.add(peer);
        return hello(request, peer);
      });
      const client = await context.connect({ port });
      const number = 20;
      for (let turn = 0; turn < number; turn++)
        expectStatusOf(await exchange(client, "GET /api"), 200, "GET /api");
      if (origin.trouble !== undefined) throw origin.trouble;
      // A server of several processes has a pool in each: one client stays with one of them.
      assert(peers.size < number / 2, {
        summary: "the upstream gets a new connection for each request",
        expected: `one connection for ${number} requests in turn, or a few`,
        observed: `${peers.size} connections`,
      });
    },
  ),
  check(
    "pool-repeats",
    {
      title: "asks again when a kept connection turns out closed, and never twice by POST",
      points: 3,
      after: ["pool"],
      why: "An upstream may close at the very moment in which a request is on its way. A GET can be sent again; whether a POST was carried out, nobody knows.",
      see: ["RFC 9112 §9.3.1", "RFC 9110 §9.2.2"],
    },
    async (context) => {
      // Each connection of this upstream answers once, and breaks at the second request instead of answering.
      const turns = new WeakMap<object, number>();
      const asked: Record<string, number> = {};
      const { port } = await startProxy(context, (request, peer) => {
        const turn = (turns.get(peer) ?? 0) + 1;
        turns.set(peer, turn);
        asked[request.target] = (asked[request.target] ?? 0) + 1;
        if (turn === 1) return hello(request, peer);
        peer.close();
      });
      const client = await context.connect({ port });
      for (let turn = 0; turn < 6; turn++) {
        const what = `GET /api/${turn}, whose upstream closes a kept connection instead of answering,`;
        expectStatusOf(await exchange(client, `GET /api/${turn}`, { what }), 200, what);
      }
      const post = { headers: ["Content-Length: 2"], body: "ab" };
      const statuses: number[] = [];
      for (let turn = 0; turn < 2; turn++) {
        const client = await context.connect({ port });
        statuses.push((await exchange(client, `POST /api/post-${turn}`, post)).status);
        client.close();
      }
      const twice = Object.entries(asked).find(([target, times]) => target.includes("post") && times > 1);
      assert(twice === undefined, {
        summary: "a POST reached the upstream twice",
        expected: "once: the upstream may have done what it was asked for before the connection broke",
        observed: `POST ${twice?.[0]} came ${twice?.[1]} times; the answers were ${statuses.join(" and ")}`,
      });
    },
  ),
];
