import { describe, expect, test } from "vitest";
import { persistence } from "../http/persistence.ts";
import type { ContentHandler } from "../http/response.ts";
import { request, responses, siteOf, TestClient } from "../http/test-session.ts";
import { bodySize } from "./body-size.ts";
import { expectations } from "./expect.ts";

const goOn = "HTTP/1.1 100 Continue\r\n\r\n";

/** Answers with the body, when it is complete. */
const echo: ContentHandler = (incoming, response) => {
  let body = "";
  incoming.bodySink = {
    onBodyBytes(bytes, start, end) {
      body += Buffer.from(bytes.subarray(start, end)).toString("latin1");
    },
    onBodyEnd() {
      response.setText(body, "text/plain");
      response.send();
    },
  };
};

const refuse: ContentHandler = (_incoming, response) => response.sendError(403);

function clientOf(content: ContentHandler): TestClient {
  const modules = [persistence(), bodySize(), expectations()];
  return new TestClient(siteOf(content, modules, { max_body_bytes: 10 }));
}

const withBody = ["Content-Length: 5", "Expect: 100-continue"];

describe("Expect: 100-continue", () => {
  test("is answered as soon as somebody wants the body", () => {
    const client = clientOf(echo);
    expect(client.ask(request("POST /", withBody))).toBe(goOn);
    expect(responses(client.ask("hello"))).toMatchObject([{ status: 200, body: "hello" }]);
  });

  test("is answered for every request of a connection, and for chunked bodies too, in any case", () => {
    const client = clientOf(echo);
    for (let i = 0; i < 2; i++) {
      expect(client.ask(request("POST /", ["Transfer-Encoding: chunked", "expect: 100-Continue"]))).toBe(
        goOn,
      );
      expect(responses(client.ask("1\r\nx\r\n0\r\n\r\n"))).toMatchObject([{ status: 200, body: "x" }]);
    }
  });

  test("is answered by the answer alone when nobody wants the body", () => {
    const client = clientOf(refuse);
    const answer = client.ask(request("POST /", withBody));
    expect(responses(answer)).toMatchObject([{ status: 403 }]);
  });

  test("is answered by 413 alone when the body would be too long", () => {
    const client = clientOf(echo);
    const answer = client.ask(request("POST /", ["Content-Length: 11", "Expect: 100-continue"]));
    expect(responses(answer)).toMatchObject([{ status: 413 }]);
  });

  test("needs no answer when the body comes without waiting", () => {
    const answer = clientOf(echo).ask(request("POST /", withBody, "hello"));
    expect(responses(answer)).toMatchObject([{ status: 200, body: "hello" }]);
  });

  test("means nothing without a body", () => {
    expect(responses(clientOf(refuse).ask(request("GET /", ["Expect: 100-continue"])))).toMatchObject([
      { status: 403 },
    ]);
  });

  test("means nothing in HTTP/1.0", () => {
    const client = clientOf(echo);
    expect(client.ask(request("POST /", withBody, "", "HTTP/1.0"))).toBe("");
    expect(responses(client.ask("hello"))).toMatchObject([{ status: 200, body: "hello" }]);
  });
});

describe("another expectation", () => {
  test.each([["Expect: tea"], ["Expect: 100-continue, tea"], ["Expect: 100-continue", "Expect: tea"]])(
    "is refused by 417: %s %s",
    (...fields: string[]) => {
      const client = clientOf(echo);
      expect(responses(client.ask(request("GET /", fields)))).toMatchObject([{ status: 417 }]);
      expect(client.over).toBe("");
    },
  );

  test("means nothing in HTTP/1.0", () => {
    const answer = clientOf(refuse).ask(request("GET /", ["Expect: tea"], "", "HTTP/1.0"));
    expect(responses(answer)).toMatchObject([{ status: 403 }]);
  });
});
