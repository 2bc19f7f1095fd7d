import * as constants from "./socket-constants.ts";
import type { NameTable } from "./trace-format.ts";
import { flagSet, oneOf } from "./trace-format.ts";

/** The constants that start with a prefix, as a table for trace lines and messages. */
function startingWith(prefix: RegExp): NameTable {
  const entries: [string, number][] = [];
  for (const [name, value] of Object.entries(constants)) {
    if (prefix.test(name) && typeof value === "number") entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

/** AF_INET and its like. */
export const FAMILY_NAMES = startingWith(/^AF_/);
/** Flags of `recv` and `send`. */
export const MESSAGE_FLAGS = startingWith(/^MSG_/);
/** Arguments of `shutdown`. */
export const SHUTDOWN_NAMES = startingWith(/^SHUT_/);
/** What may be OR-ed into a socket's type. */
export const SOCKET_FLAGS: NameTable = {
  SOCK_NONBLOCK: constants.SOCK_NONBLOCK,
  SOCK_CLOEXEC: constants.SOCK_CLOEXEC,
};

const TYPE_NAMES: NameTable = { SOCK_STREAM: constants.SOCK_STREAM, SOCK_DGRAM: constants.SOCK_DGRAM };
const LEVEL_NAMES: NameTable = {
  SOL_SOCKET: constants.SOL_SOCKET,
  IPPROTO_TCP: constants.IPPROTO_TCP,
  IPPROTO_IPV6: constants.IPPROTO_IPV6,
};
const OPTION_NAMES: Record<number, NameTable> = {
  [constants.SOL_SOCKET]: startingWith(/^SO_/),
  [constants.IPPROTO_TCP]: startingWith(/^TCP_/),
  [constants.IPPROTO_IPV6]: startingWith(/^IPV6_/),
};

/** A socket's type with its flags: `SOCK_STREAM|SOCK_CLOEXEC`. */
export function typeName(type: number): string {
  const flags = type & ~0xf;
  const name = oneOf(type & 0xf, TYPE_NAMES);
  return flags === 0 ? name : `${name}|${flagSet(flags, SOCKET_FLAGS)}`;
}

/** A protocol: `IPPROTO_TCP`, or the number. */
export function protocolName(protocol: number): string {
  return oneOf(protocol, { IPPROTO_TCP: constants.IPPROTO_TCP });
}

/** The level of a socket option: `SOL_SOCKET`. */
export function levelName(level: number): string {
  return oneOf(level, LEVEL_NAMES);
}

/** A socket option: `SO_REUSEADDR`. */
export function optionName(level: number, option: number): string {
  return oneOf(option, OPTION_NAMES[level] ?? {});
}
