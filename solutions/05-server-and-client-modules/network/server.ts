import {
  accept4,
  close,
  EAGAIN,
  ECONNABORTED,
  EINTR,
  EPOLLIN,
  getsockname,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  type SocketAddress,
} from "expserver-course/linux";
import { Client } from "./client.ts";
import type { Handler, Poller } from "./poller.ts";
import { describeErrno, listenOn } from "./socket.ts";

/** Listens on one address and makes a {@link Client} of each connection. */
export class Server implements Handler {
  /** Where it listens; with the port that the kernel chose when none was asked for. */
  readonly address: SocketAddress;
  readonly #poller: Poller;
  readonly #fd: number;
  readonly #onClient: (client: Client) => void;
  readonly #clients = new Set<Client>();
  #destroyed = false;
  /** Whether accepting has been left alone because it failed. */
  #resting = false;

  /**
   * @param onClient gets each new client and sets its callbacks
   * @throws {SystemCallError} the address cannot be listened on; nothing stays open then
   */
  constructor(poller: Poller, address: SocketAddress, onClient: (client: Client) => void) {
    this.#poller = poller;
    this.#onClient = onClient;
    this.#fd = listenOn(address);
    try {
      this.address = getsockname(this.#fd);
      poller.add(this.#fd, EPOLLIN, this);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /** The clients that are connected now. */
  get clients(): ReadonlySet<Client> {
    return this.#clients;
  }

  onReady(): void {
    const fd = accept4(this.#fd, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) this.#welcome(fd);
    else if (fd !== -EAGAIN && fd !== -ECONNABORTED && fd !== -EINTR) this.#rest(fd);
  }

  onError(error: unknown): void {
    process.stderr.write(`a connection was not taken: ${String(error)}\n`);
  }

  /** Closes the listening socket and all clients. Calling it again does nothing. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#poller.remove(this.#fd);
    close(this.#fd);
    for (const client of [...this.#clients]) client.destroy();
  }

  #welcome(fd: number): void {
    let client: Client;
    try {
      client = new Client(this.#poller, fd, () => this.#forget(client));
    } catch (error) {
      close(fd);
      throw error;
    }
    this.#clients.add(client);
    try {
      this.#onClient(client);
    } catch (error) {
      client.onError(error);
    }
  }

  #forget(client: Client): void {
    this.#clients.delete(client);
    if (this.#resting && !this.#destroyed) {
      this.#resting = false;
      this.#poller.modify(this.#fd, EPOLLIN);
    }
  }

  /**
   * Most likely EMFILE: no descriptor is left. The connection stays in the queue and the socket ready, so that
   * epoll_wait would return at once for ever. We look away until a client has left.
   */
  #rest(errno: number): void {
    if (this.#resting || this.#clients.size === 0) return;
    this.#resting = true;
    this.#poller.modify(this.#fd, 0);
    process.stderr.write(`cannot accept clients until one leaves: ${describeErrno(errno)}\n`);
  }
}
