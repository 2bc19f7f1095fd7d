import { formatAddress, type SocketAddress } from "expserver-course/linux";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Module, Owner, ServerConfig } from "../config/module.ts";
import { canonicalHost } from "../config/names.ts";
import type { Owned } from "../core/core.ts";
import type { Loop } from "../core/loop.ts";
import { listenOn } from "../network/socket.ts";
import { TcpServer } from "../network/tcp.ts";
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
    // TODO 8c: adopt a socket for each listener, with a Session for each of its connections. When one cannot be opened, close the others and
    // let the error go on. Own them only when all are there.
    todo(
      `8c: ${this.listeners.length} times ${open.name}, ${TcpServer.name}, ${Session.name}; then ${nameServer.name} ${this.#name}`,
    );
  }

  /** Closes the sockets with all connections, then everything that served them. Calling it again does nothing. */
  destroy(): void {
    for (const resource of [...this.#owned].reverse()) resource.destroy();
    this.#owned.clear();
  }
}

/** Makes the servers with their routes, and lets the modules set them up. */
function build(core: Owner, config: Config, modules: readonly Module[]): Listener[] {
  // TODO 8a: setUpMain of all modules; then for each server a VirtualServer and setUpServer of all, and for each of its routes a Route,
  // with setUpRoute of all. Key paths are `servers[0]` and `servers[0].routes[1]`. A ConfigError is kept and the rest goes on: at the end
  // all of them make one `config.invalid`.
  return todo(
    `8a: ${config.values.servers.length} servers by ${modules.length} modules for ${core}: ${[VirtualServer, Route, ConfigError, listenersOf].map(({ name }) => name)}`,
  );
}

/** The addresses, each with all servers that listen on it. */
function listenersOf(servers: readonly ServerConfig[], virtualServers: readonly VirtualServer[]): Listener[] {
  // TODO 8b: each address once (canonicalHost, formatAddress), in the order of the configuration, with a Site of all that share it.
  return todo(
    `8b: ${servers.length} servers, ${virtualServers.length} of them made: ${canonicalHost.name} ${formatAddress.name} ${Site.name}`,
  );
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
