import type { z } from "expserver-course/zod";
import type { Core } from "../core/core.ts";
import type { SessionPhases } from "../http/phases.ts";
import type { Route } from "../http/router.ts";

/** The whole configuration: the keys that it always has, and those that modules add. */
export type MainConfig = { server_name: string; servers: ServerConfig[] } & Record<string, unknown>;

/** A server of the configuration: a group of listeners, names and routes. */
export type ServerConfig = {
  listeners: ListenerConfig[];
  hostnames: string[];
  routes: RouteConfig[];
} & Record<string, unknown>;

/** Where a server listens. */
export type ListenerConfig = { host: string; port: number } & Record<string, unknown>;

/** A route of the configuration as a module sees it: the keys that every route has, and those that modules add. */
export type RouteConfig = { req_path: string; type: string } & Record<string, unknown>;

/** Keys of an object of the configuration, with what their values have to be. Each has a description (`.describe`). */
export type Keys = z.ZodRawShape;

/** Who runs what modules make: the loop, and an owner that destroys it when the configuration is given up. */
export type Owner = Pick<Core, "loop" | "own" | "disown">;

/** What a module gets to prepare what there is once. */
export type MainSetup = {
  readonly core: Owner;
  /** Checked values of the whole configuration. */
  readonly config: MainConfig;
  /** A path of the configuration as an absolute one: relative ones are relative to the configuration's folder. */
  resolvePath(path: string): string;
};

/** What a module gets to prepare a route. */
export type RouteSetup = {
  readonly core: Owner;
  /** Checked values of this route. */
  readonly config: RouteConfig;
  /** Where the route stands in the configuration: `servers[0].routes[2]`. */
  readonly keyPath: string;
  /** The phases of this route, to register with. */
  readonly route: Route;
  resolvePath(path: string): string;
};

/** What a module gets to prepare a server: a group of listeners and hostnames. */
export type ServerSetup = {
  readonly core: Owner;
  /** Checked values of this server. */
  readonly config: ServerConfig;
  readonly keyPath: string;
  /** The phases of all sessions of this server, to register with. */
  readonly phases: SessionPhases;
  resolvePath(path: string): string;
};

/**
 * A feature of the server. It brings the keys that it adds to the configuration, and registers for the phases of a
 * request. The configuration and the session know no feature by name: `modules.ts` lists those that there are. The modules
 * are asked in that order: `setUpMain` of all, then for each server `setUpServer` of all and for each of its routes `setUpRoute` of all.
 */
export interface Module {
  /** As it is called in messages. */
  readonly name: string;
  /** Keys that the configuration gets at its top. */
  readonly mainKeys?: Keys;
  /** Keys that a server gets. */
  readonly serverKeys?: Keys;
  /** Keys that a listener gets. */
  readonly listenerKeys?: Keys;
  /** Keys that every route gets, whatever its type. */
  readonly routeKeys?: Keys;
  /** A type of route that this module answers, with the keys of that type. */
  readonly routeType?: { readonly type: string; readonly keys: Keys };
  /** @throws {ConfigError} a value cannot be used, such as a folder that is missing; so do the other two */
  setUpMain?(setup: MainSetup): void;
  setUpServer?(setup: ServerSetup): void;
  setUpRoute?(setup: RouteSetup): void;
}
