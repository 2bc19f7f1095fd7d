import { formatAddress, type SocketAddress } from "expserver-course/linux";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Module, Owner, RouteConfig, ServerConfig } from "../config/module.ts";
import { canonicalHost } from "../config/names.ts";
import type { Owned } from "../core/core.ts";
import type { Loop } from "../core/loop.ts";
import { listenOn } from "../network/socket.ts";
import { type TcpConnection, TcpServer } from "../network/tcp.ts";
import { nameServer } from "./response.ts";
import { Route, Site, VirtualServer } from "./router.ts";
import { Session } from "./session.ts";

/** An address to listen on, and who is asked for there. */
type Listener = { readonly address: SocketAddress; readonly site: Site };

/**
 * What a configuration describes, in two steps: the constructor makes everything that can go wrong without opening a socket,
 * {@link listen} opens the sockets. So a configuration can be tried without a trace, and another one be complete before it
 * takes the place of this one.
 */
export class HttpServer implements Owned, Owner {
  readonly loop: Loop;
  /** Each address once, in the order of the configuration. */
  readonly listeners: readonly Listener[];
  readonly #name: string;
  /** What modules made for this configuration, in the order of making. */
  readonly #owned = new Set<Owned>();

  /** @throws {InvalidConfig} with everything that modules cannot use; nothing stays open then */
  constructor(loop: Loop, config: Config, modules: readonly Module[]) {
    this.loop = loop;
    this.#name = config.values.server_name;
    try {
      this.listeners = build(this, config, modules);
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  own<T extends Owned>(resource: T): T {
    this.#owned.add(resource);
    return resource;
  }

  disown(resource: Owned): void {
    this.#owned.delete(resource);
  }

  /**
   * Listens on all addresses, or on none.
   * @param open gives the listening socket for an address: a new one, or one that was inherited
   * @throws {SystemCallError} EADDRINUSE, EACCES, …; nothing listens then
   */
  listen(open: (address: SocketAddress) => number = listenOn): void {
    const opened: TcpServer[] = [];
    try {
      for (const { address, site } of this.listeners) {
        const welcome = (connection: TcpConnection) => void new Session(connection, site);
        opened.push(TcpServer.adopt(this.loop, open(address), welcome));
      }
    } catch (error) {
      for (const server of opened) server.destroy();
      throw error;
    }
    for (const server of opened) this.own(server);
    nameServer(this.#name);
  }

  /** Closes the sockets with all connections, then everything that served them. Calling it again does nothing. */
  destroy(): void {
    for (const resource of [...this.#owned].reverse()) resource.destroy();
    this.#owned.clear();
  }
}

/** Makes the servers with their routes, and lets the modules set them up. */
function build(core: Owner, config: Config, modules: readonly Module[]): Listener[] {
  const errors: ConfigError[] = [];
  const attempt = (setUp: () => void): void => {
    try {
      setUp();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      errors.push(error); // the others may have something to say too
    }
  };
  const resolvePath = (path: string) => config.resolvePath(path);
  const { servers } = config.values;

  for (const module of modules)
    attempt(() => module.setUpMain?.({ core, config: config.values, resolvePath }));
  const virtualServers = servers.map((values, index) => buildServer(values, `servers[${index}]`));
  if (errors.length > 0) throw config.invalid(errors);
  return listenersOf(servers, virtualServers);

  function buildServer(values: ServerConfig, keyPath: string): VirtualServer {
    const server = new VirtualServer(values.hostnames);
    const { phases } = server;
    for (const module of modules) {
      attempt(() => module.setUpServer?.({ core, config: values, keyPath, phases, resolvePath }));
    }
    for (const [index, route] of values.routes.entries()) {
      server.addRoute(buildRoute(route, `${keyPath}.routes[${index}]`));
    }
    return server;
  }

  function buildRoute(values: RouteConfig, keyPath: string): Route {
    const route = new Route(values.req_path);
    for (const module of modules) {
      attempt(() => module.setUpRoute?.({ core, config: values, keyPath, route, resolvePath }));
    }
    return route;
  }
}

/** The addresses, each with all servers that listen on it. */
function listenersOf(servers: readonly ServerConfig[], virtualServers: readonly VirtualServer[]): Listener[] {
  const shared = new Map<string, { address: SocketAddress; servers: VirtualServer[] }>();
  for (const [index, { listeners }] of servers.entries()) {
    for (const { host, port } of listeners) {
      const address = { host: canonicalHost(host), port };
      const listener = shared.get(formatAddress(address)) ?? { address, servers: [] as VirtualServer[] };
      listener.servers.push(virtualServers[index]!);
      shared.set(formatAddress(address), listener);
    }
  }
  return [...shared.values()].map(({ address, servers: sharing }) => ({ address, site: new Site(sharing) }));
}
