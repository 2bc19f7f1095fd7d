import { formatAddress } from "expserver-course/linux";
import type { Loop } from "./core/loop.ts";
import type { TcpConnection } from "./network/tcp.ts";
import type { UpstreamAddress } from "./network/upstream.ts";

/**
 * Connects a client with an upstream. The client is not read before the upstream is there: what it sends
 * meanwhile waits in the kernel. Without an upstream the client is closed.
 */
export function relayToUpstream(loop: Loop, client: TcpConnection, upstream: UpstreamAddress): void {
  // TODO 2a: pause the client, and begin an UpstreamConnect; when the connection is there, relay.
  // TODO 5c: when it fails, one line on stderr, and an end for the client. And a client that leaves meanwhile needs no
  // upstream any more: cancel.
  todo(`2a: connect ${formatAddress(client.peer)} with ${formatAddress(upstream)} on ${loop.now}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
