// tcp-proxy [port=8080] [upstream=127.0.0.1:3000]: for each client opens a connection to the upstream
// server and relays the bytes between the two, both ways, until both have ended.
//
// The sockets are blocking and watched level-triggered. A peer that does not read makes send wait, and
// an upstream host that does not answer makes connect wait; all other pairs wait with them.

import {
  AF_INET,
  AF_INET6,
  accept,
  bind,
  close,
  connect,
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
  formatAddress,
  INADDR_ANY,
  isNumericAddress,
  listen,
  recv,
  SHUT_WR,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  type SocketAddress,
  SystemCallError,
  send,
  setsockopt,
  shutdown,
  socket,
  write,
} from "expserver-course/linux";

const usage = "usage: tcp-proxy [port=8080] [upstream=127.0.0.1:3000]";
/** How long we leave the queue alone after accept has failed for want of descriptors or memory. */
const acceptRetryMs = 100;

/** One of the two directions of a pair. */
type Direction = {
  /** The descriptor that the bytes come from. Its number is the key in `directions`. */
  readonly from: number;
  /** The descriptor that they go to: the `from` of the opposite direction. */
  readonly to: number;
  /** No more bytes will come; `to` has been told so with shutdown, and `from` is no longer read. */
  ended: boolean;
};

const { port, upstreamAddress } = argumentsFrom(process.argv.slice(2));
const { listener, epoll } = openServer(port);
/** All directions by the descriptor that their bytes come from: two of them for each pair. */
const directions = new Map<number, Direction>();
/** One batch of events. What does not fit in is told by the next epoll_wait. */
const events = new EpollEvents(256);
/** Where bytes stay between recv and send: one for all, since it is empty again after each event. */
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

  let clientWaits = false;
  for (let i = 0; i < count; i++) {
    const fd = events.data(i);
    if (fd === listener) {
      clientWaits = true;
      continue;
    }
    // Nothing there: an earlier event of this batch has closed the pair, and this one was its other half's.
    const direction = directions.get(fd);
    if (direction !== undefined) relay(direction);
  }
  // Only now. A new pair gets the lowest free numbers, often those of a pair that this batch has closed;
  // the old pair's event, further down in the batch, would then be taken for the new pair's.
  if (clientWaits) acceptClient();
}

/** What the arguments say; ends the program with status 2 when they are wrong. */
function argumentsFrom(args: string[]): { port: number; upstreamAddress: SocketAddress } {
  const [portText = "8080", upstream = "127.0.0.1:3000", surplus] = args;
  if (surplus !== undefined) fail(2, `"${surplus}" is one argument too many; ${usage}`);
  const port = portFrom(portText);
  if (port === undefined) fail(2, `"${portText}" is not a port from 1 to 65535; ${usage}`);
  const upstreamAddress = addressFrom(upstream);
  if (upstreamAddress === undefined) {
    fail(2, `"${upstream}" is not an upstream like 127.0.0.1:3000 or [::1]:3000; ${usage}`);
  }
  return { port, upstreamAddress };
}

function portFrom(text: string): number | undefined {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;
}

/** The address in `127.0.0.1:3000` or `[::1]:3000`. */
function addressFrom(text: string): SocketAddress | undefined {
  const [, ipv6, ipv4, portText] = /^(?:\[(.*:.*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  const host = ipv6 ?? ipv4;
  const port = portFrom(portText ?? "");
  if (host === undefined || port === undefined || !isNumericAddress(host)) return undefined;
  return { host, port };
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
  const upstream = connectUpstream();
  if (upstream < 0) close(client);
  else openPair(client, upstream);
}

/** With false the listener stays in the set, and epoll does not tell when clients are waiting. */
function watchListener(watched: boolean): void {
  epoll_ctl(epoll, EPOLL_CTL_MOD, listener, watched ? EPOLLIN : 0);
  accepting = watched;
}

/** A new connection to the upstream: its descriptor, or -1 when there is none to be had. */
function connectUpstream(): number {
  let upstream: number;
  try {
    upstream = socket(upstreamAddress.host.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    complain(error.message);
    return -1;
  }
  let result = connect(upstream, upstreamAddress);
  while (result === -EINTR) result = connect(upstream, upstreamAddress); // goes on waiting for the same
  if (result < 0) {
    complain(`cannot connect to ${formatAddress(upstreamAddress)}: ${describe(result)}`);
    close(upstream);
    return -1;
  }
  lastComplaint = "";
  return upstream;
}

/** Begins to relay between two connected sockets. */
function openPair(client: number, upstream: number): void {
  const request: Direction = { from: client, to: upstream, ended: false };
  const reply: Direction = { from: upstream, to: client, ended: false };
  try {
    for (const direction of [request, reply]) {
      epoll_ctl(epoll, EPOLL_CTL_ADD, direction.from, EPOLLIN);
      directions.set(direction.from, direction);
    }
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    complain(error.message);
    closePair(request);
  }
}

/** Moves what has come in on one side to the other side: bytes, an end, or the news of a break. */
function relay(direction: Direction): void {
  if (direction.ended) {
    // We do not ask about this side any more, so this is EPOLLERR or EPOLLHUP, which epoll tells unasked:
    // its peer had ended sending, and now the whole connection is broken.
    closePair(direction);
    return;
  }
  const count = recv(direction.from, buffer, buffer.length);
  if (count === -EINTR) return; // the bytes are still there, and so is the event
  if (count === 0) endDirection(direction);
  else if (count < 0 || sendAll(direction.to, buffer.subarray(0, count)) < 0) closePair(direction);
}

/** Passes on that no more bytes come this way. The opposite direction goes on until it ends too. */
function endDirection(direction: Direction): void {
  direction.ended = true;
  const bothEnded = directions.get(direction.to)?.ended === true;
  // All that was read has been sent, so the peer meets this end after the last byte.
  if (bothEnded || shutdown(direction.to, SHUT_WR) < 0) {
    closePair(direction);
    return;
  }
  // The end of a stream stays readable: epoll_wait would return at once for ever. Without EPOLLIN in its
  // mask the side is quiet; taken out of the set, it could not tell of a reset either.
  epoll_ctl(epoll, EPOLL_CTL_MOD, direction.from, 0);
}

/** Ends a pair in any state: both descriptors leave the table and the set, then they are closed. */
function closePair(direction: Direction): void {
  for (const fd of [direction.from, direction.to]) {
    // One that openPair could not add is in neither.
    if (directions.delete(fd)) epoll_ctl(epoll, EPOLL_CTL_DEL, fd);
    close(fd);
  }
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
  print(2, `tcp-proxy: ${sentence}\n`);
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
  print(2, `tcp-proxy: ${sentence}\n`);
  process.exit(status);
}

/** A negative errno in words: `connection reset by peer (ECONNRESET)`. */
function describe(errno: number): string {
  return `${errnoMessage(errno)} (${errnoName(errno)})`;
}
