import { beforeEach, describe, expect, test } from "vitest";
import { closed, listener } from "../../../linux/test-sockets.ts";
import type { RouteSetup } from "../config/module.ts";
import { HeadWriter } from "../http/head-writer.ts";
import { persistence } from "../http/persistence.ts";
import type { ContentHandler } from "../http/response.ts";
import { request, responses, siteOf, TestClient } from "../http/test-session.ts";
import { pooledConnections } from "../http/upstream-pool.ts";
import { SteppedLoop } from "../network/test-loop.ts";
import { forwarding } from "./forwarding.ts";
import { lineAfter, Origin, ok, proxyClient } from "./test-proxy.ts";

let loop: SteppedLoop;
let origin: Origin;

beforeEach(() => {
  loop = new SteppedLoop();
  origin = new Origin(loop);
  origin.answer(ok("x"));
});

/** What the upstream gets of a request with some fields: all lines with a name. */
function passedOn(fields: string[], trusted: string[] = [], version = "HTTP/1.1") {
  const config = { trusted_proxies: trusted };
  proxyClient(origin, { features: [forwarding()], config }).ask(request("GET /", fields, "", version));
  const lines = origin.received[0]!.split("\r\n");
  return (name: string) =>
    lines
      .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
      .map((line) => line.slice(name.length + 2));
}

const claims = [
  "X-Forwarded-For: 192.0.2.1",
  "x-forwarded-for: 192.0.2.2",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Host: claimed.example",
  "X-Forwarded-Port: 443",
  "X-Real-IP: 192.0.2.1",
  "Forwarded: for=192.0.2.1",
];

describe("the upstream hears", () => {
  test("who asks, by which protocol, and for which host", () => {
    const values = passedOn([]);
    expect(values("X-Forwarded-For")).toEqual(["127.0.0.1"]);
    expect(values("X-Forwarded-Proto")).toEqual(["http"]);
    expect(values("X-Forwarded-Host")).toEqual(["example.org"]);
    expect(values("Forwarded")).toEqual(["for=127.0.0.1;host=example.org;proto=http"]);
    expect(values("Via")).toEqual(["1.1 eXpServer"]);
  });

  test("nothing of what the client claims about itself", () => {
    const values = passedOn(claims, ["192.0.2.0/24"]);
    expect(values("X-Forwarded-For")).toEqual(["127.0.0.1"]);
    expect(values("X-Forwarded-Proto")).toEqual(["http"]);
    expect(values("X-Forwarded-Host")).toEqual(["example.org"]);
    expect(values("Forwarded")).toEqual(["for=127.0.0.1;host=example.org;proto=http"]);
    expect([...values("X-Forwarded-Port"), ...values("X-Real-IP")]).toEqual([]);
  });

  test("what a trusted proxy says about its client, and that proxy behind it", () => {
    const values = passedOn(claims, ["127.0.0.0/8"]);
    expect(values("X-Forwarded-For")).toEqual(["192.0.2.1, 192.0.2.2, 127.0.0.1"]);
    expect(values("X-Forwarded-Proto")).toEqual(["https"]);
    expect(values("X-Forwarded-Host")).toEqual(["claimed.example"]);
    expect(values("Forwarded")).toEqual(["for=192.0.2.1, for=127.0.0.1;host=example.org;proto=http"]);
    expect(values("X-Forwarded-Port")).toEqual(["443"]);
    expect(values("X-Real-IP")).toEqual(["192.0.2.1"]);
  });

  test("the same of a trusted proxy that says nothing", () => {
    const values = passedOn([], ["127.0.0.1"]);
    expect(values("X-Forwarded-For")).toEqual(["127.0.0.1"]);
    expect(values("X-Forwarded-Proto")).toEqual(["http"]);
    expect(values("Forwarded")).toEqual(["for=127.0.0.1;host=example.org;proto=http"]);
  });

  test("the proxies before this one, in their order", () => {
    const values = passedOn(["Via: 1.0 first, 1.1 second"], [], "HTTP/1.0");
    expect(values("Via")).toEqual(["1.0 first, 1.1 second", "1.0 eXpServer"]);
  });

  test("all of a host that is as long as a head may be, and everything behind it", () => {
    const host = "h".repeat(32_000);
    const client = proxyClient(origin, { features: [forwarding()] });
    client.ask(`GET / HTTP/1.1\r\nHost: ${host}\r\nX-Last: 1\r\n\r\n`);
    expect(lineAfter(origin.received[0]!, "Host")).toBe(host);
    expect(lineAfter(origin.received[0]!, "X-Forwarded-Host")).toBe(host);
    expect(lineAfter(origin.received[0]!, "X-Last")).toBe("1");
    expect(origin.received[0]!.endsWith("\r\n\r\n")).toBe(true);
  });

  test("of a client whom one route trusts and another does not, on each what that one believes", () => {
    const routeThatTrusts = (trusted_proxies: string[]) =>
      forwarding().forRoute({ config: { trusted_proxies } } as unknown as RouteSetup);
    const routes = new Map([
      ["/wary", routeThatTrusts([])],
      ["/trusting", routeThatTrusts(["127.0.0.1"])],
    ]);
    const content: ContentHandler = (incoming, response) => {
      const head = new HeadWriter();
      routes.get(incoming.path)!.writeRequestFields!(incoming, head);
      response.setText(Buffer.from(head.bytes.subarray(0, head.length)).toString(), "text/plain");
      response.send();
    };
    const client = new TestClient(siteOf(content, [persistence()]));
    const heard = (path: string) => {
      const answer = client.ask(request(`GET ${path}`, ["X-Forwarded-For: 192.0.2.1"]));
      return lineAfter(responses(answer)[0]!.body, "X-Forwarded-For");
    };
    expect(heard("/wary")).toBe("127.0.0.1");
    expect(heard("/trusting")).toBe("192.0.2.1, 127.0.0.1");
    expect(heard("/wary")).toBe("127.0.0.1");
  });

  test("of each request on a connection the host that it names", () => {
    const client = proxyClient(origin, { features: [forwarding()], connections: pooledConnections() });
    for (const host of ["one.example", "two.example", "TWO.example", "one.example"]) {
      origin.received[0] = "";
      client.ask(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(lineAfter(origin.received[0]!, "Host")).toBe(host);
      expect(lineAfter(origin.received[0]!, "Forwarded")).toBe(`for=127.0.0.1;host=${host};proto=http`);
    }
  });

  test("a host with a port in quotes, where the grammar wants them", () => {
    proxyClient(origin, { features: [forwarding()] }).ask("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n");
    expect(lineAfter(origin.received[0]!, "Forwarded")).toBe('for=127.0.0.1;host="[::1]:80";proto=http');
  });
});

describe("the client hears", () => {
  test("by which proxies its answer came", () => {
    origin.answer(ok("x", "Via: 1.1 behind"));
    const answer = proxyClient(origin, { features: [forwarding()] }).ask(request("GET /"));
    const lines = answer.split("\r\n").filter((line) => line.startsWith("Via:"));
    expect(lines).toEqual(["Via: 1.1 behind", "Via: 1.1 eXpServer"]);
  });

  test("that the upstream spoke HTTP/1.0", () => {
    origin.onRequest = (connection) => {
      connection.write(Buffer.from("HTTP/1.0 200 OK\r\n\r\nx"));
      connection.end();
    };
    const answer = proxyClient(origin, { features: [forwarding()] }).ask(request("GET /"));
    expect(lineAfter(answer, "Via")).toBe("1.0 eXpServer");
  });

  test("that nobody listens at the upstream", () => {
    const { fd, address } = listener();
    closed(fd);
    const client = proxyClient(origin, { features: [forwarding()], port: address.port });
    const [answer] = responses(client.ask(request("GET /")));
    expect(answer).toMatchObject({
      status: 502,
      fields: { "proxy-status": "eXpServer; error=connection_refused" },
    });
    expect(answer!.fields.via).toBeUndefined();
  });

  test.each([
    ["says nothing that is HTTP", "hello\r\n\r\n", 502, "http_protocol_error"],
    ["ends without an answer", undefined, 502, "connection_terminated"],
    ["ends in the middle of a head", "HTTP/1.1 200 O", 502, "http_response_incomplete"],
    ["is silent", "", 504, "http_response_timeout"],
  ])("that the upstream %s", (_name, text, status, error) => {
    origin.onRequest = (connection) => {
      connection.write(Buffer.from(text ?? ""));
      if (text !== "" && text !== "hello\r\n\r\n") connection.end();
    };
    const client = proxyClient(origin, { features: [forwarding()], connections: pooledConnections() });
    client.say(request("GET /"));
    loop.advance(text === "" ? 5000 : 0);
    expect(responses(client.receive())).toMatchObject([
      { status, fields: { "proxy-status": `eXpServer; error=${error}` } },
    ]);
  });
});
