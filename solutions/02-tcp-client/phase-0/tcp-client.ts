// tcp-client [port=8080] [host=127.0.0.1]: sends each line of its standard input to a server, waits for
// the reply, which is a line too, and prints it. At the end of the input it ends the conversation.

import {
  AF_INET,
  AF_INET6,
  close,
  connect,
  EINTR,
  errnoMessage,
  errnoName,
  formatAddress,
  isNumericAddress,
  read,
  SHUT_WR,
  SOCK_STREAM,
  type SocketAddress,
  SystemCallError,
  shutdown,
  socket,
  write,
} from "expserver-course/linux";

const usage = "usage: tcp-client [port=8080] [host=127.0.0.1]";
const newline = 0x0a;

/** Puts lines together out of the bytes of a descriptor, which come in pieces of any size. */
class LineReader {
  readonly fd: number;
  readonly onError: (errno: number) => never;
  buffer = new Uint8Array(64 * 1024);
  /** Where the bytes begin that have been read and not yet given out. */
  start = 0;
  /** Where they end, and the next read goes. */
  end = 0;
  /** A terminal can be read again after its end of input; the end is the end all the same. */
  ended = false;

  /** `onError` is told a negative errno when the descriptor cannot be read, and must not return. */
  constructor(fd: number, onError: (errno: number) => never) {
    this.fd = fd;
    this.onError = onError;
  }

  /**
   * The next line with its newline; at the end of the input what is left, without one; after that
   * nothing: an empty array. The bytes lie in the reader's buffer and last until the next call.
   */
  next(): Uint8Array {
    let searched = 0;
    while (true) {
      const at = this.buffer.subarray(0, this.end).indexOf(newline, this.start + searched);
      if (at >= 0) return this.take(at + 1);
      if (this.ended) return this.take(this.end);
      searched = this.end - this.start;

      this.makeRoom();
      const free = this.buffer.subarray(this.end);
      const count = read(this.fd, free, free.length);
      if (count === -EINTR) continue;
      if (count < 0) return this.onError(count);
      if (count === 0) this.ended = true;
      this.end += count;
    }
  }

  take(end: number): Uint8Array {
    const line = this.buffer.subarray(this.start, end);
    this.start = end;
    return line;
  }

  /** Moves the unfinished line to the front; when it fills the whole buffer, takes a larger one. */
  makeRoom(): void {
    this.buffer.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    if (this.end < this.buffer.length) return;
    const larger = new Uint8Array(this.buffer.length * 2);
    larger.set(this.buffer);
    this.buffer = larger;
  }
}

const address = addressFrom(process.argv.slice(2));
const server = openConnection(address);
const input = new LineReader(0, (errno) => fail(1, `cannot read the standard input: ${describe(errno)}`));
const replies = new LineReader(server, connectionLost);

let line = input.next();
while (line.at(-1) === newline) {
  sendLine(line);
  printReply();
  line = input.next();
}
// The input has ended, and `line` is empty or the unfinished last line. The server can answer that only
// when it knows that nothing more comes: end our direction and keep the other one open.
if (line.length > 0) sendLine(line);
shutdown(server, SHUT_WR); // an error means that the connection is gone: printReply will say so
if (line.length > 0) printReply();
close(server);

/** The server's address by the arguments; ends the program with status 2 when they are wrong. */
function addressFrom(args: string[]): SocketAddress {
  const [port = "8080", host = "127.0.0.1", surplus] = args;
  if (surplus !== undefined) fail(2, `"${surplus}" is one argument too many; ${usage}`);
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65535) {
    fail(2, `"${port}" is not a port from 1 to 65535; ${usage}`);
  }
  // A name would have to be looked up first (stage 8).
  if (!isNumericAddress(host)) fail(2, `"${host}" is not a numeric IPv4 or IPv6 address; ${usage}`);
  return { host, port: Number(port) };
}

/** A socket that is connected to the address. */
function openConnection(address: SocketAddress): number {
  const family = address.host.includes(":") ? AF_INET6 : AF_INET;
  try {
    const fd = socket(family, SOCK_STREAM);
    let result = connect(fd, address);
    // A signal ends the wait, not the attempt: on Linux, connect again goes on waiting for it.
    while (result === -EINTR) result = connect(fd, address);
    if (result < 0) fail(1, `cannot connect to ${formatAddress(address)}: ${describe(result)}`);
    return fd;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    fail(1, error.message);
  }
}

/** Sends the line's bytes, and no others. */
function sendLine(line: Uint8Array): void {
  const result = writeAll(server, line);
  if (result < 0) connectionLost(result);
}

/** Waits for a reply and prints it: a line, or what is left when the server ends its side. */
function printReply(): void {
  const reply = replies.next();
  if (reply.length === 0) fail(1, "the server closed the connection without a reply");
  const text = reply.at(-1) === newline ? reply.subarray(0, -1) : reply;
  // In one piece, so that no other program's output comes between. The bytes are not decoded: they
  // need not be UTF-8.
  const result = writeAll(1, Buffer.concat([Buffer.from("[SERVER MESSAGE] "), text, Buffer.from("\n")]));
  if (result < 0) fail(1, `cannot write to the standard output: ${describe(result)}`);
}

/** Writes all the bytes, in as many steps as the kernel wants. Returns 0 or a negative errno. */
function writeAll(fd: number, bytes: Uint8Array): number {
  let written = 0;
  while (written < bytes.length) {
    const rest = bytes.subarray(written);
    const count = write(fd, rest, rest.length);
    if (count === -EINTR) continue;
    if (count < 0) return count;
    written += count;
  }
  return 0;
}

/** Ends the program because the server has reset the connection or does not listen any more. */
function connectionLost(errno: number): never {
  fail(1, `the server closed the connection: ${describe(errno)}`);
}

/** Ends the program with a sentence about the reason. */
function fail(status: number, sentence: string): never {
  writeAll(2, Buffer.from(`tcp-client: ${sentence}\n`));
  process.exit(status);
}

/** A negative errno in words: `connection refused (ECONNREFUSED)`. */
function describe(errno: number): string {
  return `${errnoMessage(errno)} (${errnoName(errno)})`;
}
