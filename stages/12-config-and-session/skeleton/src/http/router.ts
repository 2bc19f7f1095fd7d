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
    // TODO 5a: the path begins with the prefix, and there a segment ends: the path does, or a slash is next, or was last.
    return todo(`5a: whether ${path} is below ${this.prefix}`);
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
    // TODO 5b
    todo(`5b: ${route.prefix} beside ${this.#routes.length} others`);
  }

  /** The route of a path; `undefined` where there is none. */
  findRoute(path: string): Route | undefined {
    // TODO 5b: the one with the longest prefix, in whichever order they were added. This runs for each request: what can be done when a route is
    // added need not be done here.
    return todo(`5b: the route of ${path} among ${this.#routes.length}`);
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
    // TODO 5d: the exact name, else the longest wildcard: which one is looked for first? Else the fallback.
    return todo(
      `5d: the server of ${host} among ${this.#exact.size} names and ${this.#wildcards.size} wildcards`,
    );
  }
}

/** A host without its port, in lower case and without the dot that ends an absolute name. */
export function hostname(host: string): string {
  // TODO 5c: mind the colons of an IPv6 address.
  return todo(`5c: the name in ${host}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
