import { z } from "expserver-course/zod";
import { FieldName, type Fields } from "../http/fields.ts";
import type { ProxyFeature } from "../http/proxy-exchange.ts";
import type { Request } from "../http/request.ts";
import { IpNetworks, isNetwork } from "../network/ip-networks.ts";
import type { TcpConnection } from "../network/tcp.ts";
import type { ConfiguredProxyFeature } from "./reverse-proxy.ts";

/** How this proxy calls itself in Via and Proxy-Status. */
const pseudonym = "eXpServer";

/** By the minor version of HTTP in which a message came. */
const via = [`1.0 ${pseudonym}`, `1.1 ${pseudonym}`];

const forwardedFor = new FieldName("x-forwarded-for");
const forwardedProto = new FieldName("x-forwarded-proto");
const forwardedHost = new FieldName("x-forwarded-host");
const forwarded = new FieldName("forwarded");
/** Upstreams believe these too. They are not made here, and pass from trusted proxies only. */
const alsoBelieved = ["x-forwarded-port", "x-forwarded-server", "x-real-ip"].map(
  (text) => new FieldName(text),
);
const believed = [forwardedFor, forwardedProto, forwardedHost, forwarded, ...alsoBelieved];

const keys = {
  trusted_proxies: z
    .array(z.string().refine(isNetwork, "has to be an IP address or a network, such as 10.0.0.0/8"))
    .default([])
    .describe("Proxies in front of this server: what they say about their clients is passed on."),
};

/**
 * Tells the upstream who asks: X-Forwarded-For, -Proto and -Host, Forwarded (RFC 7239), and Via both ways (RFC 9110 §7.6.3). What a client
 * itself says in these fields is a claim that anybody could make, and is dropped unless the client is one of `trusted_proxies`.
 * The client hears by Proxy-Status (RFC 9209) why there is no response.
 */
export function forwarding(): ConfiguredProxyFeature {
  return {
    keys,
    forRoute({ config }): ProxyFeature {
      const trusted = new IpNetworks(config.trusted_proxies as string[]);
      // The route's own: another one may trust the same client.
      const lastSaid = new WeakMap<TcpConnection, Said>();
      return {
        droppedRequestFields: believed.map(({ text }) => text),
        writeRequestFields: (request, head) => head.text(fieldsFor(request, trusted, lastSaid)),
        onResponse: (_request, response, { minorVersion }) => {
          response.fields.add("Via", via[minorVersion]!);
        },
        onFailure: (_request, response, code) => {
          response.fields.set("Proxy-Status", `${pseudonym}; error=${errorType(code)}`);
        },
      };
    },
  };
}

/** What was last said of the requests of a connection: all of them come from one client, and almost always for one host. */
type Said = { host: string | undefined; minorVersion: number; text: string };

/** All fields about a request, each with its line end. */
function fieldsFor(request: Request, trusted: IpNetworks, lastSaid: WeakMap<TcpConnection, Said>): string {
  const { connection } = request;
  const { host, minorVersion } = request.head;
  const last = lastSaid.get(connection);
  if (last !== undefined && last.host === host && last.minorVersion === minorVersion) return last.text;
  if (trusted.has(connection.peer.host)) return relayedFields(request);
  const text = ownFields(request);
  lastSaid.set(connection, { host, minorVersion, text });
  return text;
}

/** Who the client is, as far as we see it. */
function seen({ head, connection }: Request) {
  const client = plainAddress(connection.peer.host);
  const proto = connection.transport.tls === null ? "http" : "https";
  return { client, proto, element: forwardedElement(client, head.host, proto) };
}

function ownFields(request: Request): string {
  const { host, minorVersion } = request.head;
  const { client, proto, element } = seen(request);
  const hostField = host === undefined ? "" : `X-Forwarded-Host: ${host}\r\n`;
  return `X-Forwarded-For: ${client}\r\nX-Forwarded-Proto: ${proto}\r\n${hostField}Forwarded: ${element}\r\nVia: ${via[minorVersion]}\r\n`;
}

/** What a proxy says of its client, and we of that proxy. */
function relayedFields(request: Request): string {
  const { fields, host, minorVersion } = request.head;
  const { client, proto, element } = seen(request);
  let text = `X-Forwarded-For: ${listWith(fields.get(forwardedFor), client)}\r\n`;
  text += `X-Forwarded-Proto: ${fields.get(forwardedProto) ?? proto}\r\n`;
  const hostValue = fields.get(forwardedHost) ?? host;
  if (hostValue !== undefined) text += `X-Forwarded-Host: ${hostValue}\r\n`;
  text += `Forwarded: ${listWith(fields.get(forwarded), element)}\r\n`;
  for (const name of alsoBelieved) text += passed(fields, name);
  return `${text}Via: ${via[minorVersion]}\r\n`;
}

/** A list with one more element behind the others. */
function listWith(list: string | undefined, element: string): string {
  return list === undefined || list === "" ? element : `${list}, ${element}`;
}

function passed(fields: Fields, name: FieldName): string {
  const index = fields.indexOf(name);
  return index === -1 ? "" : `${fields.name(index)}: ${fields.value(index)}\r\n`;
}

/** An IPv4 address as such, also where a socket of IPv6 has it: `::ffff:192.0.2.1`. */
function plainAddress(host: string): string {
  return host.startsWith("::ffff:") && host.includes(".") ? host.slice(7) : host;
}

/** What RFC 7239 §4 says of one client. Whatever is no token stands in quotes; a host has none within. */
function forwardedElement(client: string, host: string | undefined, proto: string): string {
  const node = client.includes(":") ? `"[${client}]"` : client;
  const hostPair = host === undefined ? "" : `;host=${/^[\w.-]+$/.test(host) ? host : `"${host}"`}`;
  return `for=${node}${hostPair};proto=${proto}`;
}

/** The type of an error as RFC 9209 §2.3 calls it, by that name already or by that of a system call's error. */
function errorType(code: string): string {
  if (code === code.toLowerCase()) return code;
  return errorTypes[code] ?? "destination_unavailable";
}

const errorTypes: Record<string, string> = {
  ECONNREFUSED: "connection_refused",
  ETIMEDOUT: "connection_timeout",
  ECONNRESET: "connection_terminated",
  ENOTFOUND: "dns_error",
  EAI_AGAIN: "dns_error",
  EHOSTUNREACH: "destination_ip_unroutable",
  ENETUNREACH: "destination_ip_unroutable",
};
