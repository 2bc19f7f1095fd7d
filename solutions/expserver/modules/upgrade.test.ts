import { beforeEach, describe, expect, test } from "vitest";
import { request, responses, type TestClient } from "../http/test-session.ts";
import { pooledConnections } from "../http/upstream-pool.ts";
import { SteppedLoop } from "../network/test-loop.ts";
import { lineAfter, Origin, ok, proxyClient, say } from "./test-proxy.ts";
import { upgrade } from "./upgrade.ts";

let loop: SteppedLoop;
let origin: Origin;

beforeEach(() => {
  loop = new SteppedLoop();
  origin = new Origin(loop);
});

function clientOf(): TestClient {
  return proxyClient(origin, { connections: pooledConnections(), features: [upgrade()] });
}

const asking = ["Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x"];
const agreed = [
  "HTTP/1.1 101 Switching Protocols",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Accept: y",
  "",
  "",
].join("\r\n");

/** Lets the origin agree, and say some text at once; from then on it says everything twice. */
function agree(early = ""): void {
  origin.onRequest = (connection, text) => {
    if (!text.endsWith("\r\n\r\n")) return;
    say(connection, agreed + early);
    connection.handler.onData = (bytes, length) => {
      const said = Buffer.from(bytes.subarray(0, length)).toString("latin1");
      say(connection, said + said);
    };
  };
}

describe("an upgrade to WebSocket", () => {
  test("passes to the upstream, and its answer to the client", () => {
    agree();
    const answer = clientOf().ask(request("GET /chat", asking));
    expect(origin.received[0]).toContain("\r\nSec-WebSocket-Key: x\r\n");
    expect(lineAfter(origin.received[0]!, "Connection")).toBe("upgrade");
    expect(lineAfter(origin.received[0]!, "Upgrade")).toBe("websocket");
    expect(answer.startsWith("HTTP/1.1 101 Switching Protocols\r\n")).toBe(true);
    expect(lineAfter(answer, "Connection")).toBe("upgrade");
    expect(lineAfter(answer, "Upgrade")).toBe("websocket");
    expect(lineAfter(answer, "Sec-WebSocket-Accept")).toBe("y");
    expect(lineAfter(answer, "Content-Length")).toBeUndefined();
  });

  test("lets bytes through both ways", () => {
    agree();
    const client = clientOf();
    client.ask(request("GET /", asking));
    expect(client.ask("\x00\xff")).toBe("\x00\xff\x00\xff");
    expect(client.ask("GET / HTTP/1.1\r\n\r\n")).toBe("GET / HTTP/1.1\r\n\r\n".repeat(2));
  });

  test("loses nothing that either side said before it was agreed", () => {
    agree("welcome");
    const client = clientOf();
    const answer = client.ask(`${request("GET /", asking)}early`);
    expect(answer.split("\r\n\r\n")[1]).toBe("welcomeearlyearly");
  });

  test.each(["end", "abort"] as const)("passes the upstream's %s on", (way) => {
    agree();
    const client = clientOf();
    client.ask(request("GET /", asking));
    origin.connections[0]![way]();
    client.receive();
    expect(client.over).toBe(way === "end" ? "end" : "reset");
  });

  test("passes the client's end on, and then what the upstream still says", () => {
    agree();
    const client = clientOf();
    client.ask(request("GET /", asking));
    origin.connections[0]!.handler.onEnd = () => {
      say(origin.connections[0]!, "last words");
      origin.connections[0]!.end();
    };
    client.end();
    expect(client.receive()).toBe("last words");
    expect(client.over).toBe("end");
    expect(origin.server.connections.size).toBe(0);
  });

  test("passes the client's end on that came before it was agreed", () => {
    let hasEnded = false;
    origin.onRequest = (connection) => {
      connection.handler.onEnd = () => {
        hasEnded = true;
      };
    };
    const client = clientOf();
    client.say(request("GET /", asking));
    client.end();
    expect(hasEnded).toBe(false);
    say(origin.connections[0]!, agreed);
    loop.until(() => hasEnded);
  });

  test("closes the upstream's connection when the client breaks its own", () => {
    agree();
    const client = clientOf();
    client.ask(request("GET /", asking));
    client.reset();
    expect(origin.server.connections.size).toBe(0);
  });

  test("makes a fast side wait for one that does not read", () => {
    let written = 0;
    origin.onRequest = (connection) => {
      say(connection, agreed);
      const write = () => {
        for (const piece = Buffer.alloc(256 * 1024); written < 1024; ) {
          written++;
          if (!connection.write(piece)) return;
        }
      };
      connection.handler.onDrain = write;
      write();
    };
    const client = clientOf();
    client.say(request("GET /", asking));
    loop.settle();
    expect(written).toBeLessThan(200); // of 1,024: what the kernel's buffers hold of both connections
  });

  test("has no time limit", () => {
    agree();
    const client = clientOf();
    client.ask(request("GET /", asking));
    loop.advance(3_600_000);
    expect(client.ask("x")).toBe("xx");
  });
});

describe("no upgrade", () => {
  test("when the upstream declines: its answer is one as any other, and the connections go on", () => {
    origin.answer(ok("no"));
    const client = clientOf();
    for (let i = 0; i < 2; i++) {
      expect(responses(client.ask(request("GET /", asking)))).toMatchObject([{ status: 200, body: "no" }]);
    }
    expect(origin.connections).toHaveLength(1);
  });

  test.each([
    ["to HTTP/2", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: x"]],
    ["to one of several protocols", ["Connection: Upgrade", "Upgrade: websocket, h2c"]],
    ["that Connection does not name", ["Upgrade: websocket"]],
    ["with a body", [...asking, "Content-Length: 0", "Transfer-Encoding: chunked"].slice(0, 3)],
  ])("%s is passed on", (name, fields) => {
    origin.answer(ok("x"));
    const hasBody = name === "with a body";
    const more = hasBody ? ["Content-Length: 4"] : [];
    clientOf().ask(request(hasBody ? "POST /" : "GET /", [...fields, ...more], hasBody ? "\r\n\r\n" : ""));
    expect(lineAfter(origin.received[0]!, "Upgrade")).toBeUndefined();
    expect(lineAfter(origin.received[0]!, "Connection")).toBeUndefined();
  });

  test("is passed on for a client of HTTP/1.0", () => {
    origin.answer(ok("x"));
    clientOf().ask(request("GET /", asking, "", "HTTP/1.0"));
    expect(lineAfter(origin.received[0]!, "Upgrade")).toBeUndefined();
  });

  test.each([
    ["unasked", [], agreed],
    ["to another protocol", asking, agreed.replace("websocket", "h2c")],
    ["without naming one", asking, agreed.replace("Upgrade: websocket\r\n", "")],
  ])("comes from an upstream that switches %s: that is answered by 502", (_name, fields, text) => {
    origin.answer(text);
    const client = clientOf();
    const [answer] = responses(client.ask(request("GET /", fields)));
    expect(answer).toMatchObject({ status: 502 });
    expect(answer!.fields["sec-websocket-accept"]).toBeUndefined();
    expect(origin.server.connections.size).toBe(0);
  });
});
