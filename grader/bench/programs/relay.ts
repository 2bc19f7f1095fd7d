/**
 * `relay <port> <upstream port>`: relays each connection to 127.0.0.1 on another port, both ways and with
 * half-close, as one writes it on `node:net`: with `pipe`, which brings the flow control.
 */
import { connect, createServer } from "node:net";

const [port, upstreamPort] = process.argv.slice(2).map(Number);

createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const upstream = connect({ host: "127.0.0.1", port: upstreamPort!, allowHalfOpen: true, noDelay: true });
  client.pipe(upstream);
  upstream.pipe(client);
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on("error", () => {}); // a reset; "close" follows
    one.on("close", () => other.destroy());
  }
}).listen({ host: "127.0.0.1", port, backlog: 4096 });
