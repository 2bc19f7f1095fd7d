import { libcFunction } from "./libc.ts";
import { AF_INET, AF_INET6 } from "./socket-constants.ts";

/** One end of a connection. */
export type SocketAddress = {
  /** Follows from the host and is filled in by the calls that return an address. */
  family?: "IPv4" | "IPv6";
  /** A numeric address, `127.0.0.1` or `::1`; names are resolved elsewhere. */
  host: string;
  /** 0 to 65535; 0 lets the kernel choose a free port. */
  port: number;
  /** IPv6 only: the number of the network interface that a link-local address (`fe80::…`) belongs to. */
  scopeId?: number;
  /** IPv6 only: the 20-bit flow label with the traffic class, usually 0. */
  flowInfo?: number;
};

const inet_pton = libcFunction<(family: number, text: string, bytes: Uint8Array) => number>(
  "int inet_pton(int family, const char *text, void *bytes)",
);
const inet_ntop = libcFunction<
  (family: number, bytes: Uint8Array, text: Uint8Array, size: number) => unknown
>("void *inet_ntop(int family, const void *bytes, void *text, uint32_t size)");

const STORAGE_BYTES = 128; // sizeof(struct sockaddr_storage)
const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6_BYTES = 28;
const ADDRESS_TEXT_BYTES = 46; // INET6_ADDRSTRLEN

const addressText = Buffer.alloc(ADDRESS_TEXT_BYTES);

/** Turns a numeric address into its 4 or 16 bytes (`man 3 inet_pton`). Returns whether it is one. */
function readNumericAddress(host: unknown, bytes: Uint8Array): boolean {
  // The pattern keeps out a NUL, at which C would stop reading, and IPv6 zones (`%eth0`), which inet_pton refuses.
  return (
    typeof host === "string" &&
    /^[0-9A-Fa-f:.]+$/.test(host) &&
    inet_pton(host.includes(":") ? AF_INET6 : AF_INET, host, bytes) === 1
  );
}

const trialBytes = new Uint8Array(16);

/** Whether a host is a numeric IPv4 or IPv6 address, which `bind` and `connect` take as it is; a name is not. */
export function isNumericAddress(host: string): boolean {
  return readNumericAddress(host, trialBytes);
}

/**
 * `struct sockaddr_storage`: room for any socket address, made once and used for many calls, so that accepting a
 * connection allocates nothing. The layout is the same on x86-64 and arm64 (`man 7 ip`, `man 7 ipv6`):
 *
 *     sockaddr_in    0 family (host order)  2 port (network order)  4 address
 *     sockaddr_in6   0 family               2 port   4 flow info (network order)   8 address   24 scope id (host order)
 */
export class SockaddrStorage {
  /** The structure's 128 bytes. */
  readonly bytes = new Uint8Array(STORAGE_BYTES);
  /** The `socklen_t` that calls read and write: bytes in use. */
  readonly lengthCell = new Uint32Array([STORAGE_BYTES]);
  readonly #view = new DataView(this.bytes.buffer);
  readonly #ipv4 = this.bytes.subarray(4, 8);
  readonly #ipv6 = this.bytes.subarray(8, 24);

  /** Bytes in use; 128 before a call that fills the structure. */
  get length(): number {
    return this.lengthCell[0]!;
  }
  set length(bytes: number) {
    this.lengthCell[0] = bytes;
  }

  /** Says that all 128 bytes may be filled: what every call that returns an address wants to know first. */
  reset(): void {
    this.lengthCell[0] = STORAGE_BYTES;
  }

  /**
   * Writes an address into the structure.
   * @throws {TypeError} the host is not a numeric IPv4 or IPv6 address, or not of the family that is given
   * @throws {RangeError} the port is not a whole number from 0 to 65535
   */
  set(address: SocketAddress): void {
    const { host, port, family, scopeId = 0, flowInfo = 0 } = address;
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new RangeError(`${shown(port)} is not a port: ports are whole numbers from 0 to 65535.`);
    }
    const isIPv6 = typeof host === "string" && host.includes(":");
    if (!readNumericAddress(host, isIPv6 ? this.#ipv6 : this.#ipv4)) {
      throw new TypeError(
        `${shown(host)} is not a numeric IPv4 or IPv6 address, such as 127.0.0.1 or ::1; ` +
          "a name has to be resolved first, and a link-local address takes its interface's number as scopeId.",
      );
    }
    if (family !== undefined && (family === "IPv6") !== isIPv6) {
      throw new TypeError(`${shown(host)} is not an ${family} address, although its family says so.`);
    }
    this.#view.setUint16(0, isIPv6 ? AF_INET6 : AF_INET, true);
    this.#view.setUint16(2, port);
    if (isIPv6) {
      this.#view.setUint32(4, flowInfo);
      this.#view.setUint32(24, scopeId, true);
      this.lengthCell[0] = SOCKADDR_IN6_BYTES;
    } else {
      this.bytes.fill(0, 8, SOCKADDR_IN_BYTES);
      this.lengthCell[0] = SOCKADDR_IN_BYTES;
    }
  }

  /**
   * Reads the address that a call left in the structure. Allocates: ask only for addresses that are used.
   * @throws {TypeError} it holds neither an IPv4 nor an IPv6 address (a Unix socket has a path or no name at all)
   */
  address(): SocketAddress {
    const family = this.#view.getUint16(0, true);
    if (family === AF_INET && this.length >= SOCKADDR_IN_BYTES) {
      const [a, b, c, d] = this.#ipv4;
      return { family: "IPv4", host: `${a}.${b}.${c}.${d}`, port: this.#view.getUint16(2) };
    }
    if (family === AF_INET6 && this.length >= SOCKADDR_IN6_BYTES) {
      inet_ntop(AF_INET6, this.#ipv6, addressText, ADDRESS_TEXT_BYTES);
      const host = addressText.toString("latin1", 0, addressText.indexOf(0));
      const address: SocketAddress = { family: "IPv6", host, port: this.#view.getUint16(2) };
      const flowInfo = this.#view.getUint32(4);
      const scopeId = this.#view.getUint32(24, true);
      if (flowInfo !== 0) address.flowInfo = flowInfo;
      if (scopeId !== 0) address.scopeId = scopeId;
      return address;
    }
    throw new TypeError(`address family ${family} is neither IPv4 nor IPv6, so it has no host and port.`);
  }
}

/** A value as a message names it: `"localhost"`, `80.5`, `undefined`. */
function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/**
 * An address in the form that URLs and messages use.
 * @returns `127.0.0.1:80`, `[::1]:80`, `[fe80::1%2]:80`
 */
export function formatAddress(address: { host: string; port: number; scopeId?: number }): string {
  const { host, port, scopeId } = address;
  if (!host.includes(":")) return `${host}:${port}`;
  return `[${host}${scopeId ? `%${scopeId}` : ""}]:${port}`;
}
