import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  AF_INET,
  AF_UNIX,
  accept,
  accept4,
  bind,
  close,
  connect,
  EAGAIN,
  EBADF,
  ECONNREFUSED,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  EMFILE,
  EPOLLIN,
  EPOLLOUT,
  getpeername,
  getrlimit,
  getsockname,
  getsockopt,
  IN6ADDR_ANY,
  INADDR_ANY,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  listen,
  RLIMIT_NOFILE,
  recv,
  SO_ACCEPTCONN,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SockaddrStorage,
  SystemCallError,
  setrlimit,
  setsockopt,
  socket,
  socketpair,
  TCP_NODELAY,
} from "./index.ts";
import { closed, closing, listener, needs, tcpSocket, waitFor } from "./test-sockets.ts";

const families = ["IPv4", "IPv6"] as const;

/** The flags of a descriptor as the kernel shows them, in octal. */
function flagsOf(fd: number): number {
  return Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))![1]!, 8);
}

describe("socket", () => {
  it("creates a socket of the type that was asked for, with its flags", () => {
    const fd = closing(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC));
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toMatch(/^socket:/);
    expect(flagsOf(fd) & 0o2004000).toBe(0o2004000);
    expect(getsockopt(fd, SOL_SOCKET, SO_TYPE)).toBe(2);
  });

  it("throws for a family that does not exist", () => {
    expect(() => socket(4711, SOCK_STREAM)).toThrow(
      expect.objectContaining({
        code: "EAFNOSUPPORT",
        syscall: "socket",
        message: expect.stringContaining("4711"),
      }),
    );
  });

  it("throws EMFILE when the process may open no more, and works again afterwards", () => {
    const limit = getrlimit(RLIMIT_NOFILE);
    const free = closing(socket(AF_INET, SOCK_STREAM));
    closed(free);
    setrlimit(RLIMIT_NOFILE, { ...limit, rlim_cur: free });
    try {
      expect(() => socket(AF_INET, SOCK_STREAM)).toThrow(expect.objectContaining({ errno: EMFILE }));
    } finally {
      setrlimit(RLIMIT_NOFILE, limit);
    }
    expect(closing(socket(AF_INET, SOCK_STREAM))).toBe(free);
  });
});

describe("socketpair", () => {
  it("gives two connected ends", () => {
    const [a, b] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC).map(closing) as [number, number];
    expect(getsockopt(a, SOL_SOCKET, SO_ERROR)).toBe(0);
    closed(a);
    expect(recv(b, new Uint8Array(1), 1)).toBe(0);
  });

  it("throws for internet sockets", () => {
    expect(() => socketpair(AF_INET, SOCK_STREAM)).toThrow(
      "socketpair AF_INET: operation not supported (EOPNOTSUPP)",
    );
  });
});

describe.each(families)("bind and listen on %s", (family) => {
  it("take a port that the kernel then lists as listening", (context) => {
    needs(family, context);
    const { fd, address } = listener(family);
    const port = address.port.toString(16).toUpperCase().padStart(4, "0");
    const table = readFileSync(family === "IPv4" ? "/proc/self/net/tcp" : "/proc/self/net/tcp6", "utf8");
    expect(table).toMatch(new RegExp(`:${port} [0-9A-F]+:0000 0A `));
    expect(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN)).toBe(1);
  });

  it("name the address when somebody has it", (context) => {
    needs(family, context);
    const { address } = listener(family);
    const text = family === "IPv4" ? `127.0.0.1:${address.port}` : `[::1]:${address.port}`;
    expect(() => bind(tcpSocket(family), address)).toThrow(
      `bind ${text}: address already in use (EADDRINUSE)`,
    );
  });

  it("name the address also when only listen finds out", (context) => {
    needs(family, context);
    const [first, second] = [tcpSocket(family), tcpSocket(family)];
    for (const fd of [first, second]) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    bind(first, { host: family === "IPv4" ? INADDR_ANY : IN6ADDR_ANY, port: 0 });
    const address = getsockname(first);
    bind(second, address);
    listen(first, 1);
    const text = family === "IPv4" ? `0.0.0.0:${address.port}` : `[::]:${address.port}`;
    expect(() => listen(second, 1)).toThrow(`listen ${text}: address already in use (EADDRINUSE)`);
  });
});

describe("bind", () => {
  it("refuses an address that no interface has", () => {
    expect(() => bind(tcpSocket(), { host: "192.0.2.1", port: 0 })).toThrow(/192\.0\.2\.1:0.*EADDRNOTAVAIL/);
  });

  it("refuses names and impossible ports before the kernel is asked", () => {
    expect(() => bind(-1, { host: "localhost", port: 80 })).toThrow(TypeError);
    expect(() => bind(-1, { host: "127.0.0.1", port: 70000 })).toThrow(RangeError);
  });

  it("reports a closed descriptor", () => {
    const fd = tcpSocket();
    closed(fd);
    expect(() => bind(fd, { host: "127.0.0.1", port: 0 })).toThrow(expect.objectContaining({ errno: EBADF }));
    expect(() => listen(fd, 1)).toThrow(`listen on descriptor ${fd}: bad file descriptor (EBADF)`);
  });
});

describe.each(families)("connect and accept on %s", (family) => {
  it("tell both ends each other's address", (context) => {
    needs(family, context);
    const { fd, address } = listener(family);
    const client = tcpSocket(family);
    expect(connect(client, address)).toBe(0);
    const peer = new SockaddrStorage();
    const server = closing(accept4(fd, peer, SOCK_NONBLOCK | SOCK_CLOEXEC));
    expect(peer.address()).toEqual(getsockname(client));
    expect(peer.length).toBe(family === "IPv4" ? 16 : 28);
    expect(getpeername(server)).toEqual(getsockname(client));
    expect(getpeername(client)).toEqual(address);
  });

  it("answer EINPROGRESS without blocking, then SO_ERROR 0", (context) => {
    needs(family, context);
    const { address } = listener(family);
    const client = tcpSocket(family, SOCK_NONBLOCK);
    expect(connect(client, address)).toBe(-EINPROGRESS);
    waitFor(client, EPOLLOUT);
    expect(getsockopt(client, SOL_SOCKET, SO_ERROR)).toBe(0);
    expect([connect(client, address), connect(client, address)]).toEqual([0, -EISCONN]);
  });

  it("answer ECONNREFUSED, at once or through SO_ERROR, which reading clears", (context) => {
    needs(family, context);
    const bound = tcpSocket(family); // bound but not listening: nobody else can get the port meanwhile
    bind(bound, { host: family === "IPv4" ? "127.0.0.1" : "::1", port: 0 });
    const address = getsockname(bound);
    expect(connect(tcpSocket(family), address)).toBe(-ECONNREFUSED);

    const client = tcpSocket(family, SOCK_NONBLOCK);
    expect(connect(client, address)).toBe(-EINPROGRESS);
    waitFor(client, EPOLLOUT);
    expect(getsockopt(client, SOL_SOCKET, SO_ERROR)).toBe(ECONNREFUSED);
    expect(getsockopt(client, SOL_SOCKET, SO_ERROR)).toBe(0);
  });
});

describe("accept", () => {
  it("returns -EAGAIN while nobody waits", () => {
    const { fd } = listener();
    expect(accept(fd)).toBe(-EAGAIN);
    expect(accept4(fd, new SockaddrStorage(), 0)).toBe(-EAGAIN);
  });

  it("returns -EINVAL for a socket that does not listen, -EBADF for none", () => {
    expect(accept4(tcpSocket(), null, 0)).toBe(-EINVAL);
    expect(accept(-1)).toBe(-EBADF);
  });

  it("sets the flags only in its four-argument form", () => {
    const { fd, address } = listener();
    const take = (call: () => number): number => {
      connect(tcpSocket(), address);
      waitFor(fd, EPOLLIN);
      return flagsOf(closing(call())) & 0o2004000;
    };
    const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    expect([take(() => accept(fd)), take(() => accept(fd, new SockaddrStorage()))]).toEqual([0, 0]);
    expect(take(() => accept4(fd, null, flags))).toBe(0o2004000);
    expect(take(() => accept4(fd, new SockaddrStorage(), flags))).toBe(0o2004000);
  });

  it.each([
    ["accept", accept],
    ["accept4", (fd: number, peer: SockaddrStorage) => accept4(fd, peer, 0)],
  ])("writes the whole address into a structure that held a shorter one: %s", (_, call) => {
    const { fd, address } = listener();
    const client = tcpSocket();
    connect(client, address);
    waitFor(fd, EPOLLIN);
    const peer = new SockaddrStorage();
    peer.length = 2;
    closing(call(fd, peer));
    expect(peer.address()).toEqual(getsockname(client));
  });
});

describe("getsockname and getpeername", () => {
  it("throw for a socket without a peer and for none at all", () => {
    const fd = tcpSocket();
    expect(() => getpeername(fd)).toThrow(expect.objectContaining({ code: "ENOTCONN" }));
    expect(() => getsockname(-1)).toThrow("getsockname on descriptor -1: bad file descriptor (EBADF)");
  });

  it("say that a Unix socket has no host", () => {
    const [a] = socketpair(AF_UNIX, SOCK_STREAM).map(closing) as [number, number];
    expect(() => getsockname(a)).toThrow(TypeError);
  });
});

describe("setsockopt and getsockopt", () => {
  it.each([
    ["SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR],
    ["SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT],
    ["SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE],
    ["TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY],
  ])("switch %s on and off", (_, level, option) => {
    const fd = tcpSocket();
    const seen = [getsockopt(fd, level, option)];
    for (const value of [1, 0]) {
      setsockopt(fd, level, option, value);
      seen.push(getsockopt(fd, level, option));
    }
    expect(seen).toEqual([0, 1, 0]);
  });

  it("set buffer sizes, which the kernel doubles", () => {
    const fd = tcpSocket();
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 16384);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, 32768);
    expect([getsockopt(fd, SOL_SOCKET, SO_RCVBUF), getsockopt(fd, SOL_SOCKET, SO_SNDBUF)]).toEqual([
      32768, 65536,
    ]);
  });

  it("take SO_LINGER in seconds, 0 for a reset and -1 for off", () => {
    const fd = tcpSocket();
    const seen = [getsockopt(fd, SOL_SOCKET, SO_LINGER)];
    for (const seconds of [0, 5, -1]) {
      setsockopt(fd, SOL_SOCKET, SO_LINGER, seconds);
      seen.push(getsockopt(fd, SOL_SOCKET, SO_LINGER));
    }
    expect(seen).toEqual([-1, 0, 5, -1]);
  });

  it("let an IPv6 socket refuse IPv4 clients", (context) => {
    needs("IPv6", context);
    const fd = tcpSocket("IPv6");
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    bind(fd, { host: IN6ADDR_ANY, port: 0 });
    listen(fd, 1);
    const { port } = getsockname(fd);
    expect(connect(tcpSocket("IPv4"), { host: "127.0.0.1", port })).toBe(-ECONNREFUSED);
    expect(connect(tcpSocket("IPv6"), { host: "::1", port })).toBe(0);
  });

  it("throw with the option's name", () => {
    expect(() => setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, 1)).toThrow(
      "setsockopt SO_REUSEADDR on descriptor -1: bad file descriptor (EBADF)",
    );
    expect(() => getsockopt(tcpSocket(), IPPROTO_TCP, 4711)).toThrow(/getsockopt 4711 .*ENOPROTOOPT/);
  });

  it("refuse a value that is no 32-bit integer", () => {
    const fd = tcpSocket();
    for (const value of [1.5, 2 ** 31, Number.NaN]) {
      expect(() => setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value)).toThrow(RangeError);
    }
  });
});

describe("descriptors", () => {
  it("are all given back after 200 connections and as many failures", () => {
    const { fd, address } = listener();
    const count = (): number => readdirSync("/proc/self/fd").length;
    const before = count();
    for (let round = 0; round < 200; round++) {
      const client = socket(AF_INET, SOCK_STREAM);
      connect(client, address);
      waitFor(fd, EPOLLIN);
      const server = accept4(fd, null, 0);
      close(server);
      close(client);
      expect(accept4(fd, null, 0)).toBe(-EAGAIN);
      expect(() => bind(fd, address)).toThrow(SystemCallError);
    }
    expect(count()).toBe(before);
  });
});
