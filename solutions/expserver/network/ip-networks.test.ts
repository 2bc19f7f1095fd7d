import { describe, expect, test } from "vitest";
import { addressBytes, IpNetworks, isNetwork } from "./ip-networks.ts";

describe("a set of networks", () => {
  test.each([
    ["192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.2", "192.0.2.0", "::192.0.2.1"]],
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]],
    ["10.1.2.3/8", ["10.200.0.1"], ["11.1.2.3"]],
    ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127", "192.0.3.128"]],
    ["192.0.2.6/31", ["192.0.2.6", "192.0.2.7"], ["192.0.2.5", "192.0.2.8"]],
    ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::1"]],
    ["2001:db8::/32", ["2001:db8::1", "2001:DB8:ffff::"], ["2001:db9::1", "32.1.13.184"]],
    ["fe80::/10", ["fe80::1", "febf::1"], ["fec0::1", "fe7f::1"]],
    ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::", "::2", "0.0.0.1"]],
    ["::/0", ["::1", "ffff::"], ["127.0.0.1"]],
    ["::ffff:10.0.0.0/104", ["10.1.2.3"], ["11.0.0.0"]],
  ])("%s has %j and not %j", (entry, inside, outside) => {
    const networks = new IpNetworks([entry]);
    expect(inside.filter((address) => !networks.has(address))).toEqual([]);
    expect(outside.filter((address) => networks.has(address))).toEqual([]);
  });

  test("has what one of its entries has", () => {
    const networks = new IpNetworks(["127.0.0.1", "10.0.0.0/8", "10.0.0.0/16", "::1"]);
    expect(["127.0.0.1", "10.9.9.9", "::1"].every((address) => networks.has(address))).toBe(true);
    expect(networks.has("127.0.0.2")).toBe(false);
  });

  test("has nothing when it is empty, and no names", () => {
    expect(new IpNetworks([]).has("127.0.0.1")).toBe(false);
    expect(new IpNetworks(["0.0.0.0/0", "::/0"]).has("localhost")).toBe(false);
  });

  test("refuses an entry that is none", () => {
    expect(() => new IpNetworks(["10.0.0.0/33"])).toThrow('"10.0.0.0/33" is neither');
  });
});

test("an address or a network is told from everything else", () => {
  const good = ["0.0.0.0", "10.0.0.0/0", "::", "::1/128", "::ffff:1.2.3.4"];
  const bad = ["", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/08", "1.2.3.4/-1", "localhost"];
  expect(good.filter((text) => !isNetwork(text))).toEqual([]);
  expect([...bad, "1.2.3.4/8/8", " 1.2.3.4", "::ffff:1.2.3.4/95"].filter(isNetwork)).toEqual([]);
});

test("an IPv4 address that is mapped into IPv6 is the same address", () => {
  expect(addressBytes("::ffff:192.0.2.1")).toEqual(addressBytes("192.0.2.1"));
});
