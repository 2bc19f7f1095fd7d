import {
  accept4,
  connect,
  EAGAIN,
  ECONNRESET,
  EPOLLIN,
  recv,
  SHUT_WR,
  SO_LINGER,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  send,
  setsockopt,
  shutdown,
} from "expserver-course/linux";
import { expect, onTestFinished, test } from "vitest";
import { closed, listener, tcpSocket, waitFor } from "../../../linux/test-sockets.ts";
import { relay } from "./relay.ts";
import { PlainTransport, TcpConnection } from "./tcp.ts";
import { SteppedLoop } from "./test-loop.ts";

const KiB = 1024;
const buffer = new Uint8Array(256 * KiB);

/** One of two joined connections, and its peer: what a client or an upstream would hold. */
class Side {
  readonly connection: TcpConnection;
  readonly peer: number;
  readonly #pieces: Buffer[] = [];
  /** How the peer's stream is over: `end`, `reset`, or not at all. */
  over = "";

  constructor(loop: SteppedLoop) {
    const { fd: listening, address } = listener();
    this.peer = tcpSocket("IPv4", SOCK_NONBLOCK);
    // Small buffers, so that little fills them.
    setsockopt(this.peer, SOL_SOCKET, SO_RCVBUF, 16 * KiB);
    connect(this.peer, address);
    waitFor(listening, EPOLLIN);
    const fd = accept4(listening, null, SOCK_NONBLOCK);
    this.connection = new TcpConnection(loop.asLoop, new PlainTransport(fd), address);
    onTestFinished(() => this.connection.destroy());
  }

  say(text: string): void {
    send(this.peer, Buffer.from(text), text.length);
  }

  end(): void {
    shutdown(this.peer, SHUT_WR);
  }

  reset(): void {
    setsockopt(this.peer, SOL_SOCKET, SO_LINGER, 0);
    closed(this.peer);
  }

  /** Takes what has come. */
  take(): void {
    for (;;) {
      const count = recv(this.peer, buffer, buffer.length);
      if (count === -EAGAIN) return;
      if (count <= 0) {
        this.over = count === 0 ? "end" : count === -ECONNRESET ? "reset" : `error ${count}`;
        return;
      }
      this.#pieces.push(Buffer.from(buffer.subarray(0, count)));
    }
  }

  get received(): string {
    return Buffer.concat(this.#pieces).toString();
  }
}

function joined() {
  const loop = new SteppedLoop();
  const [client, upstream] = [new Side(loop), new Side(loop)];
  client.connection.pause();
  relay(client.connection, upstream.connection);
  const settle = () => {
    loop.settle();
    client.take();
    upstream.take();
  };
  return { loop, client, upstream, settle };
}

test("bytes go both ways, also from a side that was paused", () => {
  const { client, upstream, settle } = joined();
  client.say("there");
  upstream.say("and back");
  settle();
  expect(upstream.received).toBe("there");
  expect(client.received).toBe("and back");
});

test("each direction ends by itself, and after both ends both connections are closed", () => {
  const { client, upstream, settle } = joined();
  client.say("request");
  client.end();
  settle();
  expect(upstream).toMatchObject({ over: "end" });
  upstream.say("reply");
  settle();
  expect(client).toMatchObject({ received: "reply", over: "" });
  upstream.end();
  settle();
  expect(client.over).toBe("end");
  expect([client.connection.isClosed, upstream.connection.isClosed]).toEqual([true, true]);
});

test("a break is passed on as a break", () => {
  for (const breaking of ["client", "upstream"] as const) {
    const { client, upstream, settle } = joined();
    const other = breaking === "client" ? upstream : client;
    (breaking === "client" ? client : upstream).reset();
    settle();
    expect(other.over).toBe("reset");
  }
});

test("a break that comes together with the other side's end is a break", () => {
  const { client, upstream, settle } = joined();
  upstream.say("part of the rep");
  settle();
  client.end();
  upstream.reset();
  settle();
  expect(client.over).toBe("reset");
});

test("a side that does not read holds the other one back", () => {
  const { client, upstream, loop } = joined();
  setsockopt(client.connection.transport.fd, SOL_SOCKET, SO_SNDBUF, 4 * KiB);
  const piece = Buffer.alloc(64 * KiB, "x");
  let sent = 0;
  for (let stuck = 0; stuck < 3; ) {
    const count = send(upstream.peer, piece, piece.length);
    if (count > 0) sent += count;
    stuck = count > 0 ? 0 : stuck + 1;
    loop.settle();
  }
  // What it holds itself: less than a full queue and the piece that filled it.
  expect(upstream.connection.bytesReceived - client.connection.bytesSent).toBeLessThanOrEqual(128 * KiB);
  upstream.end();
  while (client.over === "") {
    client.take();
    loop.turn(10);
  }
  expect(client.received.length).toBe(sent);
  expect(client.over).toBe("end");
});

test("an upstream that has said everything and breaks then costs the client nothing of it", () => {
  const { client, upstream, loop } = joined();
  setsockopt(client.connection.transport.fd, SOL_SOCKET, SO_SNDBUF, 4 * KiB);
  const answer = Buffer.alloc(48 * KiB, "answer");
  expect(send(upstream.peer, answer, answer.length)).toBe(answer.length);
  upstream.end();
  loop.settle();
  upstream.reset(); // it does not take the upload that is still coming
  client.say("more of the upload");
  for (let turn = 0; turn < 1000 && client.over === ""; turn++) {
    loop.turn(10);
    client.take();
  }
  expect(client.received.length).toBe(answer.length);
  expect(client.over).toBe("end");
});

test("when one is destroyed by its owner, the other one is cut", () => {
  const { client, upstream, settle } = joined();
  client.connection.destroy();
  settle();
  expect(upstream.connection.isClosed).toBe(true);
  expect(upstream.over).toBe("reset");
});
