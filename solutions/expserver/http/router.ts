import type { AccessHandler } from "./phases.ts";
import { SessionPhases } from "./phases.ts";
import type { ContentHandler, ResponseFilter } from "./response.ts";

/** What is done with the requests of a part of the paths. Features add to its lists. */
export class Route {
  /** Takes this path and all that lie below it. */
  readonly prefix: string;
  /** Who may refuse a request, asked in this order. */
  readonly access: AccessHandler[] = [];
  /** Who answers. */
  content: ContentHandler = (_request, response) => response.sendError(404);
  /** Who changes the response, in this order. */
  readonly filters: ResponseFilter[] = [];

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Whether a path is this route's: the prefix ends where a segment ends. */
  matches(path: string): boolean {
    const { prefix } = this;
    if (!path.startsWith(prefix)) return false;
    return path.length === prefix.length || prefix.endsWith("/") || path.charCodeAt(prefix.length) === 0x2f;
  }
}

/** One server of the configuration: routes under certain hostnames. */
export class VirtualServer {
  /** In lower case; `*.example.org` means every name below. With none, the server takes every name. */
  readonly hostnames: readonly string[];
  readonly phases = new SessionPhases();
  readonly #routes: Route[] = [];

  constructor(hostnames: readonly string[]) {
    this.hostnames = hostnames.map((name) => name.toLowerCase());
  }

  /** Adds a route. The longest prefix that matches a path has it, in whichever order they were added. */
  addRoute(route: Route): void {
    this.#routes.push(route);
    this.#routes.sort((one, other) => other.prefix.length - one.prefix.length);
  }

  /** The route of a path; `undefined` where there is none. */
  findRoute(path: string): Route | undefined {
    for (const route of this.#routes) {
      if (route.matches(path)) return route;
    }
    return undefined;
  }
}

/** The servers that share a listener: the Host field tells which of them is meant. */
export class Site {
  readonly #exact = new Map<string, VirtualServer>();
  /** Wildcards by what follows the asterisk: `.example.org`. */
  readonly #wildcards = new Map<string, VirtualServer>();
  /** Who takes a name that is nobody's: the first server without hostnames, else the first of all. */
  readonly fallback: VirtualServer;

  /** @param servers in the order of the configuration; at least one. Of two with the same name the first has it. */
  constructor(servers: readonly VirtualServer[]) {
    this.fallback = servers.find(({ hostnames }) => hostnames.length === 0) ?? servers[0]!;
    for (const server of servers) {
      for (const name of server.hostnames) {
        const [map, key] = name.startsWith("*.") ? [this.#wildcards, name.slice(1)] : [this.#exact, name];
        if (!map.has(key)) map.set(key, server);
      }
    }
  }

  /**
   * The server for a host: its exact name, else the longest wildcard, else the fallback.
   * @param host as the request has it, also with a port
   */
  findServer(host: string | undefined): VirtualServer {
    if (host === undefined || (this.#exact.size === 0 && this.#wildcards.size === 0)) return this.fallback;
    const name = hostname(host);
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {
      const server = this.#wildcards.get(name.slice(dot));
      if (server !== undefined) return server;
    }
    return this.fallback;
  }
}

/** A host without its port, in lower case and without the dot that ends an absolute name. */
export function hostname(host: string): string {
  const bracket = host.lastIndexOf("]");
  const colon = host.indexOf(":", bracket + 1);
  const name = (colon === -1 ? host : host.slice(0, colon)).toLowerCase();
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
