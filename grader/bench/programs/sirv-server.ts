/** `sirv-server <port> <folder>`: serves a folder by sirv in the way that is meant for production. */
import { createServer } from "node:http";
import sirv from "sirv";

const [port, folder] = process.argv.slice(2) as [string, string];

createServer({ keepAliveTimeout: 0 }, sirv(folder)).listen({
  host: "127.0.0.1",
  port: Number(port),
  backlog: 4096,
});
