import { close, EPOLLIN, getsockname, type SocketAddress } from "expserver-course/linux";
import type { Client } from "./client.ts";
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
    // TODO 4b: one accept4, non-blocking and close-on-exec. A client that has left meanwhile is no trouble; when there is
    // no descriptor left, #rest.
    todo("4b: accept");
  }

  onError(error: unknown): void {
    process.stderr.write(`a connection was not taken: ${String(error)}\n`);
  }

  /** Closes the listening socket and all clients. Calling it again does nothing. */
  destroy(): void {
    // TODO 4c: once only: out of the poller, close the listening socket, destroy all clients.
    todo("4c: destroy the server");
  }

  #welcome(fd: number): void {
    // TODO 4b: make a Client that calls #forget when it is closed, note it, hand it to #onClient. If the Client cannot be
    // made, its descriptor must not stay open. What #onClient throws is for the client's own onError.
    todo(`4b: a client with descriptor ${fd}`);
  }

  #forget(client: Client): void {
    // TODO 4b: it has left. If accepting rests, it can go on.
    todo(`4b: forget descriptor ${client.fd}`);
  }

  /**
   * Most likely EMFILE: no descriptor is left. The connection stays in the queue and the socket ready, so that
   * epoll_wait would return at once for ever. We look away until a client has left.
   */
  #rest(errno: number): void {
    // TODO 4b: ask for nothing on the listening socket until a client has left, and say so. But with no client of its own
    // it must not rest: others hold the descriptors, and nobody would ever wake it.
    todo(`4b: rest after ${describeErrno(errno)}`);
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
