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
  let i = start;
  if (bytes[i] === openBracket && i < end) {
    i++;
    while (i < end && isHexColonOrDot(bytes[i]!)) i++;
    if (i === end || bytes[i] !== closeBracket || i - start < 3) return false;
    i++;
  } else {
    while (i < end && hostBytes[bytes[i]!] === 1) i++;
    if (i === start) return false;
  }
  if (i === end) return options.port !== "required";
  if (bytes[i] !== colon) return false;
  i++;
  if (i === end) return options.port !== "required"; // the port may be empty (RFC 3986 §3.2.3)
  let port = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = 10 * port + digit;
    if (port > 65535) return false;
  }
  return true;
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
