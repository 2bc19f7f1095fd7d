import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { listenersOn, listeningPorts, listeningSockets, readAnswer } from "./listeners.ts";
import { openDescriptors, readProcess, tcpSockets } from "./proc.ts";
import { passedProbe, planFor } from "./testing.ts";

async function listening(port: number, host: string): Promise<{ server: Server; port: number }> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await once(server.listen(port, host), "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

describe("listening sockets", () => {
  test.each(["127.0.0.1", "0.0.0.0", "::1", "::"])("on %s are found, and gone when closed", async (host) => {
    const { server, port } = await listening(0, host);
    expect(listenersOn(port)).toHaveLength(1);
    expect(listenersOn(port)[0]!.port).toBe(port);
    server.close();
    await once(server, "close");
    expect(listenersOn(port)).toEqual([]);
  });

  test("are the same that /proc/net/tcp lists", async () => {
    await listening(0, "127.0.0.1");
    await listening(0, "::1");
    const inodes = (sockets: { inode: number }[]) => new Set(sockets.map(({ inode }) => inode));
    const mine = openDescriptors(process.pid).map(({ target }) => target);
    const own = (set: Set<number>) => [...set].filter((inode) => mine.includes(`socket:[${inode}]`)).sort();
    const fromFile = own(inodes(tcpSockets().filter((socket) => socket.listening)));
    expect(fromFile.length).toBeGreaterThanOrEqual(2);
    expect(own(inodes(listeningSockets()))).toEqual(fromFile);
  });

  test("are not connections, bound sockets or clients", async () => {
    const { server, port } = await listening(0, "127.0.0.1");
    const client = connect(port, "127.0.0.1");
    await Promise.all([once(client, "connect"), once(server, "connection")]);
    expect(listenersOn(client.localPort!)).toEqual([]);
    expect(listenersOn(port)).toHaveLength(1);
    client.destroy();
  });

  test("of given processes are their ports, in order and each once", async () => {
    const { port: one } = await listening(0, "127.0.0.1");
    const { port: other } = await listening(0, "127.0.0.1");
    await listening(one, "127.0.0.2");
    const ports = listeningPorts([readProcess(process.pid)!]);
    expect(ports.filter((port) => port === one || port === other)).toEqual(
      [one, other].sort((a, b) => a - b),
    );
    expect(listeningPorts([])).toEqual([]);
  });

  test("of another process are not this one's", async () => {
    const { port } = await listening(0, "127.0.0.1");
    await passedProbe(planFor("sleep 1000"), async ({ launch, tree }) => {
      launch([]);
      expect(listeningPorts(tree.alive())).not.toContain(port);
    });
  });
});

describe("the kernel's answer", () => {
  /** A netlink message (`man 7 netlink`): length, type, flags, sequence, port, and its payload. */
  function message(type: number, payload: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(16 + payload.length);
    new DataView(bytes.buffer).setUint32(0, bytes.length, true);
    new DataView(bytes.buffer).setUint16(4, type, true);
    bytes.set(payload, 16);
    return bytes;
  }

  /** One socket (`struct inet_diag_msg`): port at offset 4 in network order, inode at 68. */
  function socket(port: number, inode: number): Uint8Array {
    const payload = new DataView(new ArrayBuffer(72));
    payload.setUint16(4, port, false);
    payload.setUint32(68, inode, true);
    return message(20, new Uint8Array(payload.buffer));
  }

  test("has several messages, and goes on until the last one", () => {
    const found: { port: number; inode: number }[] = [];
    expect(readAnswer(Buffer.concat([socket(8080, 7), socket(443, 9)]), found)).toBe(false);
    expect(readAnswer(message(3, new Uint8Array(4)), found)).toBe(true);
    expect(found).toEqual([
      { port: 8080, inode: 7 },
      { port: 443, inode: 9 },
    ]);
  });

  test("that is an error is not taken for an empty list: the kernel has no inet_diag", () => {
    const minusEnoent = new Uint8Array(new Int32Array([-2]).buffer);
    expect(() => readAnswer(message(2, minusEnoent), [])).toThrow("does not answer");
  });
});
