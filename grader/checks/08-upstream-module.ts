import { type Check, check } from "../checks.ts";
import { returnsDescriptors } from "./general/descriptors.ts";
import { endsCleanly, restarts } from "./general/endings.ts";
import { sleepsWhenIdle } from "./general/idle.ts";
import { framesLines, reversesLine } from "./general/line-server.ts";
import { idlePairs, reversingUpstream } from "./general/proxy.ts";
import { survivesBreaks, upstreamDown } from "./general/proxy-breaks.ts";
import { passesOnBreaks } from "./general/proxy-cuts.ts";
import { clientCloses, halfClose, upstreamCloses } from "./general/proxy-ends.ts";
import { relaysHttp } from "./general/proxy-http.ts";
import { keepsPairsApart, relays, relaysBothWays, servesPairsAtOnce } from "./general/proxy-relaying.ts";
import { holdsBackFastSide } from "./general/relay-memory.ts";
import {
  endsWhileConnecting,
  givesUpSilentUpstream,
  waitsForSlowUpstream,
} from "./general/silent-upstream.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";
import { resolvesNames, survivesUnknownName } from "./general/upstream-names.ts";

/** The program is told its upstream by an option. */
const upstreamArgs = (address: string) => ["--upstream", address];
/** An upstream that reverses lines behind it: then its first port does what the others do. */
const surroundings = reversingUpstream(upstreamArgs);
/** Clients talk to the second port and those behind it. */
const linePorts = async () => ({ talkTo: 1 });
const byHand =
  "python3 -m http.server 3000 & npx expserver-course run stage-08 & curl -v http://127.0.0.1:8001/";

export const checks: Check[] = [
  builds("stage-08"),
  announces(),
  reversesLine(linePorts, { title: "reverses a line on each port but the first" }),
  // What frames lines is the module of stage 5, which nothing here can have changed.
  ...framesLines(linePorts, { thorough: true }),
  relays(upstreamArgs, { byHand }),
  relaysBothWays(upstreamArgs),
  keepsPairsApart(upstreamArgs),
  servesPairsAtOnce(upstreamArgs),
  relaysHttp(upstreamArgs, { byHand }),
  upstreamCloses(upstreamArgs),
  clientCloses(upstreamArgs),
  halfClose(upstreamArgs),
  upstreamDown(upstreamArgs, { byHand: "curl -v http://127.0.0.1:8001/   (with nobody on port 3000)" }),
  survivesBreaks(upstreamArgs),
  passesOnBreaks(upstreamArgs),
  givesUpSilentUpstream(upstreamArgs),
  waitsForSlowUpstream(upstreamArgs),
  resolvesNames(upstreamArgs),
  survivesUnknownName(upstreamArgs),
  holdsBackFastSide("client", upstreamArgs, {
    byHand: "memory.mjs of the lesson (and watch VmRSS in /proc/PID/status)",
  }),
  holdsBackFastSide("upstream", upstreamArgs),
  returnsDescriptors(surroundings, {
    id: "thousand-connections",
    title: "1,000 connections in a row leave no descriptor open",
    after: ["relays"],
    why: "Each pair is two descriptors, and a process has a limited number of them (often 1,024). A proxy that forgets one of the two serves for an hour and then no more.",
  }),
  sleepsWhenIdle(surroundings, idlePairs, { after: ["relays"] }),
  check(
    "connect-cancel",
    {
      title: "UpstreamConnect: after cancel nothing is told, and nothing stays behind",
      points: 2,
      after: ["builds"],
      why: "Whoever asked for a connection may be gone before it comes. Told all the same, it would act on what does not exist any more; and a socket or a timer that is forgotten is kept for ever.",
      see: ["close(2)", "connect(2)"],
    },
    ({ probe }) => probe("cancel"),
  ),
  check(
    "connect-errors",
    {
      title: "UpstreamConnect: tells why there is no connection, once and later",
      points: 2,
      after: ["builds"],
      why: "Refused, timed out and unknown are three different things for the person who has to mend it: the code says which. And an answer that comes while the constructor still runs comes before its caller is ready for it.",
      see: ["connect(2)", "getsockopt(2)", "getaddrinfo(3)"],
    },
    ({ probe }) => probe("errors"),
  ),
  check(
    "connect-addresses",
    {
      title: "UpstreamConnect: tries the addresses of a name in their order, each with its own time",
      points: 2,
      after: ["builds"],
      why: "The resolver sorts addresses by how well they can be reached from here (RFC 6724). One that refuses or is silent is no reason to give up as long as there is another.",
      see: ["getaddrinfo(3)", "connect(2)"],
    },
    ({ probe }) => probe("addresses"),
  ),
  check(
    "relay-module",
    {
      title: "relay: joins any two connections, and lets go of both",
      points: 1,
      after: ["builds"],
      why: "The relay knows nothing of clients and upstreams: later stages join other connections by it, such as those that leave HTTP for another protocol.",
      see: ["docs/guides/half-close.md"],
    },
    ({ probe }) => probe("relay"),
  ),
  portTaken(),
  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["--upstream", "127.0.0.1"], names: "127.0.0.1" },
    { args: ["--upstream", "localhost:99999"], names: "localhost:99999" },
    { args: ["--upstream", "::1:3000"], names: "::1:3000" },
    { args: ["8001", "8002", "8003", "8004", "8005"], names: "8005" },
  ]),
  endsCleanly(surroundings, { after: ["relays"] }),
  endsWhileConnecting(upstreamArgs),
  restarts(surroundings, { after: ["relays"], thorough: true }),
  onlySystemCalls(),
];
