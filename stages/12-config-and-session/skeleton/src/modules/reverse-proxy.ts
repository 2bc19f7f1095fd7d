import { z } from "expserver-course/zod";
import type { Keys, Module, RouteSetup } from "../config/module.ts";
import { HopByHopFields } from "../http/hop-by-hop.ts";
import { ProxyExchange, type ProxyFeature, type ProxySettings } from "../http/proxy-exchange.ts";
import { parseUpstream } from "../http/upstream-address.ts";
import { type ConnectionsFactory, freshConnections } from "../http/upstream-connections.ts";

export type ReverseProxyOptions = {
  /** Where connections to upstreams come from: a new one for each exchange, if nothing is said. */
  connections?: ConnectionsFactory;
  /** What takes part in each exchange, in this order. */
  features?: readonly (ProxyFeature | ConfiguredProxyFeature)[];
};

/** A feature that has keys of its own in the routes of the proxy. */
export type ConfiguredProxyFeature = {
  readonly keys: Keys;
  /** Makes it as a route has it. */
  forRoute(setup: RouteSetup): ProxyFeature;
};

const upstream = z.string().transform((text, context) => {
  const address = parseUpstream(text);
  if (address !== undefined) return address;
  context.addIssue({ code: "custom", message: `"${text}" is not host:port, such as 127.0.0.1:3000` });
  return z.NEVER;
});

const keys = {
  upstreams: z
    .array(upstream)
    .min(1)
    .describe("Servers that requests are passed on to, as host:port, in turn."),
  upstream_timeouts: z
    .strictObject({
      connect_ms: z.int().positive().default(3000).describe("Until a connection is there."),
      read_ms: z
        .int()
        .positive()
        .default(30_000)
        .describe("Between two signs of life while a response is due."),
    })
    .prefault({})
    .describe("How long an upstream may take, in milliseconds."),
};

type Config = z.infer<z.ZodObject<typeof keys>>;

/** Routes that are answered by other servers (RFC 9110 §7.6). */
export function reverseProxy({
  connections = freshConnections,
  features: allFeatures = [],
}: ReverseProxyOptions = {}): Module {
  const moreKeys = allFeatures.map((feature) => ("forRoute" in feature ? feature.keys : {}));
  return {
    name: "reverse-proxy",
    routeType: { type: "reverse_proxy", keys: Object.assign({}, keys, ...moreKeys) },
    setUpRoute(setup) {
      const { core, config, route } = setup;
      if (config.type !== "reverse_proxy") return;
      const features = allFeatures.map((each) => ("forRoute" in each ? each.forRoute(setup) : each));
      const { upstreams, upstream_timeouts: timeouts } = config as unknown as Config;
      const settings: ProxySettings = {
        loop: core.loop,
        connections: core.own(connections(core.loop, timeouts.connect_ms)),
        features,
        droppedRequestFields: new HopByHopFields([
          "host", // written from what the parser takes for the host
          "expect", // a promise of ours to the client, and no matter of the upstream's
          ...features.flatMap(({ droppedRequestFields = [] }) => droppedRequestFields),
        ]),
        droppedResponseFields: new HopByHopFields([
          "server", // the response has its own
          "date",
          ...features.flatMap(({ droppedResponseFields = [] }) => droppedResponseFields),
        ]),
        readMs: timeouts.read_ms,
      };
      let next = 0;
      route.content = (request, response) => {
        const address = upstreams[next]!;
        next = (next + 1) % upstreams.length;
        new ProxyExchange(settings, address, request, response).start();
      };
    },
  };
}
