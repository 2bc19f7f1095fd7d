// epoll-server [port=8080]: sends back each message with its bytes reversed, to any number of clients at
// once, in one thread. A message is what one recv returns; a newline at its end stays at its end.
//
// Six gaps are left, marked TODO 1 to TODO 6. What you wrote in stage 1 may be copied. What is new comes
// from expserver-course/linux too: epoll_create1, epoll_ctl, epoll_wait, EpollEvents, EPOLLIN,
// EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL, SOCK_NONBLOCK, SOMAXCONN and EAGAIN.

import { EINTR, errnoMessage, errnoName, INADDR_ANY, SystemCallError, write } from "expserver-course/linux";

const usage = "usage: epoll-server [port=8080]";
const newline = 0x0a;
/** How long we leave the queue alone after accept has failed for want of descriptors or memory. */
const acceptRetryMs = 100;

const port = portFrom(process.argv.slice(2));
const { listener, epoll } = openServer(port);
// TODO 3: make room for one batch of 256 events (an EpollEvents), and for one message (as in stage 1).
/** Whether the listener is being watched. */
let accepting = true;
/** The last trouble that the operator was told about. */
let lastComplaint = "";

print(1, `listening on ${INADDR_ANY}:${port}\n`);
while (true) {
  const timeout = accepting ? -1 : acceptRetryMs;
  // TODO 3: wait with epoll_wait until there are events, or the time is over. After -EINTR wait again;
  // any other negative errno is the end: fail(1, …).
  const count: number = todo(`3: wait for events with descriptor ${epoll} and time-out ${timeout}`);
  if (!accepting) watchListener(true);

  for (let i = 0; i < count; i++) {
    // TODO 3: the descriptor that event i is about.
    const fd: number = todo("3: look at the event");
    if (fd === listener) acceptClient();
    else answer(fd);
  }
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
  // TODO 4: accept one client. For -EAGAIN, -ECONNABORTED and -EINTR there is nothing to do: return. Add the
  // client's descriptor to the epoll instance, below. Should epoll_ctl throw, then complain, close that
  // client, and go on: nobody else has a part in it.
  const client: number = todo(`4: accept a client from descriptor ${listener}`);
  if (client < 0) {
    // Most likely EMFILE, no descriptor left. The client stays in the queue and the listener ready, so
    // that epoll_wait would return at once for ever: look away for a moment.
    complain(`cannot accept clients for now: ${describe(client)}`);
    watchListener(false);
    return;
  }
}

/** With false the listener stays in the set, and epoll does not tell when clients are waiting. */
function watchListener(watched: boolean): void {
  // TODO 6: change the listener's mask with EPOLL_CTL_MOD, to EPOLLIN or to 0.
  accepting = watched;
}

/** Reads what a client has sent and sends it back reversed; lets go of a client that has left. */
function answer(client: number): void {
  // TODO 5: one recv, no loop: if more has come, epoll tells us again. When the client has ended its side,
  // or the connection is broken, drop this client and return.
  const message: Uint8Array = todo(`5: receive a message from descriptor ${client}`);
  reverse(message);
  if (sendAll(client, message) < 0) drop(client);
}

/** Ends the life of a client's descriptor: first out of the set, then closed. */
function drop(client: number): void {
  // TODO 5: EPOLL_CTL_DEL, then close.
  todo(`5: let go of descriptor ${client}`);
}

/** Reverses a message where it stands; a newline at its end stays there. */
function reverse(message: Uint8Array): void {
  const end = message.at(-1) === newline ? message.length - 1 : message.length;
  message.subarray(0, end).reverse();
}

/** Sends all the bytes, and waits while the peer takes none. Returns 0 or a negative errno. */
function sendAll(fd: number, bytes: Uint8Array): number {
  // TODO 5: yours from stage 1.
  return todo(`5: send ${bytes.length} bytes to descriptor ${fd}`);
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
