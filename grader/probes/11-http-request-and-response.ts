/** What the response promises to whoever streams a body, seen from inside. */
import { Loop } from "workspace:core/loop";
import { Request } from "workspace:http/request";
import { escapeHtml, Response } from "workspace:http/response";
import { TcpServer } from "workspace:network/tcp";
import {
  AF_INET,
  close,
  connect,
  EAGAIN,
  ENOTCONN,
  recv,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  type SocketAddress,
  send,
  socket,
} from "expserver-course/linux";
import { assert, CheckFailure, quote } from "../engine/evidence.ts";

/** One streamed response: what is asked, what is written, and what the client has to get. */
type Case = {
  name: string;
  request: string;
  status?: number;
  /** A body that is set whole, in the place of one that is streamed. */
  text?: string;
  length?: number;
  pieces?: string[];
  /** The head has this line, in any case. */
  field?: RegExp;
  /** The head has no such line. */
  noField?: RegExp;
  /** The content that the client has to get, in whatever chunks; `undefined` when the connection has to break. */
  body: string | undefined;
};

const get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const old = "GET / HTTP/1.0\r\n\r\n";
const head = "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const chunked = /^transfer-encoding: *chunked\r$/im;
const anyEnd = /^(transfer-encoding|content-length):/im;
const anyLength = /^content-length:/im;
/** More than what is worth being copied, and more than a buffer for heads holds. */
const large = "0123456789abcdef".repeat(6000);

const cases: Case[] = [
  {
    name: "a text whose characters are more bytes",
    request: get,
    text: "größer ≥ groß",
    field: /^content-length: *18\r$/im,
    body: Buffer.from("größer ≥ groß").toString("latin1"),
  },
  {
    name: "a text for HEAD",
    request: head,
    text: "größer ≥ groß",
    field: /^content-length: *18\r$/im,
    body: "",
  },
  { name: "a text with status 204", request: get, status: 204, text: "none", noField: anyEnd, body: "" },
  { name: "a text with status 304", request: get, status: 304, text: "none", body: "" },
  {
    name: "a body of unknown length",
    request: get,
    length: -1,
    pieces: ["hello", "", "world, this is more than sixteen bytes"],
    field: chunked,
    noField: anyLength,
    body: "helloworld, this is more than sixteen bytes",
  },
  {
    name: "an empty body of unknown length",
    request: get,
    length: -1,
    pieces: [],
    field: chunked,
    body: "",
  },
  {
    name: "a body of small and large pieces",
    request: get,
    length: -1,
    pieces: ["small", large, "small", large, "end"],
    field: chunked,
    body: `small${large}small${large}end`,
  },
  {
    name: "a body of known length in small and large pieces",
    request: get,
    length: 2 * large.length + 8,
    pieces: [large, "small", large, "end"],
    body: `${large}small${large}end`,
  },
  {
    name: "a body of unknown length for a client of HTTP/1.0",
    request: old,
    length: -1,
    pieces: ["hello", "world"],
    noField: anyEnd,
    body: "helloworld",
  },
  {
    name: "a body of known length",
    request: get,
    length: 10,
    pieces: ["hello", "world"],
    field: /^content-length: *10\r$/im,
    noField: /^transfer-encoding:/im,
    body: "helloworld",
  },
  {
    name: "the head of a body of known length",
    request: head,
    length: 10,
    pieces: ["hello", "world"],
    field: /^content-length: *10\r$/im,
    body: "",
  },
  {
    name: "a body that is shorter than announced",
    request: get,
    length: 10,
    pieces: ["hello"],
    body: undefined,
  },
  {
    name: "a body that is longer than announced",
    request: get,
    length: 3,
    pieces: ["hello"],
    body: undefined,
  },
];

/** What a chunked body contains; `undefined` for what is none, or goes on behind its end (RFC 9112 §7.1). */
function fromChunks(text: string): string | undefined {
  let content = "";
  for (let at = 0; ; ) {
    const size = /^([0-9A-Fa-f]{1,8})\r\n/.exec(text.slice(at, at + 10));
    if (size === null) return undefined;
    const start = at + size[0].length;
    const length = Number.parseInt(size[1]!, 16);
    if (text.slice(start + length, start + length + 2) !== "\r\n") return undefined;
    at = start + length + 2;
    if (length === 0) return at === text.length ? content : undefined;
    content += text.slice(start, start + length);
  }
}

/**
 * A client on system calls: Node's takes a reset that comes with the last bytes for an orderly end.
 * @returns all that came, and whether the connection broke
 */
async function ask(address: SocketAddress, request: string): Promise<{ text: string; isBroken: boolean }> {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  const buffer = Buffer.alloc(64 * 1024);
  let text = "";
  connect(fd, address);
  for (let isSent = false; ; await new Promise((resolve) => setTimeout(resolve, 1))) {
    if (!isSent) isSent = send(fd, Buffer.from(request), request.length) > 0;
    const count = recv(fd, buffer, buffer.length);
    if (count > 0) text += buffer.toString("latin1", 0, count);
    else if (count !== -EAGAIN && count !== -ENOTCONN) {
      close(fd);
      return { text, isBroken: count < 0 };
    }
  }
}

/** Serves one request by a body that is streamed or set whole, and resolves to all that its client gets. */
async function stream({
  request,
  status = 200,
  text,
  length = -1,
  pieces = [],
}: Case): Promise<{ text: string; isBroken: boolean }> {
  const loop = new Loop();
  const server = TcpServer.listen(loop, { host: "127.0.0.1", port: 0 }, (connection) => {
    const incoming = new Request(connection);
    const response = new Response(incoming, { onResponseEnd: () => connection.endGracefully() });
    connection.handler = {
      onData(bytes, count) {
        incoming.head.parse(bytes, 0, count);
        if (!incoming.head.isComplete) return;
        response.status = status;
        if (text !== undefined) {
          response.setText(text, "text/plain; charset=utf-8");
          response.send();
          return;
        }
        response.stream({ onDrain() {}, onClientGone() {} }, length);
        response.send();
        for (const piece of pieces) response.write(Buffer.from(piece));
        response.end();
      },
      onEnd() {},
      onDrain() {},
      onClose() {},
    };
  });
  const ended = ask(server.address, request);
  const running = loop.run();
  const result = await ended;
  loop.stop();
  await running;
  server.destroy();
  loop.close();
  return result;
}

export const probes = {
  async streams() {
    const escaped = escapeHtml(`<a b="c">'&lt;`);
    assert(!/[<>"']|&(?!#?\w+;)/.test(escaped) && escaped.includes("&amp;lt;"), {
      summary: "escapeHtml leaves something that means something in HTML",
      expected: "each of & < > \" ' as an entity, also where a text has an entity already",
      observed: escaped,
    });
    for (const each of cases) {
      const { text, isBroken } = await stream(each);
      const end = text.indexOf("\r\n\r\n");
      const [lines, sent] = [text.slice(0, end + 2), text.slice(end + 4)];
      const isChunked = chunked.test(lines) && !each.request.startsWith("HEAD");
      const body = isChunked ? fromChunks(sent) : sent;
      const observed = `${quote(Buffer.from(text, "latin1"), 600)}, then ${isBroken ? "a break" : "the end"}`;
      if (each.body === undefined) {
        assert(isBroken, {
          summary: `${each.name} ends as if it were whole`,
          expected: "a broken connection (abort), so that nobody takes the part for the whole",
          observed,
        });
        continue;
      }
      assert(end !== -1 && !isBroken && body === each.body, {
        summary: `${each.name} is not sent as it should be`,
        expected: `${quote(Buffer.from(each.body), 200)}${chunked === each.field ? " in chunks," : ""} behind the head, then the end`,
        observed,
      });
      if (each.field?.test(lines) === false || each.noField?.test(lines)) {
        throw new CheckFailure({
          summary: `the head of ${each.name} says something else about its end`,
          expected: [each.field, each.noField && `nothing like ${each.noField}`]
            .filter(Boolean)
            .join(", and "),
          observed: quote(Buffer.from(lines, "latin1"), 600),
        });
      }
    }
  },
};
