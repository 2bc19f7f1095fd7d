// tcp-client [port=8080] [host=127.0.0.1]: sends each line of its standard input to a server, waits for
// the reply, which is a line too, and prints it. At the end of the input it ends the conversation.
//
// Six gaps are left, marked TODO 1 to TODO 6, and they are wider than those of the server. You need from
// expserver-course/linux, by and by: socket, connect, read, write, shutdown, close, AF_INET, AF_INET6,
// SOCK_STREAM, SHUT_WR, EINTR, SystemCallError and formatAddress.

import { errnoMessage, errnoName, isNumericAddress, type SocketAddress } from "expserver-course/linux";

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
    // TODO 4: in a loop,
    //   - is there a newline between start and end? Then give out the bytes up to and including it;
    //   - has the input ended? Then give out what is left;
    //   - otherwise make room behind end, read as many bytes as fit there, and look again.
    // Giving out means: return the view of the buffer, and move start behind it.
    return todo(`4: read a line from descriptor ${this.fd}`);
  }
}

const address = addressFrom(process.argv.slice(2));
const server = openConnection(address);
const input = new LineReader(0, (errno) => fail(1, `cannot read the standard input: ${describe(errno)}`));
const replies = new LineReader(server, connectionLost);

const line = input.next();
// TODO 5: for each line that ends in a newline: sendLine, printReply, next line.
sendLine(line);
printReply();
// TODO 6: now the input has ended. An unfinished last line, if there is one, is sent as it is; then end
// our direction of the connection; then wait for the reply to that last line, if there was one; close.

/** The server's address by the arguments; ends the program with status 2 when they are wrong. */
function addressFrom(args: string[]): SocketAddress {
  const [port = "8080", host = "127.0.0.1", surplus] = args;
  // TODO 2: refuse a surplus argument, a wrong port and a host that is no numeric address (below) in one
  // sentence that names the argument and ends in the usage, with status 2, as your server does.
  if (surplus !== undefined || !isNumericAddress(host)) fail(2, usage);
  return { host, port: Number(port) };
}

/** A socket that is connected to the address. */
function openConnection(address: SocketAddress): number {
  // TODO 3: make a socket of the family of the address and connect it. socket throws; connect returns 0
  // or a negative errno. After -EINTR call connect again. The sentence for a user names the address
  // (formatAddress) and the reason (describe); the status is 1.
  return todo(`3: connect to ${address.host}`);
}

/** Sends the line's bytes, and no others. */
function sendLine(line: Uint8Array): void {
  const result = writeAll(server, line);
  if (result < 0) connectionLost(result);
}

/** Waits for a reply and prints it: a line, or what is left when the server ends its side. */
function printReply(): void {
  const reply = replies.next();
  // TODO 5: an empty reply means that the server ended its side: fail, with a sentence that begins with
  // "the server closed the connection". Otherwise print "[SERVER MESSAGE] ", the reply without its
  // newline, and a newline, with one call of writeAll. Do not decode the bytes.
  const text = reply.at(-1) === newline ? reply.subarray(0, -1) : reply;
  todo(`5: print a reply of ${text.length} bytes`);
}

/** Writes all the bytes, in as many steps as the kernel wants. Returns 0 or a negative errno. */
function writeAll(fd: number, bytes: Uint8Array): number {
  // TODO 1: as sendAll in your server, with write: it serves sockets, pipes, files and terminals alike.
  return todo(`1: write ${bytes.length} bytes to descriptor ${fd}`);
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

/** Stands where code is missing. Remove it after the last gap is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
