import { SockaddrStorage } from "expserver-course/linux";

const storage = new SockaddrStorage();
/** Where the address lies in the structure (`man 7 ip`, `man 7 ipv6`). */
const ipv4 = storage.bytes.subarray(4, 8);
const ipv6 = storage.bytes.subarray(8, 24);
/** IPv4 addresses as a socket of IPv6 has them begin with these bytes: `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
const mappedPrefix = Buffer.from("00000000000000000000ffff", "hex");

/**
 * The 4 or 16 bytes of a numeric address. An IPv4 address that is mapped into IPv6 is that IPv4 address.
 * @returns `undefined` for anything else
 */
export function addressBytes(text: string): Buffer | undefined {
  try {
    storage.set({ host: text, port: 0 });
  } catch {
    return undefined;
  }
  if (!text.includes(":")) return Buffer.from(ipv4);
  const isMapped = mappedPrefix.equals(ipv6.subarray(0, mappedPrefix.length));
  return Buffer.from(isMapped ? ipv6.subarray(mappedPrefix.length) : ipv6);
}

/** A range of addresses: those that have their first bits in common with one of them. */
type Network = { bytes: Buffer; bits: number };

/**
 * Reads an address, or a network as `10.0.0.0/8` (RFC 4632 §3.1). Bits behind the prefix do not matter.
 * @returns `undefined` for anything else
 */
function parseNetwork(text: string): Network | undefined {
  const [, host = "", prefix] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const bytes = addressBytes(host);
  if (bytes === undefined) return undefined;
  // A prefix of a mapped address counts its 96 bits too.
  const mappedBits = bytes.length === 4 && host.includes(":") ? 96 : 0;
  const bits = prefix === undefined ? 8 * bytes.length : Number(prefix) - mappedBits;
  return bits < 0 || bits > 8 * bytes.length ? undefined : { bytes, bits };
}

/** Whether a text is an address or a network. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

/** The first bits of an address as a key: the others become 0. Bytes are characters. */
function prefixKey(bytes: Buffer, bits: number): string {
  const whole = bits >> 3;
  if (bits % 8 === 0) return bytes.toString("latin1", 0, whole);
  return bytes.toString("latin1", 0, whole) + String.fromCharCode(bytes[whole]! & (0xff00 >> (bits % 8)));
}

/**
 * A set of addresses and networks, IPv4 and IPv6. A question costs one look for each length of prefix that there is,
 * of which even long lists have few, and not one for each entry.
 */
export class IpNetworks {
  /** For 4 and for 16 bytes: the keys of the networks, by the length of their prefixes. */
  readonly #prefixes = { 4: new Map<number, Set<string>>(), 16: new Map<number, Set<string>>() };

  /**
   * @param entries as `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`
   * @throws {TypeError} one of them is something else
   */
  constructor(entries: Iterable<string>) {
    for (const entry of entries) {
      const network = parseNetwork(entry);
      if (network === undefined) throw new TypeError(`"${entry}" is neither an IP address nor a network`);
      const byLength = this.#prefixes[network.bytes.length as 4 | 16];
      let keys = byLength.get(network.bits);
      if (keys === undefined) {
        keys = new Set();
        byLength.set(network.bits, keys);
      }
      keys.add(prefixKey(network.bytes, network.bits));
    }
  }

  /** Whether an address is one of these, or in one of these networks. What is no address is in none. */
  has(address: string): boolean {
    if (this.#prefixes[4].size === 0 && this.#prefixes[16].size === 0) return false;
    const bytes = addressBytes(address);
    if (bytes === undefined) return false;
    for (const [bits, keys] of this.#prefixes[bytes.length as 4 | 16]) {
      if (keys.has(prefixKey(bytes, bits))) return true;
    }
    return false;
  }
}
