import type { Check } from "../checks.ts";
import { returnsDescriptors } from "./general/descriptors.ts";
import { endsOnSignal, restarts } from "./general/endings.ts";
import { sleepsWhenIdle } from "./general/idle.ts";
import { connectMany } from "./general/lines.ts";
import { idlePairs, reversingUpstream } from "./general/proxy.ts";
import { survivesBreaks, upstreamDown } from "./general/proxy-breaks.ts";
import { clientCloses, halfClose, upstreamCloses } from "./general/proxy-ends.ts";
import { relaysHttp } from "./general/proxy-http.ts";
import { keepsPairsApart, relays, relaysBothWays } from "./general/proxy-relaying.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";

/** The program is told its upstream by an argument behind the port. */
const upstreamArgs = (address: string) => [address];
/** An upstream that reverses lines behind it. */
const surroundings = reversingUpstream(upstreamArgs);
const byHand =
  "python3 -m http.server 3000 & npx expserver-course run tcp-proxy & curl -v http://127.0.0.1:8080/";

export const checks: Check[] = [
  builds("tcp-proxy"),
  announces(),
  relays(upstreamArgs, { byHand }),
  relaysBothWays(upstreamArgs),
  keepsPairsApart(upstreamArgs),
  relaysHttp(upstreamArgs, { byHand }),
  upstreamCloses(upstreamArgs),
  clientCloses(upstreamArgs),
  halfClose(upstreamArgs, {
    byHand: "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -N 127.0.0.1 8080   (with a web server on port 3000)",
  }),
  upstreamDown(upstreamArgs, { byHand: "curl -v http://127.0.0.1:8080/   (with nobody on port 3000)" }),
  returnsDescriptors(surroundings, {
    id: "thousand-connections",
    title: "1,000 connections in a row leave no descriptor open",
    after: ["relays"],
    why: "Each pair is two descriptors, and a process has a limited number of them (often 1,024). A proxy that forgets one of the two serves for an hour and then no more.",
  }),
  survivesBreaks(upstreamArgs),
  sleepsWhenIdle(surroundings, idlePairs, { after: ["relays"] }),
  portTaken(),
  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["8080", "127.0.0.1"], names: "127.0.0.1" },
    { args: ["8080", "127.0.0.1:99999"], names: "127.0.0.1:99999" },
    { args: ["8080", "nonsense"], names: "nonsense" },
    { args: ["8080", "127.0.0.1:3000", "surplus"], names: "surplus" },
  ]),
  endsOnSignal(
    [
      ({ start }, options) => start(options),
      async (context, options) => {
        const server = await context.start(options);
        await connectMany(context, server, 3);
        return server;
      },
    ],
    { after: ["relays"] },
    surroundings,
  ),
  restarts(surroundings, { after: ["relays"] }),
  onlySystemCalls(),
];
