import { CheckFailure, count, describeBytes, quote } from "./evidence.ts";
import type { TcpPeer } from "./tcp-client.ts";

/** A response as it came. */
export type HttpResponse = {
  status: number;
  /** Names as they were sent, in this order. */
  fields: [name: string, value: string][];
  body: Buffer;
  /** Status line and fields as they were sent. */
  head: string;
  /** The value of a field, whatever the case of its name; several are joined by commas (RFC 9110 §5.3). */
  field: (name: string) => string | undefined;
};

export type ReadOptions = {
  /** What was asked, for texts: `GET /a`. */
  what?: string;
  /** It answers HEAD: there is no body, whatever the fields say. */
  toHead?: boolean;
  withinMs?: number;
};

/** Bytes of a line of a head at most. */
const longestLine = 64 * 1024;

/**
 * Reads one response (RFC 9112), and nothing behind it. Interim responses (1xx) are passed over.
 * @throws CheckFailure what came is no response, or not all of one
 */
export async function readResponse(peer: TcpPeer, options: ReadOptions = {}): Promise<HttpResponse> {
  const { what = "the request", withinMs } = options;
  const lines: string[] = [];
  const line = async (): Promise<string> => {
    const bytes = await peer.readLine(withinMs);
    lines.push(bytes.toString("latin1"));
    if (bytes.length === 0 || bytes.at(-1) !== 0x0a || bytes.length > longestLine) {
      fail(peer, `the response to ${what} ${lines.length === 1 ? "does not come" : "breaks off"}`, lines);
    }
    if (bytes.at(-2) !== 0x0d) fail(peer, `a line of the response to ${what} does not end in CR LF`, lines);
    return bytes.toString("latin1", 0, bytes.length - 2);
  };
  const statusLine = /^HTTP\/1\.[01] ([1-5]\d\d) .*$/.exec(await line());
  if (statusLine === null) fail(peer, `the answer to ${what} does not begin with a status line`, lines);
  const fields: HttpResponse["fields"] = [];
  for (let text = await line(); text !== ""; text = await line()) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(text);
    if (field === null)
      fail(peer, `a line of the response's head is no field: ${quote(Buffer.from(text))}`, lines);
    fields.push([field[1]!, field[2]!]);
  }
  const status = Number(statusLine[1]);
  const field = (name: string) => {
    const values = fields
      .filter(([each]) => each.toLowerCase() === name.toLowerCase())
      .map(([, value]) => value);
    return values.length === 0 ? undefined : values.join(", ");
  };
  if (status < 200 && status !== 101) return readResponse(peer, options);
  const hasBody = !options.toHead && status >= 200 && status !== 204 && status !== 304;
  const body = hasBody ? await readBody(peer, field, what, withinMs, lines) : Buffer.alloc(0);
  return { status, fields, body, head: lines.join(""), field };
}

async function readBody(
  peer: TcpPeer,
  field: HttpResponse["field"],
  what: string,
  withinMs: number | undefined,
  lines: string[],
): Promise<Buffer> {
  const announced = field("Content-Length");
  const coding = field("Transfer-Encoding");
  if (coding !== undefined && announced !== undefined)
    fail(peer, `the response to ${what} has both Content-Length and Transfer-Encoding`, lines);
  if (coding?.toLowerCase() === "chunked") return readChunks(peer, what, withinMs, lines);
  if (announced === undefined) {
    const body = await peer.readAll(withinMs);
    if (!peer.ended)
      fail(peer, `the response to ${what} says no length, and its connection does not end`, lines);
    return body;
  }
  if (!/^\d+$/.test(announced)) fail(peer, `the response to ${what} has no good Content-Length`, lines);
  const length = Number(announced);
  const body = await peer.read(length, withinMs);
  if (body.length < length) {
    fail(peer, `the body of the response to ${what} has ${count(body.length, "byte")} of ${length}`, lines);
  }
  return body;
}

/** Reads a chunked body to its end, trailers included. */
export async function readChunks(
  peer: TcpPeer,
  what: string,
  withinMs: number | undefined,
  lines: string[],
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const line = (await peer.readLine(withinMs)).toString("latin1");
    const size = /^([0-9A-Fa-f]{1,8})(?:[ \t]*;.*)?\r\n$/.exec(line);
    if (size === null)
      fail(peer, `the body of the response to ${what} has no good chunk: ${quote(Buffer.from(line))}`, lines);
    const length = Number.parseInt(size[1]!, 16);
    if (length === 0) break;
    const chunk = await peer.read(length + 2, withinMs);
    if (chunk.length < length + 2)
      fail(peer, `the body of the response to ${what} breaks off in a chunk`, lines);
    if (chunk.toString("latin1", length) !== "\r\n")
      fail(peer, `a chunk of the response to ${what} is longer or shorter than it says`, lines);
    chunks.push(chunk.subarray(0, length));
  }
  for (;;) {
    const trailer = (await peer.readLine(withinMs)).toString("latin1");
    if (trailer === "\r\n") break;
    if (!trailer.endsWith("\r\n"))
      fail(peer, `the body of the response to ${what} breaks off behind its last chunk`, lines);
  }
  return Buffer.concat(chunks);
}

function fail(peer: TcpPeer, summary: string, lines: string[]): never {
  const state = peer.broken ?? (peer.over ? "the connection is over" : "the connection is open");
  throw new CheckFailure({
    summary: `${peer.name}: ${summary}`,
    expected: "a whole response: a status line, fields, an empty line, and the body that they announce",
    observed: `${describeBytes(Buffer.from(lines.join(""), "latin1"))}; ${state}`,
  });
}
