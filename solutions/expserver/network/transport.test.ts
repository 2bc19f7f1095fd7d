import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  accept4,
  connect,
  EAGAIN,
  ECONNRESET,
  EPIPE,
  O_RDONLY,
  open,
  recv,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  send,
  setsockopt,
} from "expserver-course/linux";
import { expect, onTestFinished, test } from "vitest";
import { closed, closing, listener, tcpPair, tcpSocket, waitFor } from "../../../linux/test-sockets.ts";
import { PlainTransport } from "./transport.ts";

const readable = 0x1;

/** A transport and its peer. */
function connected() {
  const { client, server } = tcpPair();
  return { peer: client, fd: server, transport: new PlainTransport(server) };
}

/** What a peer receives now. */
function received(peer: number): string | number {
  waitFor(peer, readable);
  const buffer = new Uint8Array(1000);
  const count = recv(peer, buffer, buffer.length);
  return count < 0 ? count : Buffer.from(buffer.subarray(0, count)).toString();
}

test("read tells bytes, that there are none yet, and the end", () => {
  const { peer, fd, transport } = connected();
  const buffer = new Uint8Array(100);
  expect(transport.read(buffer)).toBe(-EAGAIN);
  send(peer, Buffer.from("hello"), 5);
  waitFor(fd, readable);
  expect(transport.read(buffer)).toBe(5);
  expect(Buffer.from(buffer.subarray(0, 5)).toString()).toBe("hello");
  closed(peer);
  waitFor(fd, readable);
  expect(transport.read(buffer)).toBe(0);
});

test("peek takes nothing", () => {
  const { peer, fd, transport } = connected();
  expect(transport.peek()).toBe(-EAGAIN);
  send(peer, Buffer.from("hello"), 5);
  waitFor(fd, readable);
  expect(transport.peek()).toBe(1);
  expect(transport.read(new Uint8Array(100))).toBe(5);
  closed(peer);
  waitFor(fd, readable);
  expect(transport.peek()).toBe(0);
});

test("write takes a part, then nothing", () => {
  const { peer, fd, transport } = connected();
  setsockopt(peer, SOL_SOCKET, SO_RCVBUF, 4096);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, 4096);
  const bytes = new Uint8Array(64 * 1024 * 1024);
  const taken = transport.write(bytes, bytes.length);
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(bytes.length);
  let then = 0;
  while (then >= 0) then = transport.write(bytes, bytes.length);
  expect(then).toBe(-EAGAIN);
});

test("sendFile sends a part of a file from where it is told to", () => {
  const folder = mkdtempSync(join(tmpdir(), "transport-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "file"), "0123456789");
  const file = closing(open(join(folder, "file"), O_RDONLY));
  const { peer, transport } = connected();
  expect(transport.sendFile(file, 3, 4)).toBe(4);
  expect(received(peer)).toBe("3456");
  expect(transport.sendFile(file, 10, 1)).toBe(0);
});

test("shutdownWrite ends one direction", () => {
  const { peer, fd, transport } = connected();
  expect(transport.shutdownWrite()).toBe(0);
  expect(received(peer)).toBe("");
  expect(transport.write(Buffer.from("x"), 1)).toBe(-EPIPE);
  send(peer, Buffer.from("still"), 5);
  waitFor(fd, readable);
  expect(transport.read(new Uint8Array(100))).toBe(5);
});

/** A pair whose server side is closed by the transport, not by the test. */
function closedByTransport(reset: boolean): number {
  const { fd, address } = listener();
  const client = tcpSocket("IPv4", SOCK_NONBLOCK);
  connect(client, address);
  waitFor(fd, readable);
  const transport = new PlainTransport(accept4(fd, null, SOCK_NONBLOCK));
  transport.write(Buffer.from("answer"), 6);
  transport.close(reset);
  return client;
}

test("close lets the peer read everything, then the end", () => {
  const peer = closedByTransport(false);
  expect(received(peer)).toBe("answer");
  expect(received(peer)).toBe("");
});

test("close with a reset breaks the connection", () => {
  const peer = closedByTransport(true);
  waitFor(peer, readable);
  const results = [received(peer)];
  if (results[0] === "answer") results[0] = received(peer); // what had arrived before may be read still
  expect(results).toEqual([-ECONNRESET]);
});
