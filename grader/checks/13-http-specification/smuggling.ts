/** Requests that two readers could understand differently. */
import { type Check, check } from "../../checks.ts";
import type { InvalidBody } from "../../corpora/http/body-case.ts";
import { invalidBodiesByTopic } from "../../corpora/http/chunked-invalid.ts";
import type { InvalidRequest } from "../../corpora/http/request-case.ts";
import { invalidFramings } from "../../corpora/http/requests-invalid-framing.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, quote } from "../../engine/evidence.ts";
import { readResponse } from "../../engine/http-response.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { ask, expectStatusOf } from "../general/configured.ts";
import { startSite } from "./site.ts";

/** What stands behind each hostile request: whoever reads a body too short takes it for the next one. */
const smuggled = "GET /api/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/** Requests at once: each has a connection, and the program is not flooded by hundreds. */
const together = 16;

/** An origin that keeps every byte and answers heads that end, without looking into them. */
async function recordingOrigin(context: CheckContext): Promise<{ address: string; peers: TcpPeer[] }> {
  const peers: TcpPeer[] = [];
  const { port } = await context.listen({}, (peer) => {
    peers.push(peer);
  });
  return { address: `127.0.0.1:${port}`, peers };
}

/** Sends what has to be refused, and fails unless it is, by 400 and an end. */
async function expectRefused(
  context: CheckContext,
  port: number,
  what: string,
  bytes: string,
  status: number | readonly number[],
): Promise<void> {
  const client = await context.connect({ port });
  client.send(Buffer.from(bytes + smuggled, "latin1"));
  const statuses = [status].flat();
  const response = await readResponse(client, { what });
  assert(statuses.includes(response.status), {
    summary: `${what} is answered by ${response.status}`,
    expected: `${statuses.join(" or ")}, and the end of the connection`,
    observed: quote(Buffer.from(response.head, "latin1"), 400),
  });
  await client.expectEnd({ reset: true, why: `after the answer to ${what}` });
  client.close();
}

async function inGroups<T>(all: readonly T[], run: (each: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += together) await Promise.all(all.slice(at, at + together).map(run));
}

/** The bytes that reached the origin. */
const recorded = (peers: TcpPeer[]) => Buffer.concat(peers.map((peer) => peer.unread()));

export const smuggling: Check[] = [
  check(
    "ambiguous-heads",
    {
      title: "refuses every head that leaves in doubt where the body ends, and passes nothing of it on",
      points: 3,
      after: ["keeps-connection"],
      why: "If the proxy sees the end of a request in one place and its upstream in another, the bytes between are a request that nobody has checked: it takes the next client's place, or its answer.",
      see: ["RFC 9112 §11.2", "docs/guides/request-smuggling.md"],
      byHand:
        "printf 'POST /api HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n' | nc -N 127.0.0.1 8001",
    },
    async (context) => {
      const { address, peers } = await recordingOrigin(context);
      const port = await startSite(context, { upstream: address });
      await inGroups<InvalidRequest>(invalidFramings, async ({ name, bytes, status }) => {
        const routed = bytes.replace(/^(\S+) \//, "$1 /api");
        await expectRefused(context, port, `a request with ${name}`, `${routed}0\r\n\r\n`, status);
      });
      const arrived = recorded(peers);
      assert(arrived.length === 0, {
        summary: "something of a request that was refused reached the upstream",
        expected: "not one byte",
        observed: quote(arrived, 600),
      });
      expectStatusOf(await ask(context, port, "GET /"), 200, "a good request after all of these");
    },
  ),
  check(
    "ambiguous-chunks",
    {
      title: "refuses malformed chunks, and passes nothing on that stands behind them",
      points: 3,
      after: ["ambiguous-heads"],
      why: "The head was good and may be with the upstream already. From the first wrong byte on nobody knows what is content: the request has to break, there as well as here.",
      see: ["RFC 9112 §7.1", "docs/guides/request-smuggling.md"],
    },
    async (context) => {
      const { address, peers } = await recordingOrigin(context);
      const port = await startSite(context, { upstream: address, server: { max_body_bytes: 1_000_000 } });
      const { sizes, overflows, lineEnds, contents, extensions, trailers } = invalidBodiesByTopic;
      const bodies: InvalidBody[] = [sizes, overflows, lineEnds, contents, extensions, trailers].flat();
      const head = "POST /api HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
      await inGroups(bodies, async ({ name, bytes, status }) => {
        await expectRefused(context, port, `a chunked body with ${name}`, head + bytes, status);
      });
      const ended = await context.waitFor(() => peers.every((peer) => peer.over), 5000);
      assert(ended, {
        summary: "the upstream waits for the rest of a request that was refused",
        expected: "the end of each connection on which a request broke off",
        observed: `${peers.filter((peer) => !peer.over).length} of ${peers.length} connections are open`,
      });
      for (const peer of peers) {
        const arrived = peer.unread();
        const isWhole = /\r\n\r\n([\s\S]*\r\n)?0\r\n\r\n/.test(arrived.toString("latin1"));
        assert(!arrived.includes("smuggled") && !isWhole, {
          summary: "the upstream got a whole request out of one that was refused, or what stood behind it",
          expected: "a head and perhaps the start of a body, without its end",
          observed: quote(arrived, 600),
        });
        await peer.readAll();
      }
      expectStatusOf(await ask(context, port, "GET /"), 200, "a good request after all of these");
    },
  ),
];
