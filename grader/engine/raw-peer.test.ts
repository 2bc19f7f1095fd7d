import { describe, expect, test } from "vitest";
import { heldConnections } from "./connections.ts";
import { nodePlan, passedProbe } from "./testing.ts";

/** A server that sends nothing and reads only when a line comes on its standard input. */
const reluctant = `
  require("node:net").createServer({ pauseOnConnect: true }, (socket) => {
    process.stdin.once("data", () => socket.resume().on("data", (bytes) => socket.write(bytes)));
  }).listen(Number(process.argv[2]), "127.0.0.1");
`;

const MiB = 1024 * 1024;

describe("a raw client", () => {
  test("floods until the kernel takes no more, and reads every byte when the server answers", async () => {
    await passedProbe(nodePlan(reluctant), async ({ start, connectRaw }) => {
      const server = await start();
      const client = await connectRaw(server, { sendBuffer: 64 * 1024 });
      const pattern = Buffer.from("0123456789abcdef".repeat(1000));
      expect(await client.floodUntilStuck(pattern, 64 * MiB)).toBe(true);
      expect(client.sent).toBeGreaterThan(64 * 1024);
      expect(client.sendSome(pattern)).toBe(0);
      server.write("go on\n");
      const received: Buffer[] = [];
      expect(await client.receive(client.sent, (bytes) => void received.push(Buffer.from(bytes)))).toBe(true);
      expect(Buffer.concat(received).equals(Buffer.alloc(client.sent, pattern))).toBe(true);
    });
  });

  test("gives up a flood that nothing stops", async () => {
    const greedy = `require("node:net").createServer((socket) => socket.resume()).listen(Number(process.argv[2]))`;
    await passedProbe(nodePlan(greedy), async ({ start, connectRaw }) => {
      const client = await connectRaw(await start());
      expect(await client.floodUntilStuck(Buffer.alloc(64 * 1024), 32 * MiB)).toBe(false);
      expect(client.sent).toBeGreaterThanOrEqual(32 * MiB);
    });
  });

  test("tells how its connection ended", async () => {
    const rude = `require("node:net").createServer((socket) => socket.resetAndDestroy()).listen(Number(process.argv[2]))`;
    await passedProbe(nodePlan(rude), async ({ start, connectRaw }) => {
      const client = await connectRaw(await start());
      expect(await client.receive(1, () => {})).toBe(false);
      expect(client.broken).toBe("ECONNRESET");
      expect(client.over).toBe(true);
    });
  });
});

test("connections that a server holds are found with their flags and the masks of its epoll sets", async () => {
  await passedProbe(nodePlan(reluctant), async ({ start, connectRaw, tree, waitFor }) => {
    const server = await start();
    await connectRaw(server);
    const held = await waitFor(() => {
      const found = heldConnections(tree.alive(), server.port);
      return found.length > 0 && found;
    }, 5000);
    expect(held).toEqual([
      expect.objectContaining({ pid: server.pid, flags: expect.any(Number), watchedFor: expect.any(Array) }),
    ]);
    expect(held![0]!.flags & 0o4000).toBe(0o4000); // Node's sockets do not block
  });
});
