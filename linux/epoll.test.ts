import { readFileSync } from "node:fs";
import koffi from "koffi";
import { describe, expect, it } from "vitest";
import { epollEventLayout } from "./epoll-events.ts";
import {
  AF_UNIX,
  EEXIST,
  EFD_NONBLOCK,
  EINVAL,
  ENOENT,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  eventfd,
  O_CLOEXEC,
  O_RDONLY,
  open,
  pipe2,
  recv,
  SHUT_WR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  send,
  shutdown,
  socketpair,
} from "./index.ts";
import { closed, closing } from "./test-sockets.ts";

function epollSet(): number {
  return closing(epoll_create1());
}

function unixPair(): [number, number] {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK).map(closing) as [number, number];
}

/** What one wait without waiting reports, as [data, events] by data. */
function ready(set: number, capacity = 8): [number, number][] {
  const events = new EpollEvents(capacity);
  const count = epoll_wait(set, events, capacity, 0);
  expect(count).toBeGreaterThanOrEqual(0);
  const pairs = Array.from({ length: count }, (_, index): [number, number] => [
    events.data(index),
    events.events(index),
  ]);
  return pairs.sort(([a], [b]) => a - b);
}

describe("struct epoll_event", () => {
  // koffi knows C's alignment rules: an independent source for the layouts.
  const fields = { events: "uint32_t", data: "uint64_t" } as const;
  it.each([
    ["x64", koffi.pack(fields), 12],
    ["arm64", koffi.struct(fields), 16],
  ] as const)("has the bytes that C gives it on %s", (architecture, type, size) => {
    expect(koffi.sizeof(type)).toBe(size);
    const expected = new Uint8Array(3 * size);
    for (let index = 0; index < 3; index++) {
      koffi.encode(expected, index * size, type, { events: 0x80000001 + index, data: 0x01020304 + index });
    }
    const events = new EpollEvents(3, architecture);
    for (let index = 0; index < 3; index++) events.set(index, 0x80000001 + index, 0x01020304 + index);
    expect(Buffer.from(events.words.buffer).toString("hex")).toBe(Buffer.from(expected).toString("hex"));
    expect([events.events(2), events.data(2)]).toEqual([0x80000003, 0x01020306]);
  });

  it("is packed on x64 only", () => {
    expect(epollEventLayout("x64")).toEqual({ stride: 3, dataWord: 1 });
    expect(epollEventLayout("arm64")).toEqual({ stride: 4, dataWord: 2 });
  });

  it.each([0, -1, 1.5, Number.NaN])("cannot be had %d times", (capacity) => {
    expect(() => new EpollEvents(capacity)).toThrow(
      `EpollEvents: capacity ${capacity} must be a whole number`,
    );
  });
});

describe("epoll_ctl", () => {
  it("registers a descriptor as the kernel lists it", () => {
    const set = epollSet();
    const [a] = unixPair();
    epoll_ctl(set, EPOLL_CTL_ADD, a, EPOLLIN | EPOLLET, 0xfffffffe);
    const info = readFileSync(`/proc/self/fdinfo/${set}`, "utf8");
    expect(info).toMatch(new RegExp(`tfd:\\s+${a} events:\\s+80000019 data:\\s+fffffffe`)); // IN, ET, ERR and HUP
  });

  it("throws for a descriptor that is there already, not there, or not watchable", () => {
    const set = epollSet();
    const [a, b] = unixPair();
    epoll_ctl(set, EPOLL_CTL_ADD, a, EPOLLIN);
    expect(() => epoll_ctl(set, EPOLL_CTL_ADD, a, EPOLLIN)).toThrow(
      expect.objectContaining({ errno: EEXIST }),
    );
    expect(() => epoll_ctl(set, EPOLL_CTL_MOD, b, EPOLLIN)).toThrow(
      expect.objectContaining({ errno: ENOENT }),
    );
    const file = closing(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    expect(() => epoll_ctl(set, EPOLL_CTL_ADD, file, EPOLLIN)).toThrow(
      `epoll_ctl EPOLL_CTL_ADD of descriptor ${file}: operation not permitted (EPERM)`,
    );
    expect(() => epoll_ctl(set, EPOLL_CTL_DEL, -1)).toThrow(/descriptor -1: bad file descriptor/);
  });

  it.each([-1, 2 ** 32, 1.5])("refuses data that do not fit into 32 bits: %d", (data) => {
    const [a] = unixPair();
    expect(() => epoll_ctl(epollSet(), EPOLL_CTL_ADD, a, EPOLLIN, data)).toThrow(RangeError);
  });

  it("changes and removes", () => {
    const set = epollSet();
    const [a] = unixPair();
    epoll_ctl(set, EPOLL_CTL_ADD, a, EPOLLIN);
    expect(ready(set)).toEqual([]);
    epoll_ctl(set, EPOLL_CTL_MOD, a, EPOLLOUT, 77);
    expect(ready(set)).toEqual([[77, EPOLLOUT]]);
    epoll_ctl(set, EPOLL_CTL_DEL, a);
    expect(ready(set)).toEqual([]);
  });
});

describe("epoll_wait", () => {
  it("reports each ready descriptor with its data, the descriptor by default", () => {
    const set = epollSet();
    const counters = [0, 1, 2].map((initial) => closing(eventfd(initial, EFD_NONBLOCK)));
    for (const fd of counters) epoll_ctl(set, EPOLL_CTL_ADD, fd, EPOLLIN);
    expect(ready(set)).toEqual([
      [counters[1], EPOLLIN],
      [counters[2], EPOLLIN],
    ]);
  });

  it("reports no more than maxevents, and the others the next time", () => {
    const set = epollSet();
    const counters = [1, 1, 1].map((initial) => closing(eventfd(initial, EFD_NONBLOCK)));
    for (const fd of counters) epoll_ctl(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET);
    const [first, second] = [ready(set, 2), ready(set, 2)];
    expect([first.length, second.length]).toEqual([2, 1]);
    expect([...first, ...second].map(([data]) => data).sort()).toEqual([...counters].sort());
  });

  it("reports a state for as long as it lasts, but with EPOLLET only a change", () => {
    const [a, b] = unixPair();
    const [level, edge] = [epollSet(), epollSet()];
    epoll_ctl(level, EPOLL_CTL_ADD, b, EPOLLIN);
    epoll_ctl(edge, EPOLL_CTL_ADD, b, EPOLLIN | EPOLLET);
    send(a, new Uint8Array(10), 10);
    expect([ready(level).length, ready(level).length]).toEqual([1, 1]);
    expect([ready(edge).length, ready(edge).length]).toEqual([1, 0]);
    recv(b, new Uint8Array(4), 4); // six bytes are left: still no change
    expect([ready(level).length, ready(edge).length]).toEqual([1, 0]);
    send(a, new Uint8Array(1), 1);
    expect([ready(level).length, ready(edge).length]).toEqual([1, 1]);
  });

  it("reports once with EPOLLONESHOT until the descriptor is armed again", () => {
    const set = epollSet();
    const counter = closing(eventfd(1, EFD_NONBLOCK));
    epoll_ctl(set, EPOLL_CTL_ADD, counter, EPOLLIN | EPOLLONESHOT);
    expect([ready(set).length, ready(set).length]).toEqual([1, 0]);
    epoll_ctl(set, EPOLL_CTL_MOD, counter, EPOLLIN | EPOLLONESHOT);
    expect(ready(set).length).toBe(1);
  });

  it("tells the end of the peer's sending from the end of the connection", () => {
    const set = epollSet();
    const [a, b] = unixPair();
    epoll_ctl(set, EPOLL_CTL_ADD, b, EPOLLIN | EPOLLRDHUP);
    shutdown(a, SHUT_WR);
    expect(ready(set)).toEqual([[b, EPOLLIN | EPOLLRDHUP]]);
    closed(a);
    expect(ready(set)).toEqual([[b, EPOLLIN | EPOLLRDHUP | EPOLLHUP]]);
  });

  it("reports the writing end of a pipe that nobody reads as an error, unasked", () => {
    const set = epollSet();
    const [reading, writing] = pipe2(O_CLOEXEC).map(closing) as [number, number];
    epoll_ctl(set, EPOLL_CTL_ADD, writing, 0);
    closed(reading);
    expect(ready(set)).toEqual([[writing, EPOLLERR]]);
  });

  it("forgets a descriptor that is closed", () => {
    const set = epollSet();
    const counter = closing(eventfd(1, EFD_NONBLOCK));
    epoll_ctl(set, EPOLL_CTL_ADD, counter, EPOLLIN);
    closed(counter);
    expect(ready(set)).toEqual([]);
  });

  it("returns 0 when the time is over, and has waited that long", () => {
    const started = performance.now();
    expect(epoll_wait(epollSet(), new EpollEvents(1), 1, 20)).toBe(0);
    expect(performance.now() - started).toBeGreaterThanOrEqual(19); // the kernel counts whole milliseconds
  });

  it("returns -EINVAL for a descriptor that is no epoll set", () => {
    const [a] = unixPair();
    expect(epoll_wait(a, new EpollEvents(1), 1, 0)).toBe(-EINVAL);
  });

  it.each([3, Number.NaN])("refuses maxevents that the array cannot hold: %d", (maxevents) => {
    expect(() => epoll_wait(epollSet(), new EpollEvents(2), maxevents, 0)).toThrow(
      `epoll_wait: maxevents ${maxevents} is more than the 2 that fit`,
    );
  });
});
