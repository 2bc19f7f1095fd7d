/** A program between clients of a check and a server of the check. */
import type { CheckContext, StartOptions } from "../../engine/context.ts";
import type { Program } from "../../engine/program.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import type { TcpListener } from "../../engine/tcp-listener.ts";
import { type IdleSituation, idleSituations } from "./idle.ts";
import { exchange, reversed } from "./lines.ts";
import type { Surroundings } from "./surroundings.ts";

/** The arguments, behind the ports, that tell a program where its upstream is: `127.0.0.1:3000`. */
export type UpstreamArguments = (address: string) => string[];

/** The program between a client of the check and a server of the check. */
export type Proxy = { server: Program; upstream: TcpListener };

/** The two ends that a proxy joins. */
export type Pair = { client: TcpPeer; upstream: TcpPeer };

/** The port on which the program expects its upstream; a program without arguments has its own idea. */
export function upstreamPort({ plan, freePort }: CheckContext): Promise<number> | number {
  return plan.program.ports === "fixed" ? 3000 : freePort();
}

/** Starts the program with an upstream whose connections the check speaks on by itself. */
export async function startProxy(context: CheckContext, upstreamArgs: UpstreamArguments): Promise<Proxy> {
  const upstream = await context.listen({ port: await upstreamPort(context) });
  const server = await context.start({ args: upstreamArgs(`127.0.0.1:${upstream.port}`) });
  return { server, upstream };
}

/** Connects a client and takes the connection that the program opens for it. */
export async function openPair(context: CheckContext, { server, upstream }: Proxy): Promise<Pair> {
  const client = await context.connect(server);
  return { client, upstream: await upstream.accept() };
}

/** Sends bytes at one end; they must arrive at the other end, and no others. */
export async function pass(
  from: TcpPeer,
  to: TcpPeer,
  bytes: string | Uint8Array,
  withinMs?: number,
): Promise<void> {
  from.send(bytes);
  await to.expect(bytes, { withinMs, what: `what ${from.name} sent` });
}

/** A line there and a line back. */
export async function talk({ client, upstream }: Pair, line: string): Promise<void> {
  await pass(client, upstream, line);
  await pass(upstream, client, reversed(line));
}

const keepOpen = Buffer.from("keep your end open when I have ended mine\n");
const endNow = Buffer.from("end your side now\n");

/** An upstream that reverses lines: with it behind, a proxy looks like a server that reverses lines. */
async function playUpstream(peer: TcpPeer): Promise<void> {
  let endsWithClient = true;
  for (;;) {
    const line = await peer.readLine(60_000);
    if (line.length === 0) break;
    peer.send(reversed(line));
    if (line.equals(keepOpen)) endsWithClient = false;
    if (line.equals(endNow)) peer.end();
  }
  if (endsWithClient) peer.end();
}

/** Gives the program such an upstream. */
export function reversingUpstream(upstreamArgs: UpstreamArguments): Surroundings {
  return async (context): Promise<StartOptions> => {
    const upstream = await context.listen({ port: await upstreamPort(context) }, (peer) => {
      void playUpstream(peer);
    });
    return { args: upstreamArgs(`127.0.0.1:${upstream.port}`) };
  };
}

/** What a proxy should sleep through, pairs of which one direction is over among it: its descriptor stays readable for ever. */
export const idlePairs: IdleSituation[] = [
  ...idleSituations,
  {
    when: "a client has ended sending and its upstream has not",
    async arrange({ connect }, server) {
      const client = await connect(server);
      await exchange(client, keepOpen);
      client.end();
    },
  },
  {
    when: "an upstream has ended sending and its client has not",
    async arrange({ connect }, server) {
      const client = await connect(server);
      await exchange(client, endNow);
    },
  },
];
