import type { Loop } from "../core/loop.ts";
import type { TcpConnection } from "../network/tcp.ts";
import { type UpstreamAddress, UpstreamConnect, type UpstreamError } from "../network/upstream.ts";

/** Who waits for a connection to an upstream. One of the two is called, once. */
export interface UpstreamUser {
  /**
   * The connection is there; set its handler now.
   * @param isReused it has served before, and its peer may be closing it at this moment
   */
  onUpstream(connection: TcpConnection, isReused: boolean): void;
  onUpstreamError(error: UpstreamError): void;
}

/** Where connections to upstreams come from, and where they go after an exchange. */
export interface UpstreamConnections {
  /** Whether connections go on after a response: the upstream is told. */
  readonly persists: boolean;
  /**
   * Gets a connection, now or later.
   * @param isFresh do not take one that has served before
   * @returns gives the attempt up
   */
  acquire(address: UpstreamAddress, user: UpstreamUser, isFresh: boolean): () => void;
  /** A whole exchange has taken place on a connection, and its upstream lets it go on. */
  release(address: UpstreamAddress, connection: TcpConnection): void;
  /** Gives up connections that nobody uses. Calling it again does nothing. */
  destroy(): void;
}

/** Makes the connections of a route. */
export type ConnectionsFactory = (loop: Loop, connectMs: number) => UpstreamConnections;

/** A connection for each exchange. */
export const freshConnections: ConnectionsFactory = (loop, connectMs) => ({
  persists: false,
  acquire: (address, user) => connectFresh(loop, connectMs, address, user),
  release: (_address, connection) => connection.endGracefully(),
  destroy() {},
});

/** Makes a new connection. Returns what gives the attempt up. */
export function connectFresh(
  loop: Loop,
  connectMs: number,
  address: UpstreamAddress,
  user: UpstreamUser,
): () => void {
  const handler = {
    onConnect: (connection: TcpConnection) => user.onUpstream(connection, false),
    onError: (error: UpstreamError) => user.onUpstreamError(error),
  };
  const attempt = new UpstreamConnect(loop, address, handler, connectMs);
  return () => attempt.cancel();
}
