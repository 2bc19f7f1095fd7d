/**
 * `line-server <port>`: reverses lines on 127.0.0.1, the newline stays last, as a careful program on
 * `node:net` does it: the bytes of one read are reversed where they lie and leave in one write, without
 * Nagle's algorithm, and a client that does not read is not read from.
 */
import { createServer } from "node:net";

const newline = 10;

createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  let partial: Buffer | undefined;
  client.on("data", (arrived) => {
    const bytes = partial === undefined ? arrived : Buffer.concat([partial, arrived]);
    let line = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, line)) {
      bytes.subarray(line, end).reverse();
      line = end + 1;
    }
    partial = line < bytes.length ? bytes.subarray(line) : undefined;
    if (line > 0 && !client.write(line < bytes.length ? bytes.subarray(0, line) : bytes)) client.pause();
  });
  client.on("drain", () => client.resume());
  client.on("end", () => {
    if (partial !== undefined) client.write(partial.reverse());
    client.end();
  });
  client.on("error", () => {}); // a reset; "close" follows, and there is nothing to give back
}).listen({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 });
