import type { z } from "expserver-course/zod";
import type { Core } from "../core/core.ts";
import type { SessionPhases } from "../http/phases.ts";
import type { Route } from "../http/router.ts";

/** A route of the configuration as a module sees it: the keys that every route has, and those that modules add. */
export type RouteConfig = { req_path: string; type: string } & Record<string, unknown>;

/** Keys of an object of the configuration, with what their values have to be. */
export type Keys = z.ZodRawShape;

/** What a module gets to prepare a route. */
export type RouteSetup = {
  readonly core: Core;
  /** Checked values of this route. */
  readonly config: RouteConfig;
  /** Where the route stands in the configuration: `servers[0].routes[2]`. */
  readonly keyPath: string;
  /** The phases of this route, to register with. */
  readonly route: Route;
  /** A path of the configuration as an absolute one: relative ones are relative to the configuration's folder. */
  resolvePath(path: string): string;
};

/** What a module gets to prepare a server: a group of listeners and hostnames. */
export type ServerSetup = {
  readonly core: Core;
  /** Checked values of this server. */
  readonly config: Record<string, unknown>;
  readonly keyPath: string;
  /** The phases of all sessions of this server, to register with. */
  readonly phases: SessionPhases;
  resolvePath(path: string): string;
};

/**
 * A feature of the server. It brings the keys that it adds to the configuration, and registers for the phases of a
 * request. The configuration and the session know no feature by name: `modules.ts` lists those that there are.
 */
export interface Module {
  /** As it is called in messages. */
  readonly name: string;
  /** Keys that a server gets. */
  readonly serverKeys?: Keys;
  /** Keys that every route gets, whatever its type. */
  readonly routeKeys?: Keys;
  /** A type of route that this module answers, with the keys of that type. */
  readonly routeType?: { readonly type: string; readonly keys: Keys };
  setUpServer?(setup: ServerSetup): void;
  /** @throws {ConfigError} a value cannot be used, such as a folder that is missing */
  setUpRoute?(setup: RouteSetup): void;
}
