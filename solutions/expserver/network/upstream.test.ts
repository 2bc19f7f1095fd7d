import { readdirSync } from "node:fs";
import { connect, errnoName, SOCK_NONBLOCK, type SocketAddress } from "expserver-course/linux";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { closed, closing, listener, tcpSocket } from "../../../linux/test-sockets.ts";
import type { TcpConnection } from "./tcp.ts";
import { SteppedLoop } from "./test-loop.ts";
import { type UpstreamAddress, UpstreamConnect, type UpstreamError } from "./upstream.ts";

type Lookup = (error: { code?: string } | null, found: { address: string }[]) => void;

/** Lookups that wait for the test to answer them. */
const lookups: { host: string; answer: Lookup }[] = [];
vi.mock("node:dns", () => ({
  lookup: (host: string, _options: unknown, answer: Lookup) => void lookups.push({ host, answer }),
}));

let written: string[];
beforeEach(() => {
  lookups.length = 0;
  written = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A port of 127.0.0.1 on which nobody listens. */
function closedPort(): SocketAddress {
  const { fd, address } = listener();
  closed(fd);
  return address;
}

/** An address whose queue is full: a connect to it gets no answer. */
function silentAddress(): SocketAddress {
  const { address } = listener("IPv4", 1);
  // Until one gets no answer at once: it stays unanswered.
  for (let state = "EISCONN"; state !== "EALREADY"; ) {
    const filler = tcpSocket("IPv4", SOCK_NONBLOCK);
    connect(filler, address);
    state = errnoName(connect(filler, address));
    if (state === "EALREADY") return address;
  }
  return address;
}

/** An attempt, and what it told. */
function attempt(upstream: UpstreamAddress, loop = new SteppedLoop()) {
  const connections: TcpConnection[] = [];
  const errors: UpstreamError[] = [];
  const connecting = new UpstreamConnect(
    loop.asLoop,
    upstream,
    {
      onConnect(connection) {
        closing(connection.transport.fd);
        connections.push(connection);
      },
      onError: (error) => void errors.push(error),
    },
    1000,
  );
  return { loop, connecting, connections, errors, told: () => connections.length + errors.length };
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

describe("an attempt to connect", () => {
  test("tells nothing before the loop's next turn, then hands over the connection and keeps nothing", () => {
    const { fd, address } = listener();
    const { loop, connections, errors, told } = attempt(address);
    loop.settle();
    expect(told()).toBe(0);
    loop.advance(0);
    loop.until(() => told() > 0);
    expect(errors).toEqual([]);
    expect(connections[0]!.peer).toEqual(address);
    expect(loop.isWatched(connections[0]!.transport.fd)).toBe(true);
    expect(loop.timers.size).toBe(0);
    expect(fd).toBeGreaterThan(0);
  });

  test("tells that nobody listens, and where", () => {
    const address = closedPort();
    const { loop, errors, told } = attempt(address);
    loop.advance(0);
    loop.until(() => told() > 0);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({
      code: "ECONNREFUSED",
      message: expect.stringContaining(`127.0.0.1:${address.port}`),
    });
  });

  test("is given up when its time is over, and its socket is closed", () => {
    const address = silentAddress();
    const { loop, errors } = attempt(address);
    const before = openDescriptors();
    loop.advance(0);
    loop.settle();
    expect(openDescriptors()).toBe(before + 1);
    loop.advance(999);
    expect(errors).toEqual([]);
    loop.advance(1);
    expect(errors.map(({ code }) => code)).toEqual(["ETIMEDOUT"]);
    expect(openDescriptors()).toBe(before);
  });

  test("that is cancelled tells nothing and leaves neither socket nor timer", () => {
    const address = silentAddress();
    const { loop, connecting, told } = attempt(address);
    const before = openDescriptors();
    loop.advance(0);
    connecting.cancel();
    connecting.cancel();
    expect(openDescriptors()).toBe(before);
    expect(loop.timers.size).toBe(0);
    loop.advance(5000);
    expect(told()).toBe(0);
  });

  test("that cannot be watched is told as a failure", () => {
    const { address } = listener();
    const { loop, errors } = attempt(address);
    const before = openDescriptors();
    vi.spyOn(loop, "add").mockImplementation(() => {
      throw new Error("no room in the set");
    });
    loop.advance(0);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("no room in the set")]);
    expect(openDescriptors()).toBe(before);
  });

  test("whose connection cannot be watched is told as a failure too", () => {
    const { address } = listener();
    const { loop, errors, told } = attempt(address);
    const before = openDescriptors();
    loop.advance(0);
    vi.spyOn(loop, "add").mockImplementation(() => {
      throw new Error("no room in the set");
    });
    loop.until(() => told() > 0);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("no room in the set")]);
    expect(openDescriptors()).toBe(before);
    expect(loop.timers.size).toBe(0);
  });

  test("to a port that is none is told as a failure, and loses no socket", () => {
    const { loop, errors } = attempt({ host: "127.0.0.1", port: 70_000 });
    const before = openDescriptors();
    loop.advance(0);
    expect(errors).toHaveLength(1);
    expect(openDescriptors()).toBe(before);
  });
});

describe("an upstream's name", () => {
  const answer = (...addresses: string[]) =>
    lookups[0]!.answer(
      null,
      addresses.map((address) => ({ address })),
    );

  test("is looked up, and its addresses are tried in their order until one answers", () => {
    const { address } = listener();
    const { loop, connections, told } = attempt({ host: "several.test", port: address.port });
    expect(lookups.map(({ host }) => host)).toEqual(["several.test"]);
    // 127.0.0.2 and 127.0.0.3 refuse: the listener is on 127.0.0.1 only.
    answer("127.0.0.2", "127.0.0.3", "127.0.0.1", "127.0.0.4");
    loop.until(() => told() > 0);
    expect(connections.map(({ peer }) => peer.host)).toEqual(["127.0.0.1"]);
  });

  test("gives each address its own time", () => {
    const silent = silentAddress();
    const { loop, errors } = attempt({ host: "slow.test", port: silent.port });
    answer(silent.host, silent.host);
    loop.advance(1000);
    expect(errors).toEqual([]);
    loop.advance(1000);
    expect(errors.map(({ code }) => code)).toEqual(["ETIMEDOUT"]);
  });

  test("that nobody has is told with the resolver's code", () => {
    const { errors } = attempt({ host: "unknown.test", port: 80 });
    lookups[0]!.answer({ code: "ENOTFOUND" }, []);
    expect(errors).toMatchObject([
      { code: "ENOTFOUND", message: expect.stringContaining("unknown.test:80") },
    ]);
  });

  test("without an address is unknown", () => {
    const { errors } = attempt({ host: "empty.test", port: 80 });
    answer();
    expect(errors.map(({ code }) => code)).toEqual(["ENOTFOUND"]);
  });

  test("is not waited for longer than for an address, and its answer comes too late then", () => {
    const { loop, errors, told } = attempt({ host: "slow.test", port: 80 });
    loop.advance(1000);
    expect(errors.map(({ code }) => code)).toEqual(["ETIMEDOUT"]);
    answer("127.0.0.1");
    loop.settle();
    expect(told()).toBe(1);
  });

  test("whose answer comes after cancel changes nothing", () => {
    const { loop, connecting, told } = attempt({ host: "slow.test", port: 80 });
    connecting.cancel();
    const before = openDescriptors();
    answer("127.0.0.1");
    expect(openDescriptors()).toBe(before);
    loop.advance(5000);
    expect(told()).toBe(0);
  });

  test("makes no exception escape into Node, neither ours nor the handler's", () => {
    const loop = new SteppedLoop();
    const throwing = {
      onConnect() {},
      onError() {
        throw new Error("the handler's own fault");
      },
    };
    new UpstreamConnect(loop.asLoop, { host: "unknown.test", port: 80 }, throwing);
    expect(() => lookups[0]!.answer({ code: "ENOTFOUND" }, [])).not.toThrow();
    expect(written.join("")).toContain("the handler's own fault");
  });
});
