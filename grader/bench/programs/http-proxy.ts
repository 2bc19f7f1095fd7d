/** `http-proxy <port> <upstream port>`: a proxy as one writes it on `node:http`, with an agent that keeps its connections. */
import { Agent, createServer, request } from "node:http";

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true });

createServer({ keepAliveTimeout: 0 }, (incoming, response) => {
  const { method, url: path, headers } = incoming;
  const upstream = request({ host: "127.0.0.1", port: upstreamPort, agent, method, path, headers });
  upstream.on("response", (answer) => {
    response.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(response);
  });
  upstream.on("error", () => response.destroy());
  incoming.pipe(upstream);
}).listen({ host: "127.0.0.1", port, backlog: 4096 });
