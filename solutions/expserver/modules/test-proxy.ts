import { INADDR_LOOPBACK } from "expserver-course/linux";
import { onTestFinished } from "vitest";
import type { Module } from "../config/module.ts";
import { persistence } from "../http/persistence.ts";
import { Route, Site, VirtualServer } from "../http/router.ts";
import { TestClient } from "../http/test-session.ts";
import { type TcpConnection, TcpServer } from "../network/tcp.ts";
import type { SteppedLoop } from "../network/test-loop.ts";
import { type ReverseProxyOptions, reverseProxy } from "./reverse-proxy.ts";

/** A server behind the proxy: what it has received, and what it does when a request is complete. */
export class Origin {
  readonly server: TcpServer;
  readonly loop: SteppedLoop;
  /** By connection, all that has come. */
  readonly received: string[] = [];
  readonly connections: TcpConnection[] = [];
  /** Called with what a connection has received, each time that something comes. */
  onRequest: (connection: TcpConnection, text: string, index: number) => void = () => {};

  constructor(loop: SteppedLoop) {
    this.loop = loop;
    this.server = TcpServer.listen(loop.asLoop, { host: INADDR_LOOPBACK, port: 0 }, (connection) => {
      const index = this.connections.push(connection) - 1;
      this.received.push("");
      connection.handler = {
        onData: (bytes, length) => {
          this.received[index] += Buffer.from(bytes.subarray(0, length)).toString("latin1");
          this.onRequest(connection, this.received[index]!, index);
        },
        onEnd: () => connection.end(),
        onDrain() {},
        onClose() {},
      };
    });
    onTestFinished(() => this.server.destroy());
  }

  /** Answers each request, once its head is complete, by a text. */
  answer(text: string): void {
    this.onRequest = (connection, received) => {
      if (received.endsWith("\r\n\r\n")) say(connection, text);
    };
  }
}

/** Sends text, each character as one byte. */
export function say(connection: TcpConnection, text: string): void {
  connection.write(Buffer.from(text, "latin1"));
}

/** What a test wants different from the others. */
type ProxyTest = ReverseProxyOptions & {
  /** Another port than the origin's. */
  port?: number | undefined;
  /** Keys of the route. */
  config?: Record<string, unknown>;
  /** Modules of the server beside the proxy. */
  modules?: Module[];
};

/** A client of a proxy in front of an origin. */
export function proxyClient(
  origin: Origin,
  { port, config, modules = [], ...options }: ProxyTest,
): TestClient {
  const { loop } = origin;
  const server = new VirtualServer([]);
  const route = new Route("/");
  const values = {
    type: "reverse_proxy",
    upstreams: [{ host: INADDR_LOOPBACK, port: port ?? origin.server.address.port }],
    upstream_timeouts: { connect_ms: 3000, read_ms: 5000 },
    trusted_proxies: [],
    ...config,
  };
  const core = { loop: loop.asLoop, own: <T extends { destroy(): void }>(owned: T) => owned };
  for (const module of [persistence(), ...modules]) {
    module.setUpServer?.({ phases: server.phases, config: {} } as never);
  }
  reverseProxy(options).setUpRoute!({ core, config: values, route } as never);
  server.addRoute(route);
  return new TestClient(new Site([server]), loop);
}

/** The value of the first field with a name, in the head of a message. */
export const lineAfter = (text: string, name: string) =>
  new RegExp(`^${name}: (.*)\r$`, "im").exec(text)?.[1];
/** A response with a body. */
export const ok = (body: string, ...fields: string[]) =>
  ["HTTP/1.1 200 OK", `Content-Length: ${body.length}`, ...fields, "", body].join("\r\n");
