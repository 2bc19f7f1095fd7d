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
  const twice = (key: string, names: (string | undefined)[], what: string, suffix = "") =>
    repetitions(names).map(
      ([index, first]) =>
        new ConfigError(
          `${keyPath}.${key}[${index}]${suffix}`,
          `has ${what} of ${key}[${first}] again; remove one of them`,
        ),
    );
  return [
    ...twice("listeners", list(server, "listeners").map(addressOf), "the address"),
    ...twice("hostnames", list(server, "hostnames").map(nameOf), "the name"),
    ...twice(
      "routes",
      list(server, "routes").map((route) => textOf(route, "req_path")),
      "the path",
      ".req_path",
    ),
  ];
}

/** An address that stands for all of the machine's takes the port from each of them. */
function conflictsOfAddresses(servers: unknown[]): ConfigError[] {
  const listeners = servers.flatMap((server, index) =>
    list(server, "listeners").map((listener, place) => ({
      keyPath: `servers[${index}].listeners[${place}]`,
      host: hostOf(listener),
      port: portOf(listener),
    })),
  );
  return listeners.flatMap(({ keyPath, host, port }) => {
    if (host === undefined || port === undefined || isWildcard(host)) return [];
    const all = listeners.find(
      (other) =>
        other.port === port &&
        other.host !== undefined &&
        isWildcard(other.host) &&
        isIPv6(other.host) === isIPv6(host),
    );
    if (all === undefined) return [];
    const problem = `${host} cannot be opened beside ${all.keyPath}, which takes port ${port} of all addresses; use another port, or the same address in both places`;
    return [new ConfigError(`${keyPath}.host`, problem)];
  });
}

/** On one listener a name can be one server's only. */
function conflictsOfNames(servers: unknown[]): ConfigError[] {
  const owners = new Map<string, number>();
  const errors = new Map<string, ConfigError>();
  for (const [index, server] of servers.entries()) {
    const hostnames = list(server, "hostnames");
    const names = hostnames.length === 0 ? [""] : hostnames.map(nameOf);
    for (const address of list(server, "listeners").map(addressOf)) {
      for (const [place, name] of names.entries()) {
        if (address === undefined || name === undefined) continue;
        const owner = owners.get(`${address} ${name}`) ?? index;
        owners.set(`${address} ${name}`, owner);
        if (owner === index) continue;
        const keyPath = name === "" ? `servers[${index}]` : `servers[${index}].hostnames[${place}]`;
        const taken = name === "" ? "every other name" : name;
        const remedy = name === "" ? "give one of them hostnames" : "remove it in one of them";
        errors.set(
          keyPath,
          new ConfigError(keyPath, `servers[${owner}] takes ${taken} on ${address} already; ${remedy}`),
        );
      }
    }
  }
  return [...errors.values()];
}

/** Where a value comes again, and where it came first. */
function repetitions(values: (string | undefined)[]): [index: number, first: number][] {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    return value === undefined || first === index ? [] : [[index, first]];
  });
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
