/** The server that most checks of this stage talk to, and clients that keep their connections. */
import type { CheckContext } from "../../engine/context.ts";
import { type HttpResponse, type ReadOptions, readResponse } from "../../engine/http-response.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { serve } from "../general/configured.ts";
import { type Answer, Origin } from "../general/origin.ts";

export type SiteOptions = {
  files?: Record<string, string | Uint8Array>;
  /** Whom /api is passed on to; without it there is no such route. */
  upstream?: string;
  /** More keys of the server. */
  server?: object;
  /** More keys of the route /api. */
  api?: object;
};

/** Starts a server with files at /, a redirect at /old, and perhaps a proxy at /api. Returns its port. */
export async function startSite(
  context: CheckContext,
  { files = { "public/index.html": "hello\n" }, upstream, server = {}, api = {} }: SiteOptions = {},
): Promise<number> {
  const routes: object[] = [
    { req_path: "/", type: "file_serve", dir_path: "public" },
    { req_path: "/old", type: "redirect", http_status_code: 301, redirect_url: "/new" },
  ];
  if (upstream !== undefined)
    routes.push({ req_path: "/api", type: "reverse_proxy", upstreams: [upstream], ...api });
  const { ports } = await serve(
    context,
    ([port]) => ({ servers: [{ listeners: [{ host: "127.0.0.1", port }], routes, ...server }] }),
    { files },
  );
  return ports[0]!;
}

/** The same before an origin of the check's own. */
export async function startProxy(
  context: CheckContext,
  answer: Answer,
  options: SiteOptions = {},
): Promise<{ port: number; origin: Origin }> {
  const origin = await Origin.listen(context, answer);
  return { origin, port: await startSite(context, { ...options, upstream: origin.address }) };
}

export type Sent = ReadOptions & { headers?: string[]; body?: string | Uint8Array; version?: string };

/** A request as bytes; without `Connection: close`. */
export function requestBytes(
  line: string,
  { headers = [], body = "", version = "HTTP/1.1" }: Sent = {},
): Buffer {
  const head = [`${line} ${version}`, "Host: localhost", ...headers].join("\r\n");
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, "latin1"), Buffer.from(body)]);
}

/** Sends a request on a connection that goes on, and reads the response. */
export async function exchange(client: TcpPeer, line: string, sent: Sent = {}): Promise<HttpResponse> {
  client.send(requestBytes(line, sent));
  return readResponse(client, { what: line, toHead: line.startsWith("HEAD "), ...sent });
}
