import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { CheckFailure } from "./evidence.ts";
import { listenersOn } from "./listeners.ts";
import { Deadline } from "./machine.ts";
import { TcpListener } from "./tcp-listener.ts";
import { Transcript } from "./transcript.ts";

const deadline = (ms: number) => new Deadline(ms, 1, () => 0);

async function listening(onConnection?: Parameters<typeof TcpListener.listen>[2]) {
  const transcript = new Transcript();
  // The kernel chooses a port; the test asks for it by the listener that has it.
  const { createServer } = await import("node:net");
  const chooser = createServer();
  await once(chooser.listen(0, "127.0.0.1"), "listening");
  const { port } = chooser.address() as { port: number };
  chooser.close();
  await once(chooser, "close");
  const listener = await TcpListener.listen(
    { host: "127.0.0.1", port },
    { transcript, deadline },
    onConnection,
  );
  onTestFinished(() => listener.destroy());
  return { listener, transcript };
}

async function client(port: number) {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

test("gives the connections in the order in which they came", async () => {
  const { listener } = await listening();
  for (const word of ["first", "second"]) {
    (await client(listener.port)).write(word);
    await deadline(5000).until(() => listener.accepted.length === (word === "first" ? 1 : 2), { pollMs: 2 });
  }
  await (await listener.accept()).expect("first");
  await (await listener.accept()).expect("second");
});

test("fails when no connection comes in time", async () => {
  const { listener } = await listening();
  const error = await listener.accept(30).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CheckFailure);
  expect((error as CheckFailure).evidence).toEqual({
    summary: `the program did not connect to 127.0.0.1:${listener.port}`,
    expected: "a connection within 30 ms",
    observed: "none",
  });
});

test("answers by itself where it is told how", async () => {
  const { listener } = await listening((peer) => peer.send("welcome"));
  const socket = await client(listener.port);
  expect(String((await once(socket, "data"))[0])).toBe("welcome");
});

test("stopping frees the port at once and leaves the connections", async () => {
  const { listener } = await listening();
  const socket = await client(listener.port);
  const peer = await listener.accept();
  await listener.stop();
  expect(listenersOn(listener.port)).toEqual([]);
  peer.send("still here");
  expect(String((await once(socket, "data"))[0])).toBe("still here");
});

test("destroying ends the connections too", async () => {
  const { listener } = await listening();
  const socket = await client(listener.port);
  await listener.accept();
  socket.resume();
  const over = once(socket, "end");
  listener.destroy();
  await over;
  expect(listenersOn(listener.port)).toEqual([]);
});

test("tells its steps", async () => {
  const { listener, transcript } = await listening();
  await client(listener.port);
  await listener.accept();
  await listener.stop();
  expect(transcript.steps()).toEqual([
    `the check listens on 127.0.0.1:${listener.port}`,
    "the program connected (connection 1)",
    `the check stopped listening on 127.0.0.1:${listener.port}`,
  ]);
});
