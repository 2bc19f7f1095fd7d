/** Origin servers of a check's own, behind a proxy. */
import type { CheckContext } from "../../engine/context.ts";
import { CheckFailure, describeBytes } from "../../engine/evidence.ts";
import { readChunks } from "../../engine/http-response.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";

/** A request as an origin got it. */
export type OriginRequest = {
  method: string;
  target: string;
  version: string;
  fields: [name: string, value: string][];
  body: Buffer;
  head: string;
  /** All values of a field. */
  values: (name: string) => string[];
};

/** Answers a request on its connection. */
export type Answer = (request: OriginRequest, peer: TcpPeer) => void | Promise<void>;

/** Answers every request by a text. */
export const hello: Answer = (request, peer) =>
  peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${request.method === "HEAD" ? "" : "hello"}`);

/** An origin that answers one request after the other on each connection, and keeps what it was asked. */
export class Origin {
  readonly port: number;
  readonly requests: OriginRequest[] = [];
  /** What came that was no request. */
  trouble: unknown;

  private constructor(port: number) {
    this.port = port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  static async listen(context: CheckContext, answer: Answer): Promise<Origin> {
    const serveConnection = async (peer: TcpPeer) => {
      for (;;) {
        const request = await readRequest(peer);
        if (request === undefined) break;
        origin.requests.push(request);
        await answer(request, peer);
      }
      peer.end();
    };
    const { port } = await context.listen({}, (peer) => {
      serveConnection(peer).catch((error) => {
        origin.trouble ??= error;
        peer.close();
      });
    });
    const origin = new Origin(port);
    return origin;
  }
}

/** Reads one request; `undefined` at the end of the stream. */
async function readRequest(peer: TcpPeer): Promise<OriginRequest | undefined> {
  const lines: string[] = [];
  const first = await peer.readLine(30_000);
  if (first.length === 0) return undefined;
  for (let line = first; ; line = await peer.readLine()) {
    const text = line.toString("latin1");
    lines.push(text);
    if (!text.endsWith("\r\n")) throw unreadable("does not end its lines by CR LF", lines);
    if (text === "\r\n") break;
  }
  const requestLine = /^(\S+) (\S+) (HTTP\/1\.[01])\r\n$/.exec(lines[0]!);
  if (requestLine === null) throw unreadable("has no good request line", lines);
  const fields = lines.slice(1, -1).map((line): [string, string] => {
    const field = /^([^\s:]+):[ \t]*(.*?)[ \t]*\r\n$/.exec(line);
    if (field === null) throw unreadable("has a line that is no field", lines);
    return [field[1]!, field[2]!];
  });
  const values = (name: string) =>
    fields.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  const [, method, target, version] = requestLine as unknown as [string, string, string, string];
  const length = values("Content-Length");
  const codings = values("Transfer-Encoding");
  if (length.length + codings.length > 1) throw unreadable("has more than one framing", lines);
  let body: Buffer = Buffer.alloc(0);
  if (codings.length > 0) {
    body = await readChunks(peer, `${method} ${target}`, undefined, lines);
  } else if (length.length > 0) {
    body = await peer.read(Number(length[0]), 20_000);
    if (body.length < Number(length[0])) throw unreadable("breaks off in its body", lines);
  }
  return { method, target, version, fields, body, head: lines.join(""), values };
}

function unreadable(problem: string, lines: string[]): CheckFailure {
  return new CheckFailure({
    summary: `the request that the program sent to its upstream ${problem}`,
    expected: "a request of HTTP/1.1",
    observed: describeBytes(Buffer.from(lines.join(""), "latin1")),
  });
}
