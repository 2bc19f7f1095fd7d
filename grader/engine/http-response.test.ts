import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { CheckFailure } from "./evidence.ts";
import { type HttpResponse, type ReadOptions, readResponse } from "./http-response.ts";
import { Deadline } from "./machine.ts";
import { connectTcp, type TcpPeer } from "./tcp-client.ts";
import { Transcript } from "./transcript.ts";

const deadline = (ms: number) => new Deadline(ms, 1, () => 0);

/** A client whose server sends these bytes, and then ends or stays. */
async function receiving(bytes: string, { ends = true } = {}): Promise<TcpPeer> {
  const listener = createServer({ allowHalfOpen: true });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const { port } = listener.address() as { port: number };
  const accepted = once(listener, "connection");
  const transcript = new Transcript();
  const client = await connectTcp({ host: "127.0.0.1", port }, { name: "client 1", transcript, deadline });
  const [server] = (await accepted) as [Socket];
  onTestFinished(() => {
    client.close();
    server.destroy();
    listener.close();
  });
  server.write(bytes, "latin1");
  if (ends) server.end();
  return client;
}

async function read(bytes: string, options: ReadOptions & { ends?: boolean } = {}): Promise<HttpResponse> {
  return readResponse(await receiving(bytes, options), { what: "GET /", ...options });
}

/** The summary of the evidence with which reading fails. */
async function fault(bytes: string, options?: ReadOptions & { ends?: boolean }): Promise<string> {
  const error = await read(bytes, options).then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof CheckFailure)) throw error;
  return error.evidence.summary;
}

describe("reading a response", () => {
  test("gives status, fields in any case, and a body of the announced length", async () => {
    const response = await read(
      "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nX: 1\r\nx:  2 \r\n\r\nhello",
      {
        ends: false,
      },
    );
    expect(response).toMatchObject({ status: 404, body: Buffer.from("hello") });
    expect(response.field("content-length")).toBe("5");
    expect(response.field("X")).toBe("1, 2");
    expect(response.field("Y")).toBeUndefined();
  });

  test("leaves what stands behind it", async () => {
    const client = await receiving("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc");
    await readResponse(client);
    expect((await client.readAll()).toString()).toBe("bc");
  });

  test("passes over interim responses", async () => {
    const bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    expect(await read(bytes, { ends: false })).toMatchObject({ status: 204, fields: [] });
  });

  test("knows which responses have no body", async () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    expect((await read(head, { toHead: true, ends: false })).body).toHaveLength(0);
    expect((await read("HTTP/1.1 304 Not Modified\r\n\r\n", { ends: false })).body).toHaveLength(0);
  });

  test("puts chunks together, with extensions and trailers", async () => {
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const response = await read(`${head}5\r\nhello\r\nA;x=y\r\n, world..!\r\n0\r\nSum: 1\r\n\r\n`, {
      ends: false,
    });
    expect(response.body.toString()).toBe("hello, world..!");
  });

  test("takes the end of the connection for the end of a body of unknown length", async () => {
    expect((await read("HTTP/1.1 200 OK\r\n\r\nto the end")).body.toString()).toBe("to the end");
  });
});

const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;

describe("a response is refused", () => {
  test.each([
    ["that does not come", "", "does not come"],
    ["that is of HTTP/0.9", "<h1>hello</h1>\r\n", "does not begin with a status line"],
    ["without the space behind the status", "HTTP/1.1 200\r\n\r\n", "does not begin with a status line"],
    ["whose lines end in LF", "HTTP/1.1 200 OK\nA: b\n\n", "does not end in CR LF"],
    ["with a space before a colon", `${ok}A : b\r\n\r\n`, "is no field"],
    ["that breaks off in its head", `${ok}A: b\r\nC`, "breaks off"],
    ["with two different lengths", `${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, "Content-Length"],
    [
      "with a length and chunks",
      `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "has both Content-Length and Transfer-Encoding",
    ],
    ["that is shorter than announced", `${ok}Content-Length: 9\r\n\r\nshort`, "5 bytes of 9"],
    ["whose chunk has no size", `${chunked}hello\r\n`, "no good chunk"],
    ["that breaks off in a chunk", `${chunked}5\r\nhel`, "breaks off in a chunk"],
    ["whose chunk is longer than it says", `${chunked}4\r\nhello\r\n0\r\n\r\n`, "longer or shorter"],
    ["that ends without a last chunk", `${chunked}5\r\nhello\r\n`, "no good chunk"],
    ["that breaks off behind the last chunk", `${chunked}0\r\n`, "breaks off behind its last chunk"],
  ])("%s", async (_, bytes, summary) => {
    expect(await fault(bytes)).toContain(summary);
  });

  test("that has no length and does not end", async () => {
    expect(await fault(`${ok}\r\nhello`, { ends: false, withinMs: 50 })).toContain("says no length");
  });
});
