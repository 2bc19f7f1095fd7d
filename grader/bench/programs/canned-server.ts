/** `canned-server <port> <folder>`: answers each request by the file that it names, read at the start, through `node:http`. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const [port, folder] = process.argv.slice(2) as [string, string];
const bodies = new Map(readdirSync(folder).map((name) => [`/${name}`, readFileSync(join(folder, name))]));

createServer({ keepAliveTimeout: 0 }, (request, response) => {
  const body = bodies.get(request.url!)!;
  response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": body.length });
  response.end(body);
}).listen({ host: "127.0.0.1", port: Number(port), backlog: 4096 });
