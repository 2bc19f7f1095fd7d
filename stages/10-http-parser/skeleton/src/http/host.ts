import { hostBytes } from "./characters.ts";

const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * Whether the bytes from `start` to `end` are `uri-host [ ":" port ]` (RFC 9110 §7.2): a name or IPv4 address, or an
 * IPv6 address in brackets, and a port from 0 to 65535.
 * @param options.port with `required`, a port has to be there
 */
export function isHostAndPort(
  bytes: Uint8Array,
  start: number,
  end: number,
  options: { port?: "required" } = {},
): boolean {
  // TODO 5a: an address in brackets, or a name of hostBytes that is not empty; then perhaps a colon and a port. The port
  // may be empty unless it is required, has only digits, and is no more than 65535.
  todo(
    `5a: ${hostBytes.length} ${openBracket} ${closeBracket} ${colon} ${bytes[start]} to ${end} ${options.port} ${isHexColonOrDot}`,
  );
}

/** What an IPv6 address is written with. */
function isHexColonOrDot(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x3a) ||
    (byte >= 0x41 && byte <= 0x46) ||
    (byte >= 0x61 && byte <= 0x66) ||
    byte === 0x2e
  );
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
