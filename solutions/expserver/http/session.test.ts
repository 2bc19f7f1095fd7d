import { describe, expect, test } from "vitest";
import { bodySize } from "../modules/body-size.ts";
import { persistence } from "./persistence.ts";
import type { BodyWriter, ContentHandler, Response } from "./response.ts";
import { request, responses, siteOf, TestClient } from "./test-session.ts";

/** Answers with the path, at once. */
const echoPath: ContentHandler = (incoming, response) => {
  response.setText(incoming.path, "text/plain");
  response.send();
};

/** Collects the body and answers with it. */
const echoBody: ContentHandler = (incoming, response) => {
  let body = "";
  const answer = () => {
    response.setText(body, "text/plain");
    response.send();
  };
  incoming.bodySink = {
    onBodyBytes: (bytes, start, end) => {
      body += Buffer.from(bytes.subarray(start, end)).toString("latin1");
    },
    onBodyEnd: answer,
  };
  if (!incoming.hasBody) answer();
};

/** Answers when the test says so. */
function later(): { content: ContentHandler; waiting: { path: string; host: string; response: Response }[] } {
  const waiting: { path: string; host: string; response: Response }[] = [];
  return {
    waiting,
    content: (incoming, response) => {
      waiting.push({
        path: incoming.path,
        response,
        get host() {
          return incoming.head.host ?? "";
        },
      });
    },
  };
}

const nobody: BodyWriter = { onDrain() {}, onClientGone() {} };
const bodies = (text: string) => responses(text).map(({ body }) => body);

describe("one request", () => {
  test("is answered, and the connection ends when nobody lets it persist", () => {
    const client = new TestClient(siteOf(echoPath));
    const [response] = responses(client.ask(request("GET /a")));
    expect(response).toMatchObject({ status: 200, body: "/a", fields: { connection: "close" } });
    expect(client.over).toBe("end");
  });

  test("has every response's Server, Date and Content-Length", () => {
    const [response] = responses(new TestClient(siteOf(echoPath)).ask(request("GET /a")));
    expect(response!.fields).toMatchObject({ server: "eXpServer", "content-length": "2" });
    expect(Math.abs(Date.parse(response!.fields.date!) - Date.now())).toBeLessThan(60_000);
  });

  test("to HEAD is answered by the same head and no body", () => {
    const text = new TestClient(siteOf(echoPath)).ask(request("HEAD /abc"));
    expect(text).toContain("Content-Length: 4\r\n");
    expect(text.endsWith("\r\n\r\n")).toBe(true);
  });

  test("that is refused by the parser gets its status, and nothing behind it is answered", () => {
    const client = new TestClient(siteOf(echoPath, [persistence()]));
    const answers = responses(client.ask(`GET /a\r\n\r\n${request("GET /b")}`));
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(client.over).toBe("end");
  });

  test("for a path that leads above the root is refused", () => {
    expect(responses(new TestClient(siteOf(echoPath)).ask(request("GET /a/../../b")))[0]!.status).toBe(400);
  });

  test("whose handler throws is answered by 500", () => {
    const client = new TestClient(
      siteOf(() => {
        throw new Error("a fault, told on purpose by a test");
      }),
    );
    expect(responses(client.ask(request("GET /")))[0]!.status).toBe(500);
  });

  test("can be answered later, and its fields are still there then", () => {
    const { content, waiting } = later();
    const client = new TestClient(siteOf(content, [persistence()]));
    expect(client.ask(request("GET /a"))).toBe("");
    expect(client.ask("POST ")).toBe("");
    expect(waiting[0]!.host).toBe("example.org");
    waiting[0]!.response.sendError(503);
    expect(responses(client.receive())[0]!.status).toBe(503);
  });
});

describe("a connection that persists", () => {
  test("serves one request after the other", () => {
    const client = new TestClient(siteOf(echoPath, [persistence()]));
    for (const path of ["/a", "/b", "/c"]) expect(bodies(client.ask(request(`GET ${path}`)))).toEqual([path]);
    expect(client.over).toBe("");
  });

  test("ends when the client wishes it", () => {
    const client = new TestClient(siteOf(echoPath, [persistence()]));
    const [response] = responses(client.ask(request("GET /a", ["Connection: close"])));
    expect(response!.fields.connection).toBe("close");
    expect(client.over).toBe("end");
  });

  test("is one of HTTP/1.0 only when the client wishes it", () => {
    const site = siteOf(echoPath, [persistence()]);
    const plain = new TestClient(site);
    expect(responses(plain.ask(request("GET /a", [], "", "HTTP/1.0")))[0]!.fields.connection).toBe("close");
    expect(plain.over).toBe("end");
    const asking = new TestClient(site);
    const answer = asking.ask(request("GET /a", ["Connection: keep-alive"], "", "HTTP/1.0"));
    expect(responses(answer)[0]!.fields.connection).toBe("keep-alive");
    expect(asking.over).toBe("");
  });

  test("answers pipelined requests in their order, also when the first takes its time", () => {
    const { content, waiting } = later();
    const client = new TestClient(siteOf(content, [persistence()]));
    expect(client.ask(request("GET /a") + request("GET /b") + request("GET /c"))).toBe("");
    expect(waiting.map(({ path }) => path)).toEqual(["/a"]);
    for (const path of ["/a", "/b", "/c"]) {
      const { response } = waiting.pop()!;
      response.setText(path, "text/plain");
      response.send();
    }
    expect(bodies(client.receive())).toEqual(["/a", "/b", "/c"]);
  });

  test("takes a request in whatever pieces it comes", () => {
    const client = new TestClient(siteOf(echoBody, [persistence()]));
    const text =
      request("POST /", ["Content-Length: 3"], "abc") +
      request("POST /", ["Transfer-Encoding: chunked"], "2\r\nde\r\n1;x=y\r\nf\r\n0\r\nT: v\r\n\r\n");
    for (const character of text) client.say(character);
    expect(bodies(client.receive())).toEqual(["abc", "def"]);
    expect(bodies(client.ask(text + text))).toEqual(["abc", "def", "abc", "def"]);
  });

  test("goes on after a body that nobody wanted", () => {
    const client = new TestClient(siteOf(echoPath, [persistence()]));
    const answers = client.ask(request("POST /a", ["Content-Length: 5"], "GET /") + request("GET /b"));
    expect(bodies(answers)).toEqual(["/a", "/b"]);
  });

  test("ends after a long body that nobody wanted", () => {
    const client = new TestClient(siteOf(echoPath, [persistence()]));
    expect(bodies(client.ask(request("POST /a", ["Content-Length: 100000000"])))).toEqual(["/a"]);
    expect(client.over).toBe("end");
  });

  test("answers what was asked before the client ended its stream", () => {
    const { content, waiting } = later();
    const client = new TestClient(siteOf(content, [persistence()]));
    client.say(request("GET /a") + request("GET /b"));
    client.end();
    waiting.pop()!.response.sendError(404);
    waiting.pop()!.response.sendError(403);
    expect(responses(client.receive()).map(({ status }) => status)).toEqual([404, 403]);
    expect(client.over).toBe("end");
  });

  test("answers no more than its client reads", () => {
    let answered = 0;
    const content: ContentHandler = (_incoming, response) => {
      answered++;
      response.setText("x".repeat(200_000), "text/plain");
      response.send();
    };
    const client = new TestClient(siteOf(content, [persistence()]));
    client.say(request("GET /").repeat(80));
    expect(answered).toBeLessThan(75); // what both kernel buffers hold is 10 MB at most
    expect(responses(client.receive())).toHaveLength(80);
    expect(answered).toBe(80);
  });
});

describe("a body", () => {
  test.each([
    ["a chunk whose end is no CRLF", "Transfer-Encoding: chunked", "1\r\nab\n0\r\n\r\n", 400],
    ["a chunk's size that is no number", "Transfer-Encoding: chunked", "x\r\n", 400],
    ["more than is allowed, by its length", "Content-Length: 11", "", 413],
    ["more than is allowed, by chunks", "Transfer-Encoding: chunked", "b\r\n", 413],
  ])("with %s is refused, and the connection ends", (_name, field, body, status) => {
    const site = siteOf(echoBody, [persistence(), bodySize()], { max_body_bytes: 10 });
    const client = new TestClient(site);
    const answers = responses(client.ask(request("POST /", [field], body)));
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    expect(client.over).toBe("end");
  });

  test("that ends before it is complete is no request", () => {
    const client = new TestClient(siteOf(echoBody, [persistence()]));
    client.say(request("POST /", ["Content-Length: 5"], "abc"));
    client.end();
    expect(client.receive()).toBe("");
    expect(client.over).toBe("reset");
  });

  test("waits for whoever takes it", () => {
    let taken = 0;
    let resume = () => {};
    const content: ContentHandler = (incoming) => {
      incoming.bodySink = {
        onBodyBytes(_bytes, start, end) {
          taken += end - start;
          incoming.source.pauseBody();
        },
        onBodyEnd() {},
      };
      resume = () => incoming.source.resumeBody();
    };
    const client = new TestClient(siteOf(content, [persistence()]));
    client.say(request("POST /", ["Content-Length: 6"], "abc"));
    expect(taken).toBe(3);
    client.say("def");
    expect(taken).toBe(3);
    resume();
    client.loop.settle();
    expect(taken).toBe(6);
  });
});

describe("a streamed response", () => {
  test("leaves piece by piece also when the request's body came in one segment with its head", () => {
    const { content, waiting } = later();
    const client = new TestClient(siteOf(content, [persistence()]));
    client.say(request("POST /", ["Content-Length: 3"], "abc"));
    const { response } = waiting[0]!;
    response.stream(nobody);
    response.send();
    response.write(Buffer.from("first"));
    expect(client.receive()).toContain("5\r\nfirst\r\n");
  });

  const stream =
    (length: number, pieces: string[]): ContentHandler =>
    (_incoming, response) => {
      response.stream(nobody, length);
      response.send();
      for (const piece of pieces) response.write(Buffer.from(piece));
      response.end();
    };

  test("of unknown length is sent in chunks", () => {
    const client = new TestClient(siteOf(stream(-1, ["ab", "", "c"]), [persistence()]));
    const text = client.ask(request("GET /"));
    expect(text).toContain("Transfer-Encoding: chunked\r\n");
    expect(text.endsWith("\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")).toBe(true);
    expect(client.over).toBe("");
  });

  test("of unknown length ends with the connection for a client of HTTP/1.0", () => {
    const client = new TestClient(siteOf(stream(-1, ["ab", "c"]), [persistence()]));
    const text = client.ask(request("GET /", ["Connection: keep-alive"], "", "HTTP/1.0"));
    expect(text).not.toContain("Transfer-Encoding");
    expect(text).toContain("Connection: close\r\n");
    expect(text.endsWith("\r\n\r\nabc")).toBe(true);
    expect(client.over).toBe("end");
  });

  test.each([
    ["shorter", ["ab"]],
    ["longer", ["abcd"]],
  ])("that is %s than announced breaks the connection", (_name, pieces) => {
    const client = new TestClient(siteOf(stream(3, pieces), [persistence()]));
    client.ask(request("GET /"));
    expect(client.over).toBe("reset");
  });

  test("tells its writer when there is room again, and when the client is gone", () => {
    const told: string[] = [];
    const content: ContentHandler = (_incoming, response) => {
      const writer = { onDrain: () => told.push("drain"), onClientGone: () => told.push("gone") };
      response.stream(writer);
      response.send();
      while (response.write(Buffer.alloc(10_000)));
    };
    const client = new TestClient(siteOf(content));
    client.say(request("GET /"));
    expect(told).toEqual([]);
    client.receive();
    expect(told).toEqual(["drain"]);
    client.reset();
    expect(told).toEqual(["drain", "gone"]);
  });
});
