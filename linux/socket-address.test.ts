import { describe, expect, it } from "vitest";
import { formatAddress, isNumericAddress, SockaddrStorage } from "./socket-address.ts";

/** The bytes of an address as the kernel would see them. */
function bytesOf(address: Parameters<SockaddrStorage["set"]>[0]): string {
  const storage = new SockaddrStorage();
  storage.bytes.fill(0xee); // what an earlier address left behind
  storage.set(address);
  return Buffer.from(storage.bytes.subarray(0, storage.length)).toString("hex");
}

describe("SockaddrStorage", () => {
  it("lays out sockaddr_in: family, port big-endian, address, eight zero bytes", () => {
    expect(bytesOf({ host: "192.0.2.7", port: 8080 })).toBe(`0200${"1f90"}${"c0000207"}${"00".repeat(8)}`);
  });

  it("lays out sockaddr_in6: family, port, flow info big-endian, address, scope id little-endian", () => {
    const bytes = bytesOf({ host: "fe80::1", port: 443, scopeId: 3, flowInfo: 0x12345 });
    expect(bytes).toBe(`0a00${"01bb"}${"00012345"}${"fe80000000000000"}${"0000000000000001"}${"03000000"}`);
  });

  it("zeroes scope and flow info that are not given", () => {
    expect(bytesOf({ host: "::", port: 0 })).toBe(`0a00${"00".repeat(26)}`);
  });

  it.each([
    [
      { host: "203.0.113.255", port: 65535 },
      { family: "IPv4", host: "203.0.113.255", port: 65535 },
    ],
    [
      { host: "2001:DB8:0:0:0::1", port: 1 },
      { family: "IPv6", host: "2001:db8::1", port: 1 },
    ],
    [
      { host: "::ffff:127.0.0.1", port: 9 },
      { family: "IPv6", host: "::ffff:127.0.0.1", port: 9 },
    ],
    [
      { host: "fe80::2", port: 80, scopeId: 7, flowInfo: 5 },
      { family: "IPv6", host: "fe80::2", port: 80, scopeId: 7, flowInfo: 5 },
    ],
  ])("reads %j back as %j", (given, expected) => {
    const storage = new SockaddrStorage();
    storage.set(given);
    expect(storage.address()).toEqual(expected);
  });

  it("offers the whole structure again after a reset", () => {
    const storage = new SockaddrStorage();
    storage.set({ host: "127.0.0.1", port: 1 });
    storage.reset();
    expect([storage.length, storage.bytes.length]).toEqual([128, 128]);
  });

  it.each([
    "localhost",
    "",
    "127.0.0.1 ",
    "256.0.0.1",
    "1.2.3",
    "127.0.0.1\0.evil",
    "::g",
    "fe80::1%lo",
    "[::1]",
  ])("refuses the host %j and names it", (host) => {
    expect(() => bytesOf({ host, port: 80 })).toThrow(TypeError);
    expect(() => bytesOf({ host, port: 80 })).toThrow(
      `${JSON.stringify(host)} is not a numeric IPv4 or IPv6 address`,
    );
  });

  it("refuses a host that is not a string", () => {
    expect(() => bytesOf({ host: undefined as unknown as string, port: 80 })).toThrow(
      /^undefined is not a numeric/,
    );
  });

  it.each([-1, 65536, 80.5, Number.NaN, "80" as unknown as number])(
    "refuses the port %j and names it",
    (port) => {
      expect(() => bytesOf({ host: "127.0.0.1", port })).toThrow(RangeError);
      expect(() => bytesOf({ host: "127.0.0.1", port })).toThrow(
        `${typeof port === "string" ? JSON.stringify(port) : port} is not a port`,
      );
    },
  );

  it("refuses a host that contradicts the family", () => {
    expect(() => bytesOf({ family: "IPv6", host: "127.0.0.1", port: 1 })).toThrow(
      /"127\.0\.0\.1" is not an IPv6/,
    );
    expect(() => bytesOf({ family: "IPv4", host: "::1", port: 1 })).toThrow(/"::1" is not an IPv4/);
  });

  it("says so when it holds no internet address", () => {
    const storage = new SockaddrStorage();
    storage.bytes[0] = 1; // AF_UNIX
    expect(() => storage.address()).toThrow(/address family 1 is neither IPv4 nor IPv6/);
  });
});

describe("formatAddress", () => {
  it("puts IPv6 into brackets and adds a scope", () => {
    const addresses = [
      { host: "127.0.0.1", port: 80 },
      { host: "::1", port: 80 },
      { host: "fe80::1", port: 80, scopeId: 2 },
    ];
    expect(addresses.map(formatAddress)).toEqual(["127.0.0.1:80", "[::1]:80", "[fe80::1%2]:80"]);
  });
});

describe("isNumericAddress", () => {
  it("takes IPv4 and IPv6 addresses", () => {
    expect(
      ["127.0.0.1", "0.0.0.0", "::1", "fe80::1", "::ffff:10.0.0.1"].filter(isNumericAddress),
    ).toHaveLength(5);
  });

  it("refuses names, zones, ports and shortened addresses", () => {
    expect(
      ["localhost", "", "fe80::1%lo", "127.0.0.1:80", "127.1", "1.2.3.256", "::g"].filter(isNumericAddress),
    ).toEqual([]);
  });
});
