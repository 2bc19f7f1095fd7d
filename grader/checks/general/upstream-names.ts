/** Upstreams that are given by a name. */
import { lookup } from "node:dns/promises";
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { CheckFailure } from "../../engine/evidence.ts";
import type { TcpListener } from "../../engine/tcp-listener.ts";
import { expectNoStackTrace } from "./endings.ts";
import { exchange } from "./lines.ts";
import { openPair, talk, type UpstreamArguments, upstreamPort } from "./proxy.ts";
import type { Overrides } from "./surroundings.ts";

/** A name that nobody can have (RFC 6761 §6.4). */
const unknownName = "no-such-host.invalid";

/** Listens on one address and nowhere else; `undefined` where this machine does not have it. */
async function listenOnly(
  context: CheckContext,
  host: string,
  port: number,
): Promise<TcpListener | undefined> {
  try {
    return await context.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EADDRNOTAVAIL" && code !== "EAFNOSUPPORT") throw error;
    context.step(`left out ${host}, which this machine does not have`);
    return undefined;
  }
}

/** `localhost` is looked up, and each of its addresses is tried; an address in brackets is IPv6. */
export function resolvesNames(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "names",
    {
      title: "finds an upstream by its name, on whichever of its addresses it is",
      points: 3,
      after: ["relays"],
      why: "A name may have several addresses, and a server need not listen on all of them: localhost is often ::1 first, while the server behind it listens on 127.0.0.1 only. Who tries one address alone says “connection refused” where a browser connects.",
      see: ["getaddrinfo(3)", "connect(2)"],
      byHand: "npx expserver-course run stage-08 --upstream localhost:3000",
      ...overrides,
    },
    async (context) => {
      if (context.plan.program.ports === "fixed") context.skip("the program takes no arguments");
      const port = await upstreamPort(context);
      const named = await context.start({ args: upstreamArgs(`localhost:${port}`) });
      const numeric = await context.start({ args: upstreamArgs(`[::1]:${port}`) });
      const found = await lookup("localhost", { all: true });
      for (const [server, host] of [
        ...found.map(({ address }) => [named, address] as const),
        [numeric, "::1"] as const,
      ]) {
        const upstream = await listenOnly(context, host, port);
        if (upstream === undefined) continue;
        const pair = await openPair(context, { server, upstream });
        await talk(pair, `there is an upstream on ${host} only\n`);
        await upstream.stop();
      }
    },
  );
}

/** A name that does not exist turns the client away, and nobody else. */
export function survivesUnknownName(upstreamArgs: UpstreamArguments, overrides: Overrides = {}): Check {
  return check(
    "unknown-name",
    {
      title: "closes the client when the upstream's name is unknown, and lives on",
      points: 1,
      after: ["relays", "reverse-line"],
      why: "A name server that is away for a minute must not end a proxy. And the error comes in a callback of Node's, where nobody catches what is thrown.",
      see: ["getaddrinfo(3)"],
      byHand: `npx expserver-course run stage-08 --upstream ${unknownName}:3000`,
      ...overrides,
    },
    async (context) => {
      if (context.plan.program.ports === "fixed") context.skip("the program takes no arguments");
      const server = await context.start({
        args: upstreamArgs(`${unknownName}:3000`),
        env: { RES_OPTIONS: "timeout:1 attempts:1" }, // name servers that are away are not waited for
      });
      for (let turn = 0; turn < 2; turn++) {
        const client = await context.connect(server);
        try {
          await client.expectEnd({
            withinMs: 15_000,
            reset: true,
            why: `although ${unknownName} has no address`,
          });
        } catch (error) {
          const known = error instanceof CheckFailure && (await lookup(unknownName).catch(() => undefined));
          if (known) context.skip(`the name server here says that ${unknownName} is ${known.address}`);
          throw error;
        }
        client.close();
        await exchange(await context.connect({ port: server.ports[1]! }), "still here\n");
      }
      expectNoStackTrace(server);
    },
  );
}
