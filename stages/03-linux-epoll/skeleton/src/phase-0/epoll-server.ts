// epoll-server [port=8080]: sends back each message with its bytes reversed, to any number of clients at
// once, in one thread. A message is what one recv returns; a newline at its end stays at its end.
//
// Seven gaps are left, marked TODO 1 to TODO 7. What you wrote in stage 1 may be copied. What is new comes
// from expserver-course/linux too: epoll_create1, epoll_ctl, epoll_wait, EpollEvents, EPOLLIN,
// EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL, SOCK_NONBLOCK, SOMAXCONN, EAGAIN and ECONNABORTED.

import { EINTR, errnoMessage, errnoName, INADDR_ANY, SystemCallError, write } from "expserver-course/linux";

const usage = "usage: epoll-server [port=8080]";
const newline = 0x0a;
/** How long we leave the queue alone after accept has failed for want of descriptors or memory. */
const acceptRetryMs = 100;

const port = portFrom(process.argv.slice(2));
const { listener, epoll } = openServer(port);
// TODO 3: make room for one batch of 256 events (new EpollEvents(256)), and for one message.
/** Whether the listener is being watched. */
let accepting = true;
/** The last trouble that the operator was told about. */
let lastComplaint = "";

print(1, `listening on ${INADDR_ANY}:${port}\n`);
while (true) {
  // TODO 4: the event loop. Wait for events without a time limit; after -EINTR wait again, any other
  // negative errno is the end: fail(1, …). Then go through the batch. data(i) tells the descriptor of
  // event i: for the listener call acceptClient, for any other descriptor answer.
  todo(`4: wait for events with descriptor ${epoll}`);
  // TODO 7b: while !accepting, wait no longer than acceptRetryMs, and after each wait call
  // watchListener(true) before going through the batch.
}

/** The port that the arguments name; ends the program with status 2 when they are wrong. */
function portFrom(args: string[]): number {
  const [port = "8080", surplus] = args;
  if (surplus !== undefined) fail(2, `"${surplus}" is one argument too many; ${usage}`);
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65535) {
    fail(2, `"${port}" is not a port from 1 to 65535; ${usage}`);
  }
  return Number(port);
}

/** A socket that listens on the port, and an epoll instance that watches it. */
function openServer(port: number): { listener: number; epoll: number } {
  try {
    // TODO 1: a listening socket as in stage 1, with two differences: its type is
    // SOCK_STREAM | SOCK_NONBLOCK (the lesson says why), and its backlog is SOMAXCONN.
    // TODO 2: an epoll instance (epoll_create1), and the listener added to it with the mask EPOLLIN.
    return todo(`1: listen on port ${port}`);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    fail(1, error.message);
  }
}

/** Takes one client out of the queue. If more are there, the listener stays ready and we are told again. */
function acceptClient(): void {
  // TODO 5: accept one client and add its descriptor to the epoll instance. For -EAGAIN, -ECONNABORTED and
  // -EINTR there is nothing to do: return.
  todo(`5: accept a client from descriptor ${listener}`);
  // TODO 7a: any other negative errno: complain(…) and watchListener(false). And epoll_ctl throws when it
  // cannot add one more: then complain and close that client, and no other one notices.
}

/** With false the listener stays in the set, and epoll does not tell when clients are waiting. */
function watchListener(watched: boolean): void {
  // TODO 7: change the listener's mask with EPOLL_CTL_MOD, to EPOLLIN or to 0.
  accepting = watched;
}

/** Reads what a client has sent and sends it back reversed; lets go of a client that has left. */
function answer(client: number): void {
  // TODO 6: one recv, no loop: if more has come, epoll tells us again. A message is reversed and sent back
  // as in stage 1. When the client has ended its side, or recv or send fails, drop it, and only it.
  todo(`6: answer the client at descriptor ${client}`);
}

/** Ends the life of a client's descriptor: first out of the set, then closed. */
function drop(client: number): void {
  // TODO 6: EPOLL_CTL_DEL, then close.
  todo(`6: let go of descriptor ${client}`);
}

/** Reverses a message where it stands; a newline at its end stays there. */
function reverse(message: Uint8Array): void {
  const end = message.at(-1) === newline ? message.length - 1 : message.length;
  message.subarray(0, end).reverse();
}

/** Sends all the bytes, and waits while the peer takes none. Returns 0 or a negative errno. */
function sendAll(fd: number, bytes: Uint8Array): number {
  // TODO 6: yours from stage 1.
  return todo(`6: send ${bytes.length} bytes to descriptor ${fd}`);
}

/** Tells the operator of a trouble, once until it is over: a flood of messages would be a second trouble. */
function complain(sentence: string): void {
  if (sentence === lastComplaint) return;
  lastComplaint = sentence;
  print(2, `epoll-server: ${sentence}\n`);
}

/**
 * Writes a text to a descriptor by the system call: what `console.log` cannot write at once waits for
 * Node's event loop, and that never gets its turn while ours runs.
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
  print(2, `epoll-server: ${sentence}\n`);
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
