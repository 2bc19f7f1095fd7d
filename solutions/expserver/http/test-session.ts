import {
  accept4,
  connect,
  EAGAIN,
  EPOLLIN,
  ioctl,
  recv,
  SHUT_WR,
  SIOCOUTQ,
  SO_LINGER,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  send,
  setsockopt,
  shutdown,
} from "expserver-course/linux";
import { onTestFinished } from "vitest";
import { closed, listener, tcpSocket, waitFor } from "../../../linux/test-sockets.ts";
import type { Module } from "../config/module.ts";
import { PlainTransport, TcpConnection } from "../network/tcp.ts";
import { SteppedLoop } from "../network/test-loop.ts";
import type { ContentHandler } from "./response.ts";
import { Route, Site, VirtualServer } from "./router.ts";
import { Session } from "./session.ts";

const buffer = Buffer.alloc(256 * 1024);
/** Where SIOCOUTQ puts its answer. */
const unacknowledged = new Uint8Array(4);

/** A site with one route for everything. Features register as with a configuration. */
export function siteOf(content: ContentHandler, modules: Module[] = [], config = {}): Site {
  const server = new VirtualServer([]);
  const route = new Route("/");
  route.content = content;
  server.addRoute(route);
  for (const module of modules) {
    module.setUpServer?.({ phases: server.phases, config } as never);
    module.setUpRoute?.({ route, config } as never);
  }
  return new Site([server]);
}

/** A client and the session that serves it, on a loop that turns when the test asks for something. */
export class TestClient {
  readonly loop: SteppedLoop;
  readonly session: Session;
  /** The client's socket. */
  readonly fd: number;
  /** How the stream to the client is over: not at all, by its end, or broken. */
  over: "" | "end" | "reset" = "";
  #received = "";

  constructor(site: Site, loop = new SteppedLoop()) {
    this.loop = loop;
    const { fd: listening, address } = listener();
    this.fd = tcpSocket("IPv4", SOCK_NONBLOCK);
    connect(this.fd, address);
    waitFor(listening, EPOLLIN);
    const fd = accept4(listening, null, SOCK_NONBLOCK);
    const connection = new TcpConnection(loop.asLoop, new PlainTransport(fd), address);
    onTestFinished(() => connection.destroy());
    this.session = new Session(connection, site);
  }

  /** Sends text, each character as one byte, and lets the server deal with it. */
  say(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    for (let sent = 0; sent < bytes.length; ) {
      const count = send(this.fd, bytes.subarray(sent), bytes.length - sent);
      if (count > 0) sent += count;
      else if (count !== -EAGAIN) return; // the server has closed
      this.#settle();
    }
    this.#settle();
  }

  /** Sends as much of a text as the kernel takes now. Returns how many bytes that was. */
  sendSome(text: string): number {
    return Math.max(0, send(this.fd, Buffer.from(text, "latin1"), text.length));
  }

  /** Ends the client's stream. */
  end(): void {
    shutdown(this.fd, SHUT_WR);
    this.#settle();
  }

  /** Breaks the connection. */
  reset(): void {
    setsockopt(this.fd, SOL_SOCKET, SO_LINGER, 0);
    closed(this.fd);
    this.#settle();
  }

  /** All that has come since the last call, until nothing more does. */
  receive(): string {
    for (let quietMs = 0, patienceMs = 20; quietMs < patienceMs; ) {
      patienceMs = this.#isUnderWay() ? 1000 : 20; // asked first: what arrives after that is told in this turn
      this.loop.advance(0);
      const told = this.loop.turn(20);
      quietMs = this.#take() === 0 && told === 0 ? quietMs + 20 : 0;
    }
    const received = this.#received;
    this.#received = "";
    return received;
  }

  /** Sends a request and returns what has come for it. */
  ask(text: string): string {
    this.say(text);
    return this.receive();
  }

  /** Turns until nothing is ready; timers that are due at once count as ready. */
  #settle(): void {
    this.loop.advance(0);
    this.loop.settle();
  }

  /** Whether bytes have left one end of a connection and are not at the other yet: that takes its time on a busy machine. */
  #isUnderWay(): boolean {
    return [this.fd, ...this.loop.watched].some((fd) => {
      try {
        ioctl(fd, SIOCOUTQ, unacknowledged);
      } catch {
        return false; // a listening socket
      }
      return new DataView(unacknowledged.buffer).getInt32(0, true) > 0;
    });
  }

  #take(): number {
    const count = this.over === "" ? recv(this.fd, buffer, buffer.length) : 0;
    if (count > 0) this.#received += buffer.toString("latin1", 0, count);
    else if (count === 0 && this.over === "") this.over = "end";
    else if (count < 0 && count !== -EAGAIN) this.over = "reset";
    return Math.max(0, count);
  }
}

/** A request: its first line without the version, more header lines, and its body. */
export function request(line: string, headers: string[] = [], body = "", version = "HTTP/1.1"): string {
  const head = [`${line} ${version}`, "Host: example.org", ...headers];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

/** The parts of the responses in a text: status, fields by lower-case name, and body by Content-Length. */
export function responses(text: string): { status: number; fields: Record<string, string>; body: string }[] {
  const found = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\r\n\r\n", at);
    const [statusLine = "", ...lines] = text.slice(at, end).split("\r\n");
    const fields = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 2),
      ]),
    );
    const start = end + 4;
    at = "content-length" in fields ? start + Number(fields["content-length"]) : text.length;
    found.push({ status: Number(statusLine.split(" ")[1]), fields, body: text.slice(start, at) });
  }
  return found;
}
