import type { Loop } from "./core/loop.ts";
import { relay } from "./network/relay.ts";
import type { TcpConnection } from "./network/tcp.ts";
import { type UpstreamAddress, UpstreamConnect } from "./network/upstream.ts";

/**
 * Connects a client with an upstream. The client is not read before the upstream is there: what it sends
 * meanwhile waits in the kernel. Without an upstream the client is closed.
 */
export function relayToUpstream(loop: Loop, client: TcpConnection, upstream: UpstreamAddress): void {
  client.pause();
  const attempt = new UpstreamConnect(loop, upstream, {
    onConnect: (connection) => relay(client, connection),
    onError(error) {
      process.stderr.write(`${error.message}\n`);
      client.endGracefully();
    },
  });
  client.handler = { onData() {}, onEnd() {}, onDrain() {}, onClose: () => attempt.cancel() };
}
