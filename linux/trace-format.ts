import type { SocketAddress } from "./socket-address.ts";

/** Bytes of a buffer that a trace line shows, as strace's default. */
const SHOWN_BYTES = 32;

const ESCAPES: Record<number, string> = {
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

/**
 * Bytes as a C string, cut after 32: `"GET / HTTP/1.1\r\n"`, `"\0\1\377"`, `"aaaa…"...`.
 * @param length how many bytes of the buffer count; what a failed call left in it is not shown
 */
export function quoted(buffer: Uint8Array, length: number): string {
  const shown = Math.min(length, SHOWN_BYTES);
  let text = "";
  for (let index = 0; index < shown; index++) {
    const byte = buffer[index]!;
    if (byte in ESCAPES) text += ESCAPES[byte];
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else {
      // Octal digits must not run into a digit that follows: "\0" and "1" is written \0001.
      const next = index + 1 < shown ? buffer[index + 1]! : 0;
      const width = next >= 48 && next <= 57 ? 3 : 1;
      text += `\\${byte.toString(8).padStart(width, "0")}`;
    }
  }
  return `"${text}"${length > SHOWN_BYTES ? "..." : ""}`;
}

const encoder = new TextEncoder();

/** A path or name as a C string; paths are shown whole. */
export function quotedText(text: string): string {
  const bytes = encoder.encode(text);
  let whole = "";
  for (let index = 0; index < bytes.length; index += SHOWN_BYTES) {
    const part = bytes.subarray(index, index + SHOWN_BYTES);
    whole += quoted(part, part.length).slice(1, -1);
  }
  return `"${whole}"`;
}

/** What a call received: the bytes, or for a failed call an empty place. */
export function received(result: number | undefined, buffer: Uint8Array): string {
  return result !== undefined && result >= 0 ? quoted(buffer, result) : "...";
}

/** Names by value, for arguments that are one of several. */
export type NameTable = Readonly<Record<string, number>>;

/** The name of a value, or the value itself in decimal: `AF_INET`. */
export function oneOf(value: number, names: NameTable): string {
  for (const name in names) if (names[name] === value) return name;
  return String(value);
}

/**
 * Names of the bits that are set, the rest in hexadecimal: `EPOLLIN|EPOLLET`, `0`, `O_CLOEXEC|0x40000000`.
 * @param names none of them 0, in the order in which they are to be shown; a name with several bits stands before
 * its parts
 */
export function flagSet(value: number, names: NameTable): string {
  let rest = value >>> 0;
  const shown: string[] = [];
  for (const name in names) {
    const bits = names[name]! >>> 0;
    if ((rest & bits) >>> 0 === bits) {
      shown.push(name);
      rest = (rest & ~bits) >>> 0;
    }
  }
  if (rest !== 0) shown.push(`0x${rest.toString(16)}`);
  return shown.length === 0 ? "0" : shown.join("|");
}

/** An address as strace writes it: `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}`. */
export function addressText(address: SocketAddress): string {
  const { host, port } = address;
  if (!host.includes(":")) {
    return `{sa_family=AF_INET, sin_port=htons(${port}), sin_addr=inet_addr("${host}")}`;
  }
  const scope = address.scopeId ? `, sin6_scope_id=${address.scopeId}` : "";
  return `{sa_family=AF_INET6, sin6_port=htons(${port}), sin6_addr=inet_pton("${host}")${scope}}`;
}
