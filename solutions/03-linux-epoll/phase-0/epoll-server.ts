// epoll-server [port=8080]: sends back each message with its bytes reversed, to any number of clients at
// once, in one thread. A message is what one recv returns; a newline at its end stays at its end.
//
// The sockets of the clients are blocking and watched level-triggered. recv never waits, because epoll
// said before that there is something; send waits when a client does not read, and everybody with it.

import {
  AF_INET,
  accept,
  bind,
  close,
  EAGAIN,
  ECONNABORTED,
  EINTR,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLIN,
  EpollEvents,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  errnoMessage,
  errnoName,
  INADDR_ANY,
  listen,
  recv,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SystemCallError,
  send,
  setsockopt,
  socket,
  write,
} from "expserver-course/linux";

const usage = "usage: epoll-server [port=8080]";
const newline = 0x0a;
/** How long we leave the queue alone after accept has failed for want of descriptors or memory. */
const acceptRetryMs = 100;

const port = portFrom(process.argv.slice(2));
const { listener, epoll } = openServer(port);
/** One batch of events. What does not fit in is told by the next epoll_wait. */
const events = new EpollEvents(256);
/** Where recv puts a message: one for all clients, since each is answered before the next is read. */
const buffer = new Uint8Array(64 * 1024);
/** Whether the listener is being watched. */
let accepting = true;
/** The last trouble that the operator was told about. */
let lastComplaint = "";

print(1, `listening on ${INADDR_ANY}:${port}\n`);
while (true) {
  const count = epoll_wait(epoll, events, events.capacity, accepting ? -1 : acceptRetryMs);
  if (count === -EINTR) continue; // for example after Ctrl-Z and fg
  if (count < 0) fail(1, `epoll_wait: ${describe(count)}`);
  if (!accepting) watchListener(true);

  for (let i = 0; i < count; i++) {
    // A descriptor is in a batch once, and only its own event closes it. So no event further down can be
    // about a descriptor that is closed by now, or about a new client that got the number of an old one.
    const fd = events.data(i);
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
    // Non-blocking: a client may give up between epoll_wait and accept, and accept would then wait for
    // the next one while everybody else waits for us. The accepted sockets do not inherit the flag.
    const listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, 1);
    bind(listener, { host: INADDR_ANY, port });
    listen(listener, SOMAXCONN);
    const epoll = epoll_create1();
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
    return { listener, epoll };
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    fail(1, error.message);
  }
}

/** Takes one client out of the queue. If more are there, the listener stays ready and we are told again. */
function acceptClient(): void {
  const client = accept(listener);
  // The client has gone, or a signal came first: nothing is wrong with us.
  if (client === -EAGAIN || client === -ECONNABORTED || client === -EINTR) return;
  if (client < 0) {
    // Most likely EMFILE, no descriptor left. The client stays in the queue and the listener ready, so
    // that epoll_wait would return at once for ever: look away for a moment.
    complain(`cannot accept clients for now: ${describe(client)}`);
    watchListener(false);
    return;
  }
  try {
    epoll_ctl(epoll, EPOLL_CTL_ADD, client, EPOLLIN);
    lastComplaint = "";
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    complain(error.message);
    close(client);
  }
}

/** With false the listener stays in the set, and epoll does not tell when clients are waiting. */
function watchListener(watched: boolean): void {
  epoll_ctl(epoll, EPOLL_CTL_MOD, listener, watched ? EPOLLIN : 0);
  accepting = watched;
}

/** Reads what a client has sent and sends it back reversed; lets go of a client that has left. */
function answer(client: number): void {
  const count = recv(client, buffer, buffer.length);
  if (count === -EINTR) return; // the bytes are still there, and so is the event
  if (count <= 0) {
    drop(client); // 0: it has ended its side; negative: the connection is broken
    return;
  }
  // Only the bytes of this message: behind them lie those of other clients.
  const message = buffer.subarray(0, count);
  reverse(message);
  if (sendAll(client, message) < 0) drop(client);
}

/** Ends the life of a client's descriptor: first out of the set, then closed. */
function drop(client: number): void {
  // close alone takes a descriptor out of the set, but only when no duplicate of it is open anywhere.
  epoll_ctl(epoll, EPOLL_CTL_DEL, client);
  close(client);
}

/** Reverses a message where it stands; a newline at its end stays there. */
function reverse(message: Uint8Array): void {
  const end = message.at(-1) === newline ? message.length - 1 : message.length;
  message.subarray(0, end).reverse();
}

/** Sends all the bytes, and waits while the peer takes none. Returns 0 or a negative errno. */
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
