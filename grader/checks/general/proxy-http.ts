/** A real HTTP server behind a proxy, and real HTTP clients before it. */
import { createServer } from "node:http";
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, CheckFailure, count, describeBytes, renderDifference } from "../../engine/evidence.ts";
import { findTool } from "../../engine/tool.ts";
import { type UpstreamArguments, upstreamPort } from "./proxy.ts";
import type { Overrides } from "./surroundings.ts";

const MiB = 1024 * 1024;

/** A server behind the proxy that answers GET with a body and POST with the body it got. */
async function serveHttp(
  context: CheckContext,
  body: Uint8Array,
): Promise<{ port: number; close: () => void }> {
  const port = await upstreamPort(context);
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      request.pipe(response);
      return;
    }
    response.writeHead(200, { "content-length": body.length }).end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, resolve);
  });
  return {
    port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A request as one of the HTTP clients makes it: POST where there is something to send. */
type HttpClient = { name: string; request: (url: string, posted?: Uint8Array) => Promise<Buffer> };

/** undici: keeps its one connection for all its requests. */
async function undiciClient(context: CheckContext): Promise<HttpClient & { close: () => Promise<void> }> {
  const { Agent, request } = await import("undici");
  const { limitMs } = context.deadline(10_000);
  const dispatcher = new Agent({ connections: 1, headersTimeout: limitMs, bodyTimeout: limitMs });
  return {
    name: "undici",
    async request(url, posted) {
      const response = await request(url, {
        dispatcher,
        method: posted === undefined ? "GET" : "POST",
        body: posted,
      });
      return Buffer.from(await response.body.arrayBuffer());
    },
    close: () => dispatcher.destroy(),
  };
}

/** curl, as it is installed here. Settings of the user's own do not count. */
function curlClient(context: CheckContext): HttpClient | undefined {
  const curl = findTool("curl", context.plan.env.PATH);
  if (curl === undefined) return undefined;
  return {
    name: "curl",
    async request(url, input) {
      const post = input === undefined ? [] : ["--data-binary", "@-", "-H", "Expect:"];
      const { code, stdout, stderr } = await context.runTool(
        curl,
        ["-q", "--noproxy", "*", "-sS", ...post, url],
        { input },
      );
      if (code !== 0) throw new Error(stderr.trim() || "curl did not end in time");
      return stdout;
    },
  };
}

/** Fails unless a client gets this body through the proxy. */
async function expectBody(
  client: HttpClient,
  url: string,
  expected: Uint8Array,
  posted?: Uint8Array,
): Promise<void> {
  const what = `${client.name}: the answer to ${posted === undefined ? "GET" : "POST"} through the proxy`;
  const body = await client.request(url, posted).catch((error: Error) => {
    throw new CheckFailure({
      summary: `${what} did not come`,
      expected: `a body of ${count(expected.length, "byte")}`,
      observed: error.message,
    });
  });
  assert(body.equals(expected), {
    summary: `${what} is not the one of the server behind it`,
    expected: describeBytes(expected),
    observed: describeBytes(body),
    difference: renderDifference(expected, body),
  });
}

/** HTTP passes as it is. */
export function relaysHttp(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "http",
    {
      title: "puts an HTTP server behind itself",
      points: 2,
      after: ["relays"],
      why: "A proxy that relays bytes needs to know nothing of what they mean: any program that speaks over TCP can stand behind it, and its clients do not notice.",
      see: ["docs/guides/tcp-is-a-byte-stream.md"],
      ...overrides,
    },
    async (context) => {
      const { random, step } = context;
      const body = random.bytes(MiB);
      const posted = random.bytes(MiB / 4);
      const http = await serveHttp(context, body);
      const undici = await undiciClient(context);
      try {
        const server = await context.start({ args: upstreamArgs(`127.0.0.1:${http.port}`) });
        const url = `http://127.0.0.1:${server.port}/`;
        const curl = curlClient(context);
        if (curl === undefined) step("left out curl, which is not installed here");
        for (const client of curl === undefined ? [undici] : [undici, curl]) {
          for (let round = 0; round < 3; round++) {
            step(`${client.name} asked for the body of ${count(body.length, "byte")}`);
            await expectBody(client, url, body);
          }
          step(`${client.name} posted ${count(posted.length, "byte")}, which the server sends back`);
          await expectBody(client, url, posted, posted);
        }
      } finally {
        await undici.close();
        http.close();
      }
    },
  );
}
