import { beforeEach, describe, expect, test } from "vitest";
import { closed, listener } from "../../../linux/test-sockets.ts";
import { request, responses, type TestClient } from "../http/test-session.ts";
import { pooledConnections } from "../http/upstream-pool.ts";
import { SteppedLoop } from "../network/test-loop.ts";
import type { ReverseProxyOptions } from "./reverse-proxy.ts";
import { lineAfter, Origin, ok, proxyClient, say } from "./test-proxy.ts";

let loop: SteppedLoop;
let origin: Origin;

beforeEach(() => {
  loop = new SteppedLoop();
  origin = new Origin(loop);
});

/** A client of a proxy in front of the origin, or of another port. */
function clientOf(options: ReverseProxyOptions = {}, port?: number): TestClient {
  return proxyClient(origin, { ...options, port });
}

describe("the upstream gets", () => {
  test("method, path, query, host and fields", () => {
    origin.answer(ok("x"));
    clientOf().ask(request("GET /a/%2e/b%2Fc//d?x=%2e&y", ["X-One: 1", "x-two:  two  "]));
    const [text] = origin.received;
    expect(text!.startsWith("GET /a/b%2Fc//d?x=%2e&y HTTP/1.1\r\nHost: example.org\r\n")).toBe(true);
    expect([lineAfter(text!, "X-One"), lineAfter(text!, "x-two")]).toEqual(["1", "two"]);
  });

  test("no field that is about the client's connection alone", () => {
    origin.answer(ok("x"));
    const fields = [
      "Connection: keep-alive, X-Named",
      "X-Named: 1",
      "Keep-Alive: 5",
      "TE: trailers",
      "Upgrade: h2c",
      "Proxy-Authorization: secret",
      "X-Kept: 1",
    ];
    clientOf().ask(request("GET /", fields));
    const names = origin.received[0]!.split("\r\n").map((line) => line.split(":")[0]!.toLowerCase());
    expect(names.slice(1).filter(Boolean).sort()).toEqual(["connection", "host", "x-kept"]);
    expect(lineAfter(origin.received[0]!, "Connection")).toBe("close");
  });

  test.each([
    ["by its length", "Content-Length: 5", "hello", "hello"],
    [
      "in chunks",
      "Transfer-Encoding: chunked",
      "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: v\r\n\r\n",
      "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    ],
  ])("the body %s", (_name, field, body, expected) => {
    origin.onRequest = (connection, received) => {
      if (received.endsWith(`\r\n\r\n${expected}`)) say(connection, ok("x"));
    };
    const client = clientOf();
    expect(responses(client.ask(request("POST /", [field], body)))).toMatchObject([
      { status: 200, body: "x" },
    ]);
    expect(lineAfter(origin.received[0]!, field.split(":")[0]!)).toBe(field.split(": ")[1]);
  });

  test("its own address as the host where the client has named none", () => {
    origin.answer(ok("x"));
    clientOf().ask("GET / HTTP/1.0\r\n\r\n");
    expect(lineAfter(origin.received[0]!, "Host")).toBe(`127.0.0.1:${origin.server.address.port}`);
  });

  test("nothing of a request that is refused, nor of what comes behind it", () => {
    const client = clientOf({ connections: pooledConnections() });
    client.say(
      request("POST /", ["Content-Length: 4", "Transfer-Encoding: chunked"], `0\r\n\r\n${request("GET /b")}`),
    );
    client.receive();
    expect(origin.received).toEqual([]);
  });

  test("the end of its connection when the rest of a body turns out to be malformed", () => {
    const client = clientOf({ connections: pooledConnections() });
    client.say(request("POST /", ["Transfer-Encoding: chunked"], "5\r\nhello\r\n"));
    expect(origin.received[0]!.endsWith("\r\n\r\n5\r\nhello\r\n")).toBe(true);
    expect(responses(client.ask("xyz\r\n"))).toMatchObject([{ status: 400 }]);
    loop.settle();
    expect(origin.server.connections.size).toBe(0);
    expect(origin.received[0]!.endsWith("hello\r\n")).toBe(true);
  });

  test.each(["xyz\r\n", "5\nhello", "-1\r\n", "5;\r\nhello", "1000000000000000\r\n"])(
    "nothing of a request whose body begins with %j",
    (body) => {
      origin.answer(ok("x"));
      const client = clientOf({ connections: pooledConnections() });
      client.ask(request("GET /")); // so that a connection lies ready
      origin.received[0] = "";
      client.say(request("POST /", ["Transfer-Encoding: chunked"]));
      expect(responses(client.ask(body))).toMatchObject([{ status: 400 }]);
      expect(origin.received).toEqual([""]);
    },
  );

  test("the body in chunks also when many of them come at once", () => {
    const chunks = "1\r\nx\r\n".repeat(1000);
    origin.onRequest = (connection, text) => {
      if (text.endsWith("\r\n0\r\n\r\n")) say(connection, ok("x"));
    };
    const client = clientOf();
    const answers = responses(
      client.ask(request("POST /", ["Transfer-Encoding: chunked"], `${chunks}0\r\n\r\n`)),
    );
    expect(answers).toMatchObject([{ status: 200 }]);
    const sent = origin.received[0]!.slice(origin.received[0]!.indexOf("\r\n\r\n") + 4);
    expect(sent.replace(/[0-9a-f]+\r\n|\r\n/g, "")).toBe("x".repeat(1000));
  });

  test("the body in chunks also when it is empty", () => {
    origin.onRequest = (connection, text) => {
      if (text.endsWith("\r\n\r\n0\r\n\r\n")) say(connection, ok("x"));
    };
    const answer = clientOf().ask(request("POST /", ["Transfer-Encoding: chunked"], "0\r\n\r\n"));
    expect(responses(answer)).toMatchObject([{ status: 200 }]);
  });

  test("no more of a body than it takes", () => {
    let paused = false;
    origin.onRequest = (connection) => {
      if (!paused) connection.pause();
      paused = true;
    };
    const client = clientOf();
    const size = 64 * 1024 * 1024;
    client.say(request("PUT /", [`Content-Length: ${size}`]));
    const piece = "x".repeat(1024 * 1024);
    let sent = 0;
    client.sendSome(piece);
    for (; sent < 64 && client.sendSome(piece) > 0; sent++) loop.settle();
    expect(sent).toBeLessThan(40); // what the kernel's buffers hold of both connections
  });
});

describe("the client gets", () => {
  test.each([
    ["by its length", ok("hello", "X-One: 1")],
    ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-One: 1\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
    ["up to the end of the stream", "HTTP/1.1 200 OK\r\nX-One: 1\r\n\r\nhello"],
    ["of HTTP/1.0", "HTTP/1.0 200 OK\r\nX-One: 1\r\n\r\nhello"],
    ["behind interim ones", `HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n${ok("hello", "X-One: 1")}`],
  ])("a response %s", (_name, text) => {
    origin.onRequest = (connection) => {
      say(connection, text);
      connection.end();
    };
    const answer = clientOf().ask(request("GET /", ["Connection: close"], "", "HTTP/1.0"));
    expect(responses(answer)).toMatchObject([{ status: 200, body: "hello", fields: { "x-one": "1" } }]);
  });

  test("no field that is about the upstream's connection alone", () => {
    const fields = [
      "Connection: X-Named",
      "X-Named: 1",
      "Keep-Alive: timeout=5",
      "Server: other",
      "X-Kept: 1",
    ];
    origin.answer(ok("x", ...fields));
    const [answer] = responses(clientOf().ask(request("GET /")));
    expect(Object.keys(answer!.fields).sort()).toEqual(["content-length", "date", "server", "x-kept"]);
    expect(answer!.fields.server).toBe("eXpServer");
  });

  test.each([
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "1000"],
    ["HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", undefined],
    ["GET", "HTTP/1.1 204 No Content\r\n\r\n", undefined],
    ["GET", 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', undefined],
  ])("the head alone for %s and %j", (method, text, length) => {
    origin.answer(text);
    const client = clientOf({ connections: pooledConnections() });
    const answer = client.ask(request(`${method} /`));
    expect(answer.endsWith("\r\n\r\n")).toBe(true);
    expect(lineAfter(answer, "Content-Length")).toBe(length);
    expect(client.over).toBe("");
  });

  test("an answer that comes before its request is complete", () => {
    origin.onRequest = (connection) => {
      say(connection, ok("early", "Connection: close"));
      connection.endGracefully();
    };
    const client = clientOf();
    expect(responses(client.ask(request("POST /", ["Content-Length: 1000"], "abc")))).toMatchObject([
      { status: 200, body: "early" },
    ]);
  });

  test("an interim response before the response, but not one that goes on to 100", () => {
    origin.answer(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\nConnection: y\r\n\r\n${ok("hello")}`,
    );
    const answer = clientOf().ask(request("GET /"));
    expect(answer.startsWith("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\n")).toBe(true);
  });

  test("the next answer too when one came before its request was complete", () => {
    origin.onRequest = (connection, text) => {
      // Nothing of the body is taken, so that the proxy has to keep its client from sending more.
      if (text.startsWith("GET ")) say(connection, ok("next"));
      else connection.pause();
    };
    const client = clientOf();
    const [size, piece] = [24 * 1024 * 1024, "x".repeat(1024 * 1024)];
    client.say(request("POST /", [`Content-Length: ${size}`]));
    let sent = 0;
    for (let count = 1; sent < size - 100_000 && count > 0; sent += count) {
      count = client.sendSome(piece.slice(0, size - 100_000 - sent));
      loop.settle();
    }
    say(origin.connections[0]!, ok("early"));
    loop.settle();
    expect(responses(client.receive())).toMatchObject([{ status: 200, body: "early" }]);
  });

  test("each piece of a response as it comes, also while another request waits behind", () => {
    origin.onRequest = (connection) => say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
    const client = clientOf();
    expect(client.ask(request("GET /a") + request("GET /b")).endsWith("\r\n\r\n01234")).toBe(true);
    say(origin.connections[0]!, "567");
    expect(client.receive()).toBe("567");
  });

  test("no more of a response than it reads", () => {
    let written = 0;
    origin.onRequest = (connection) => {
      const piece = Buffer.alloc(256 * 1024, "x");
      say(connection, `HTTP/1.1 200 OK\r\nContent-Length: ${1024 * piece.length}\r\n\r\n`);
      const write = () => {
        while (written < 1024) {
          written++;
          if (!connection.write(piece)) return;
        }
      };
      connection.handler.onDrain = write;
      write();
    };
    const client = clientOf();
    client.say(request("GET /"));
    loop.settle();
    expect(written).toBeLessThan(200); // of 1,024: what the kernel's buffers hold of both connections
  });
});

describe("without a whole response", () => {
  const bodies = {
    "with a length": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX: y\r\n\r\n0123456789",
    "in chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n",
  };

  describe.each(Object.entries(bodies))("%s", (_name, text) => {
    test.each(["end", "abort"] as const)(
      "that stops after any byte by %s, a part is never taken for the whole",
      (way) => {
        for (let length = 0; length < text.length; length++) {
          origin.onRequest = (connection) => {
            say(connection, text.slice(0, length));
            // A reset overtakes what was sent; wait until the proxy has it.
            loop.settle();
            connection[way]();
          };
          const client = clientOf();
          const answer = client.ask(request("GET /"));
          const hasHead = text.indexOf("\r\n\r\n") + 4 <= length;
          if (!hasHead) expect(responses(answer)).toMatchObject([{ status: 502 }]);
          else expect({ length, over: client.over }).toEqual({ length, over: "reset" });
        }
      },
    );
  });

  test.each([
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "hello\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
  ])("%j is answered by 502", (text) => {
    origin.answer(text);
    expect(responses(clientOf().ask(request("GET /")))).toMatchObject([{ status: 502 }]);
  });

  test("the client hears of a bad chunk by a break", () => {
    origin.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234xx");
    const client = clientOf();
    client.ask(request("GET /"));
    expect(client.over).toBe("reset");
  });

  test("since nobody listens there, it is 502", () => {
    const { fd, address } = listener();
    const client = clientOf({}, address.port);
    closed(fd);
    expect(responses(client.ask(request("GET /")))).toMatchObject([{ status: 502 }]);
  });

  test("the client's connection goes on behind a body that nobody has taken", () => {
    const { fd, address } = listener();
    const client = clientOf({}, address.port);
    closed(fd);
    const ask = () => client.ask(request("POST /", ["Content-Length: 5"], "hello"));
    expect(responses(ask())).toMatchObject([{ status: 502 }]);
    expect(responses(ask())).toMatchObject([{ status: 502 }]);
  });

  test("since the upstream is silent, it is 504", () => {
    const client = clientOf();
    client.say(request("GET /"));
    loop.advance(4999);
    expect(client.receive()).toBe("");
    loop.advance(1);
    expect(responses(client.receive())).toMatchObject([{ status: 504 }]);
  });

  test("since the upstream takes nothing of the request, it is 504", () => {
    origin.onRequest = (connection) => connection.pause();
    const client = clientOf();
    client.say(request("POST /", [`Content-Length: ${64 * 1024 * 1024}`]));
    const piece = "x".repeat(1024 * 1024);
    while (client.sendSome(piece) > 0) loop.settle();
    loop.advance(5000);
    loop.settle();
    expect(responses(client.receive())).toMatchObject([{ status: 504 }]);
  });

  test("there is no time limit while the client does not send the rest of its request", () => {
    origin.onRequest = (connection, text) => {
      if (text.endsWith("hello")) say(connection, ok("x"));
    };
    const client = clientOf();
    client.say(request("POST /", ["Content-Length: 5"], "hel"));
    for (let i = 0; i < 5; i++) loop.advance(4999);
    expect(responses(client.ask("lo"))).toMatchObject([{ status: 200 }]);
  });

  test("there is no time limit while the client does not read, and a whole one when it reads again", () => {
    const piece = Buffer.alloc(1024 * 1024, "x");
    const size = 64 * piece.length;
    let written = 0;
    origin.onRequest = (connection) => {
      say(connection, `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      connection.handler.onDrain = () => {
        while (written < 64 && connection.write(piece)) written++;
        written++;
      };
      connection.handler.onDrain();
    };
    const client = clientOf();
    client.say(request("GET /"));
    loop.settle();
    for (let i = 0; i < 5; i++) loop.advance(4999);
    const received = client.receive();
    expect(client.over).toBe("");
    expect(received.length - received.indexOf("\r\n\r\n") - 4).toBe(size);
  });

  test("since the upstream falls silent half-way, it is a break", () => {
    origin.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
    const client = clientOf();
    client.ask(request("GET /"));
    loop.advance(5000);
    client.receive();
    expect(client.over).toBe("reset");
  });

  test("since the client has gone, the upstream's connection ends", () => {
    const client = clientOf();
    client.say(request("GET /"));
    expect(origin.server.connections.size).toBe(1);
    client.reset();
    expect(origin.server.connections.size).toBe(0);
  });

  test("since the client has gone before there was a connection, none is left", () => {
    const client = clientOf();
    client.say(request("GET /"));
    client.reset();
    loop.advance(10_000);
    loop.settle();
    expect(origin.server.connections.size).toBe(0);
  });
});

describe("a pool", () => {
  test("uses a connection for one request after the other", () => {
    origin.answer(ok("x"));
    const client = clientOf({ connections: pooledConnections() });
    for (let i = 0; i < 3; i++)
      expect(responses(client.ask(request("GET /")))).toMatchObject([{ body: "x" }]);
    expect(origin.connections).toHaveLength(1);
    expect(lineAfter(origin.received[0]!, "Connection")).toBeUndefined();
  });

  test.each([
    ["says so", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"],
    ["speaks HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"],
    ["sends more than its answer", `${ok("x")}more`],
  ])("uses none again whose upstream %s", (_name, text) => {
    origin.answer(text);
    const client = clientOf({ connections: pooledConnections() });
    for (let i = 0; i < 2; i++)
      expect(responses(client.ask(request("GET /")))).toMatchObject([{ body: "x" }]);
    expect(origin.connections).toHaveLength(2);
  });

  test("repeats a request on a connection that its upstream was closing", () => {
    origin.answer(ok("x"));
    const client = clientOf({ connections: pooledConnections() });
    client.ask(request("GET /"));
    origin.onRequest = (connection, _text, index) => {
      if (index === 0) connection.abort();
      else say(connection, ok("again"));
    };
    expect(responses(client.ask(request("GET /")))).toMatchObject([{ status: 200, body: "again" }]);
    expect(origin.connections).toHaveLength(2);
  });

  test("does not repeat a request that could do something twice", () => {
    origin.answer(ok("x"));
    const client = clientOf({ connections: pooledConnections() });
    client.ask(request("GET /"));
    origin.onRequest = (connection) => connection.abort();
    expect(responses(client.ask(request("POST /")))).toMatchObject([{ status: 502 }]);
    expect(origin.connections).toHaveLength(1);
  });

  test("lets go of a connection that its upstream has closed, or that has waited for long", () => {
    origin.answer(ok("x"));
    const client = clientOf({ connections: pooledConnections({ idle: 4, idleMs: 1000, requests: 10 }) });
    client.ask(request("GET /"));
    origin.connections[0]!.end();
    loop.settle();
    client.ask(request("GET /"));
    expect(origin.connections).toHaveLength(2);
    loop.advance(1000);
    loop.settle();
    expect(origin.server.connections.size).toBe(0);
  });
});
