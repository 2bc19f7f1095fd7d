import { ConfigError } from "./config-error.ts";
import { canonicalHost } from "./names.ts";

/**
 * Values that are good one by one and not together: what would be opened twice, or never be reached. Looks at what was
 * written, so that these are told together with values that are wrong by themselves; those are passed over here.
 */
export function conflictsOf(configuration: unknown): ConfigError[] {
  const servers = list(configuration, "servers");
  return [
    ...servers.flatMap((server, index) => conflictsInServer(server, `servers[${index}]`)),
    ...conflictsOfAddresses(servers),
    ...conflictsOfNames(servers),
  ];
}

/** Things that a server says twice. */
function conflictsInServer(server: unknown, keyPath: string): ConfigError[] {
  // TODO 3a: listeners with the same address (addressOf), hostnames with the same name (nameOf), routes with the same req_path. Tell the
  // second by its key path, and name the first.
  return todo(
    `3a: what ${keyPath} says twice: ${[addressOf, nameOf, textOf].map(({ name }) => name)} of ${list(server, "listeners")}`,
  );
}

/** An address that stands for all of the machine's takes the port from each of them. */
function conflictsOfAddresses(servers: unknown[]): ConfigError[] {
  // TODO 3b: 0.0.0.0 (or ::) takes a port of all addresses of its family: no other host can have this port, in no server.
  return todo(
    `3b: ${servers.length} servers, ${isWildcard.name} ${isIPv6.name} ${hostOf.name} ${portOf.name}`,
  );
}

/** On one listener a name can be one server's only. */
function conflictsOfNames(servers: unknown[]): ConfigError[] {
  // TODO 3c: on one address (addressOf), a name belongs to one server; a server without names has the name "".
  return todo(`3c: names of ${servers.length} servers for ${ConfigError.name}`);
}

function list(value: unknown, key: string): unknown[] {
  const member = memberOf(value, key);
  return Array.isArray(member) ? member : [];
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function textOf(value: unknown, key: string): string | undefined {
  const member = memberOf(value, key);
  return typeof member === "string" ? member : undefined;
}

function nameOf(hostname: unknown): string | undefined {
  return typeof hostname === "string" ? hostname.toLowerCase() : undefined;
}

/** Addresses that are one and the same are one text: `0.0.0.0:80`, `[::1]:80`. */
function addressOf(listener: unknown): string | undefined {
  const [host, port] = [hostOf(listener), portOf(listener)];
  if (host === undefined || port === undefined) return undefined;
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function hostOf(listener: unknown): string | undefined {
  const host = textOf(listener, "host");
  return host === undefined ? undefined : canonicalHost(host);
}

function portOf(listener: unknown): number | undefined {
  const port = memberOf(listener, "port");
  return typeof port === "number" ? port : undefined;
}

function isIPv6(host: string): boolean {
  return host.includes(":");
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
