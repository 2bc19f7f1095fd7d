import { createServer, type Server, type Socket } from "node:net";
import { CheckFailure, describeMs } from "./evidence.ts";
import type { Deadline } from "./machine.ts";
import { TcpPeer } from "./tcp-client.ts";
import type { Transcript } from "./transcript.ts";

/** A server of the check, for programs that connect: a reverser's stand-in, a proxy's upstream. */
export class TcpListener {
  readonly host: string;
  readonly port: number;
  /** All connections that came, in order. */
  readonly accepted: TcpPeer[] = [];
  #taken = 0;
  readonly #server: Server;
  readonly #options: { transcript: Transcript; deadline: (ms: number) => Deadline };
  readonly #onChange = new Set<() => void>();
  readonly #onConnection: ((peer: TcpPeer) => void) | undefined;

  private constructor(
    server: Server,
    address: { host: string; port: number },
    options: { transcript: Transcript; deadline: (ms: number) => Deadline },
    onConnection?: (peer: TcpPeer) => void,
  ) {
    this.#server = server;
    this.host = address.host;
    this.port = address.port;
    this.#options = options;
    this.#onConnection = onConnection;
  }

  /**
   * Listens on an address.
   * @param onConnection called for each connection as it comes, for servers that answer by themselves
   */
  static async listen(
    address: { host: string; port: number },
    options: { transcript: Transcript; deadline: (ms: number) => Deadline },
    onConnection?: (peer: TcpPeer) => void,
  ): Promise<TcpListener> {
    const server = createServer({ allowHalfOpen: true });
    const listener = new TcpListener(server, address, options, onConnection);
    server.on("connection", (socket) => listener.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ ...address, backlog: 1024 }, resolve);
    });
    options.transcript.step(`the check listens on ${address.host}:${address.port}`);
    return listener;
  }

  #accept(socket: Socket): void {
    const name = `connection ${this.accepted.length + 1} from the program`;
    const peer = new TcpPeer(socket, { ...this.#options, name });
    this.#options.transcript.step(`the program connected (connection ${this.accepted.length + 1})`);
    this.accepted.push(peer);
    this.#onConnection?.(peer);
    for (const callback of [...this.#onChange]) callback();
  }

  /**
   * The next connection that came and was not taken yet.
   * @throws CheckFailure when none comes in time
   */
  async accept(withinMs = 5000): Promise<TcpPeer> {
    const deadline = this.#options.deadline(withinMs);
    const peer = await deadline.until(() => this.accepted[this.#taken], {
      wakeUp: (callback) => {
        this.#onChange.add(callback);
        return () => this.#onChange.delete(callback);
      },
    });
    if (peer === undefined) {
      throw new CheckFailure({
        summary: `the program did not connect to ${this.host}:${this.port}`,
        expected: `a connection within ${describeMs(deadline.limitMs)}`,
        observed: "none",
      });
    }
    this.#taken++;
    return peer;
  }

  /** Stops listening; connections that came go on. Resolves when the port is free. */
  async stop(): Promise<void> {
    this.#options.transcript.step(`the check stopped listening on ${this.host}:${this.port}`);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // close() calls back when the connections are gone too; the port itself is free at once.
    await Promise.race([closed, new Promise<void>((resolve) => setImmediate(resolve))]);
  }

  /** Ends everything. */
  destroy(): void {
    this.#server.close();
    for (const peer of this.accepted) peer.close();
  }
}
