// tcp-server [port=8080]: accepts one client, sends back each message with its bytes reversed, and ends
// when the client leaves. A message is what one recv returns; a newline at its end stays at its end.
//
// Five gaps are left, marked TODO 1 to TODO 5. The lesson goes through them one by one. What a gap needs
// from expserver-course/linux stands in it: add the names to the import.

import { EINTR, errnoMessage, errnoName, INADDR_ANY, SystemCallError, write } from "expserver-course/linux";

const usage = "usage: tcp-server [port=8080]";
const newline = 0x0a;

const port = portFrom(process.argv.slice(2));
const listener = openListener(port);
print(1, `listening on ${INADDR_ANY}:${port}\n`);
const client = acceptClient(listener);
const result = serve(client);
if (result < 0) print(2, `the connection broke: ${describe(result)}\n`);
// TODO 3b: the client has left. Close its descriptor, then the listening one (import close).

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
    // TODO 1: import socket, setsockopt, bind, listen, AF_INET, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR.
    //   1. make a socket of the family AF_INET and the type SOCK_STREAM; it is a descriptor, a number;
    //   2. switch its option SO_REUSEADDR, of the level SOL_SOCKET, on: set it to 1;
    //   3. bind it to { host: INADDR_ANY, port };
    //   4. let it listen with a backlog of 16;
    //   5. return the descriptor.
    return todo(`1: listen on port ${port}`);
  } catch (error) {
    // These four calls throw, since without any of them the program cannot go on.
    if (!(error instanceof SystemCallError)) throw error;
    fail(1, error.message);
  }
}

/** Waits until somebody connects; returns the descriptor of that connection. */
function acceptClient(listener: number): number {
  // TODO 2: import accept and ECONNABORTED. In a loop, call accept(listener). It returns
  //   - a descriptor, 0 or more: return it;
  //   - -EINTR (a signal woke us) or -ECONNABORTED (this client gave up while it waited): go on waiting;
  //   - another negative errno: end with fail(1, `accept: ${describe(…)}`).
  return todo(`2: accept a client from descriptor ${listener}`);
}

/** Answers the client's messages. Returns 0 when the client has ended its side, or a negative errno. */
function serve(client: number): number {
  const buffer = new Uint8Array(64 * 1024);
  while (true) {
    // TODO 3a: import recv. Replace the next line: call recv with the client's descriptor, the buffer
    // and the buffer's length. Below it, deal with what it can return instead of a number of bytes:
    //   - -EINTR: go round once more;
    //   - 0: the client has ended its side, and all that it sent has been read: return 0;
    //   - another negative errno: return it.
    const count: number = todo("3: receive a message");

    const message = buffer.subarray(0, count);
    reverse(message);
    const result = sendAll(client, message);
    if (result < 0) return result;
  }
}

/** Reverses a message where it stands; a newline at its end stays there. */
function reverse(message: Uint8Array): void {
  const end = message.at(-1) === newline ? message.length - 1 : message.length;
  // TODO 4: reverse the first `end` bytes. A subarray is a view of the same bytes, and a Uint8Array has
  // a method reverse, which works in place: this takes one line.
  todo(`4: reverse ${end} bytes`);
}

/** Sends all the bytes, in as many steps as the kernel wants. Returns 0 or a negative errno. */
function sendAll(fd: number, bytes: Uint8Array): number {
  // TODO 5: import send. send(fd, bytes, length) returns how many bytes the kernel has taken, and that
  // may be fewer than length; or a negative errno. Call it until all bytes are sent, each time with what
  // is left; after -EINTR call it again; return any other negative errno. `print` below does the same.
  return todo(`5: send ${bytes.length} bytes to descriptor ${fd}`);
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

/** Stands where code is missing. Remove it after the last gap is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
