// tcp-server [port=8080]: accepts one client, sends back each message with its bytes reversed, and ends
// when the client leaves. A message is what one recv returns; a newline at its end stays at its end.

import {
  AF_INET,
  accept,
  bind,
  close,
  ECONNABORTED,
  EINTR,
  errnoMessage,
  errnoName,
  INADDR_ANY,
  listen,
  recv,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  SystemCallError,
  send,
  setsockopt,
  socket,
  write,
} from "expserver-course/linux";

const usage = "usage: tcp-server [port=8080]";
const newline = 0x0a;

const port = portFrom(process.argv.slice(2));
const listener = openListener(port);
print(1, `listening on ${INADDR_ANY}:${port}\n`);
const client = acceptClient(listener);
const result = serve(client);
if (result < 0) print(2, `the connection broke: ${describe(result)}\n`);
close(client);
close(listener);

/** The port that the arguments name; ends the program with status 2 when they are wrong. */
function portFrom(args: string[]): number {
  const [port = "8080", surplus] = args;
  if (surplus !== undefined) fail(2, `"${surplus}" is one argument too many; ${usage}`);
  // Number() alone would also take "", "0x50", "1e3" and " 80 ".
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65535) {
    fail(2, `"${port}" is not a port from 1 to 65535; ${usage}`);
  }
  return Number(port);
}

/** A socket that listens on the port at every IPv4 address of this machine. */
function openListener(port: number): number {
  try {
    const fd = socket(AF_INET, SOCK_STREAM);
    // Without it, bind refuses for a minute a port on which a connection of our predecessor is dying.
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    bind(fd, { host: INADDR_ANY, port });
    // One client is all we serve; others may queue here, connected in their own eyes, and wait in vain.
    listen(fd, 16);
    return fd;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    fail(1, error.message);
  }
}

/** Waits until somebody connects; returns the descriptor of that connection. */
function acceptClient(listener: number): number {
  while (true) {
    const fd = accept(listener);
    if (fd >= 0) return fd;
    // A signal woke us, or this client gave up while it stood in the queue: wait for the next.
    if (fd === -EINTR || fd === -ECONNABORTED) continue;
    fail(1, `accept: ${describe(fd)}`);
  }
}

/** Answers the client's messages. Returns 0 when the client has ended its side, or a negative errno. */
function serve(client: number): number {
  const buffer = new Uint8Array(64 * 1024);
  while (true) {
    const count = recv(client, buffer, buffer.length);
    if (count === -EINTR) continue;
    if (count <= 0) return count; // 0: the client has ended its side, and all it sent has been read

    // The rest of the buffer holds what earlier messages left there: it must not go out.
    const message = buffer.subarray(0, count);
    reverse(message);
    const result = sendAll(client, message);
    if (result < 0) return result;
  }
}

/** Reverses a message where it stands; a newline at its end stays there. */
function reverse(message: Uint8Array): void {
  const end = message.at(-1) === newline ? message.length - 1 : message.length;
  message.subarray(0, end).reverse();
}

/** Sends all the bytes, in as many steps as the kernel wants. Returns 0 or a negative errno. */
function sendAll(fd: number, bytes: Uint8Array): number {
  let sent = 0;
  while (sent < bytes.length) {
    const rest = bytes.subarray(sent);
    const count = send(fd, rest, rest.length);
    if (count === -EINTR) continue;
    if (count < 0) return count;
    sent += count;
  }
  return 0;
}

/**
 * Writes a text to a descriptor by the system call. `console.log` would hand to Node's event loop
 * what a full pipe does not take at once, and a program that blocks in accept never gets there.
 */
function print(fd: number, text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    const count = write(fd, rest, rest.length);
    if (count === -EINTR) continue;
    if (count < 0) return; // nobody reads our output: no reason to stop serving
    rest = rest.subarray(count);
  }
}

/** Ends the program with a sentence about the reason. */
function fail(status: number, sentence: string): never {
  print(2, `tcp-server: ${sentence}\n`);
  process.exit(status);
}

/** A negative errno in words: `connection reset by peer (ECONNRESET)`. */
function describe(errno: number): string {
  return `${errnoMessage(errno)} (${errnoName(errno)})`;
}
