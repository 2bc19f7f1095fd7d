import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Deadline } from "./machine.ts";
import { tcpSockets } from "./proc.ts";
import { unreadBytes } from "./receive-queue.ts";

const until = (condition: () => boolean) => new Deadline(5000, 1, () => 0).until(condition, { pollMs: 2 });

/** A client, the other end of its connection, and where both are. */
async function pair(listensOn: string, host: string) {
  const server = createServer({ pauseOnConnect: true });
  onTestFinished(() => void server.close());
  await once(server.listen(0, listensOn), "listening");
  const client = connect((server.address() as AddressInfo).port, host);
  onTestFinished(() => void client.destroy());
  const [[accepted]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
  onTestFinished(() => void accepted.destroy());
  const own = { host: client.localAddress!, port: client.localPort! };
  const theirs = { host: client.remoteAddress!, port: client.remotePort! };
  return { client, accepted, own, theirs };
}

test.each([
  ["0.0.0.0", "127.0.0.1"],
  ["127.0.0.2", "127.0.0.2"],
  ["::", "127.0.0.1"],
  ["::1", "::1"],
])("what the program that listens on %s has not read from a client of %s is counted", async (on, host) => {
  const { client, accepted, own, theirs } = await pair(on, host);
  expect(unreadBytes(theirs, own)).toBe(0);
  client.write(Buffer.alloc(12_345));
  expect(await until(() => unreadBytes(theirs, own) === 12_345)).toBe(true);
  expect(unreadBytes(own, theirs)).toBe(0);
  expect(unreadBytes(theirs, own)).toBe(
    tcpSockets().find(({ port, remotePort }) => port === theirs.port && remotePort === own.port)
      ?.receiveQueue,
  );
  accepted.resume();
  expect(await until(() => unreadBytes(theirs, own) === 0)).toBe(true);
});

test("a connection that is not there has no count, although somebody listens on the port", async () => {
  const { client, own, theirs } = await pair("127.0.0.1", "127.0.0.1");
  client.resetAndDestroy();
  expect(await until(() => unreadBytes(theirs, own) === undefined)).toBe(true);
});
