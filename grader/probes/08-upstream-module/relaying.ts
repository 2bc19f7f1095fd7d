/** Two connections that are joined. */
import type { Loop } from "workspace:core/loop";
import { relay } from "workspace:network/relay";
import { PlainTransport, TcpConnection } from "workspace:network/tcp";
import {
  AF_INET,
  accept4,
  close,
  connect,
  EAGAIN,
  ECONNRESET,
  errnoName,
  F_SETFL,
  fcntl,
  getsockname,
  INADDR_LOOPBACK,
  O_NONBLOCK,
  recv,
  SHUT_WR,
  SO_LINGER,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  send,
  setsockopt,
  shutdown,
  socket,
} from "expserver-course/linux";
import { assert, quote } from "../../engine/evidence.ts";
import { countDescriptors, expectNothingLeft, listenOnly, onLoop, until } from "./surroundings.ts";

/** A connection on the loop, and the descriptor of its peer. */
function connectionOn(loop: Loop): { connection: TcpConnection; peer: number } {
  const listener = listenOnly({ host: INADDR_LOOPBACK, port: 0 });
  const address = getsockname(listener);
  const peer = socket(AF_INET, SOCK_STREAM);
  connect(peer, address);
  const fd = accept4(listener, null, SOCK_NONBLOCK);
  close(listener);
  fcntl(peer, F_SETFL, O_NONBLOCK);
  return { connection: new TcpConnection(loop, new PlainTransport(fd), address), peer };
}

const buffer = new Uint8Array(64 * 1024);

/** Receives until so many bytes are there, or nothing more can come. Says what came, in words. */
async function take(fd: number, length: number): Promise<string> {
  let text = "";
  let over = "nothing";
  await until(() => {
    const count = recv(fd, buffer, Math.max(1, length - text.length));
    if (count > 0) text += Buffer.from(buffer.subarray(0, count)).toString("latin1");
    else if (count === 0) over = "the end of the stream";
    else if (count === -ECONNRESET) over = "a reset";
    else if (count !== -EAGAIN) over = errnoName(count);
    return over !== "nothing" || (length > 0 && text.length >= length);
  });
  return text === "" ? over : quote(Buffer.from(text));
}

async function expectTaken(fd: number, expected: string, what: string, length = 0): Promise<void> {
  const observed = await take(fd, length);
  assert(observed === expected, { summary: `relay does not pass on ${what}`, expected, observed });
}

/** Sends a text at one end, which has to come out at the other one. */
async function pass(from: number, to: number, text: string, what: string): Promise<void> {
  send(from, Buffer.from(text), text.length);
  await expectTaken(to, quote(Buffer.from(text)), what, text.length);
}

/** Bytes, ends and breaks go both ways, and whoever was paused before is read. */
export async function relayProbe(): Promise<void> {
  await onLoop(async (loop) => {
    const before = countDescriptors();
    for (const order of ["one, other", "other, one"]) {
      const one = connectionOn(loop);
      const other = connectionOn(loop);
      one.connection.pause();
      other.connection.pause();
      if (order === "one, other") relay(one.connection, other.connection);
      else relay(other.connection, one.connection);
      await pass(one.peer, other.peer, "there", "bytes");
      await pass(other.peer, one.peer, "and back", "bytes");
      shutdown(one.peer, SHUT_WR);
      await expectTaken(other.peer, "the end of the stream", "an end");
      await pass(other.peer, one.peer, "still here", "bytes behind the other direction's end");
      shutdown(other.peer, SHUT_WR);
      await expectTaken(one.peer, "the end of the stream", "the second end");
      close(one.peer);
      close(other.peer);
      await expectNothingLeft(loop, before, "after both directions have ended");
    }
    const one = connectionOn(loop);
    const other = connectionOn(loop);
    relay(one.connection, other.connection);
    await pass(one.peer, other.peer, "there", "bytes");
    setsockopt(one.peer, SOL_SOCKET, SO_LINGER, 0);
    close(one.peer);
    await expectTaken(other.peer, "a reset", "a reset");
    close(other.peer);
    await expectNothingLeft(loop, before, "after one side broke");
    // One of the two is destroyed by whoever holds it, as when a server ends.
    const third = connectionOn(loop);
    const fourth = connectionOn(loop);
    relay(third.connection, fourth.connection);
    third.connection.destroy();
    const closed = await until(() => fourth.connection.isClosed);
    assert(closed, {
      summary: "when one of two joined connections is destroyed, the other one stays open",
      expected: "that both are closed",
      observed: "the other one is open",
    });
    close(third.peer);
    close(fourth.peer);
    await expectNothingLeft(loop, before, "after one side was destroyed");
  });
}
