import {
  close,
  connect,
  EPOLL_CTL_ADD,
  EPOLLOUT,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  getrlimit,
  INADDR_LOOPBACK,
  RLIMIT_NOFILE,
  recv,
  SOCK_NONBLOCK,
  setrlimit,
} from "expserver-course/linux";
import { expect, onTestFinished, test, vi } from "vitest";
import { tcpSocket, waitFor } from "../../../linux/test-sockets.ts";
import { type TcpConnection, TcpServer } from "./tcp.ts";
import { SteppedLoop } from "./test-loop.ts";

function served(onConnection: (connection: TcpConnection) => void = () => {}) {
  const loop = new SteppedLoop();
  const server = TcpServer.listen(loop.asLoop, { host: INADDR_LOOPBACK, port: 0 }, onConnection);
  onTestFinished(() => server.destroy());
  /** Clients that the kernel has connected already: they wait to be accepted. */
  const come = (number: number) =>
    Array.from({ length: number }, () => {
      const client = tcpSocket("IPv4", SOCK_NONBLOCK);
      connect(client, server.address);
      waitFor(client, 0x4);
      return client;
    });
  return { loop, server, come };
}

/** Keeps what is written to stderr. */
function complaints(): string[] {
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
  onTestFinished(() => spy.mockRestore());
  return said;
}

/** Leaves the process no descriptor until the returned function is called. */
function withoutDescriptors(): () => void {
  const limit = getrlimit(RLIMIT_NOFILE);
  setrlimit(RLIMIT_NOFILE, { ...limit, rlim_cur: 3 });
  const restore = () => setrlimit(RLIMIT_NOFILE, limit);
  onTestFinished(restore);
  return restore;
}

test("all of a crowd are accepted, a share in each turn", () => {
  const { loop, server, come } = served();
  come(100);
  loop.turn(2000);
  expect(server.connections.size).toBe(64);
  loop.turn();
  expect(server.connections.size).toBe(100);
});

test("accepting rests without descriptors, says so once, and comes back", () => {
  const { loop, server, come } = served();
  const said = complaints();
  come(3);
  const restore = withoutDescriptors();
  loop.turn(2000);
  for (let rest = 0; rest < 3; rest++) {
    loop.settle();
    loop.advance(100);
  }
  loop.settle();
  expect(server.connections.size).toBe(0);
  expect(said).toEqual([expect.stringContaining("EMFILE")]);
  restore();
  loop.advance(100);
  loop.settle();
  expect(server.connections.size).toBe(3);
  expect(loop.timers.size).toBe(0);
});

test("a connection that comes during a rest does not begin another one", () => {
  const { loop, server, come } = served();
  complaints();
  come(1);
  const late = Array.from({ length: 5 }, () => tcpSocket("IPv4", SOCK_NONBLOCK));
  const watching = late.map(() => epoll_create1());
  onTestFinished(() => watching.forEach(close));
  withoutDescriptors();
  loop.turn(2000);
  for (const [index, client] of late.entries()) {
    connect(client, server.address);
    epoll_ctl(watching[index]!, EPOLL_CTL_ADD, client, EPOLLOUT);
    epoll_wait(watching[index]!, new EpollEvents(1), 1, 2000);
    loop.turn();
  }
  expect(loop.timers.size).toBe(1);
});

test("a handler that throws costs its own connection, and nobody behind it", () => {
  let number = 0;
  const { loop, server, come } = served(() => {
    if (++number === 2) throw new Error("a fault in the handler");
  });
  const said = complaints();
  const [, second] = come(3);
  loop.settle();
  expect(server.connections.size).toBe(2);
  expect(said.join("")).toContain("a fault in the handler");
  waitFor(second!, 0x1);
  expect(recv(second!, new Uint8Array(1), 1)).toBe(-104);
});

test("a paused server leaves connections in the queue, also in the middle of a crowd", () => {
  const { loop, server, come } = served(() => server.pause());
  come(3);
  loop.settle();
  expect(server.connections.size).toBe(1);
  server.resume();
  loop.settle();
  expect(server.connections.size).toBe(2);
});

test("destroy closes everything and leaves no timer, at any moment", () => {
  const { loop, server, come } = served(() => server.destroy());
  const clients = come(3);
  loop.settle();
  server.destroy();
  server.resume();
  expect(server.connections.size).toBe(0);
  expect(loop.timers.size).toBe(0);
  for (const client of clients) {
    waitFor(client, 0x1);
    expect(recv(client, new Uint8Array(1), 1)).toBeLessThanOrEqual(0);
  }
});
