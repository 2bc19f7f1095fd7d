// tcp-proxy [port=8080] [upstream=127.0.0.1:3000]: for each client opens a connection to the upstream
// server and relays the bytes between the two, both ways, until both have ended.
//
// Seven gaps are left, marked TODO 1 to TODO 7. TODO 1 is what you know from stage 3; the rest is new. You
// need what you needed there, and connect, shutdown, SHUT_WR and AF_INET6, all from expserver-course/linux.

import {
  EINTR,
  errnoMessage,
  errnoName,
  formatAddress,
  INADDR_ANY,
  isNumericAddress,
  type SocketAddress,
  SystemCallError,
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
/** Where bytes stay between recv and send: one for all, since it is empty again after each event. */
const buffer = new Uint8Array(64 * 1024);
/** Whether the listener is being watched. */
let accepting = true;
/** The last trouble that the operator was told about. */
let lastComplaint = "";

print(1, `listening on ${INADDR_ANY}:${port}\n`);
while (true) {
  // TODO 1: this loop is that of stage 3: the batch of events (made once, above it), epoll_wait, the
  // descriptor of an event.
  const timeout = accepting ? -1 : acceptRetryMs;
  const count: number = todo(`1: wait for events with descriptor ${epoll} and time-out ${timeout}`);
  if (!accepting) watchListener(true);

  for (let i = 0; i < count; i++) {
    const fd: number = todo("1: look at the event");
    // TODO 7: these two lines have two faults, which only show when several things happen at once. Each event
    // can close two descriptors and open two others, and the rest of the batch knows nothing of it.
    if (fd === listener) acceptClient();
    else relay(directions.get(fd)!);
  }
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
    // TODO 1: yours from stage 3.
    return todo(`1: listen on port ${port}`);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    fail(1, error.message);
  }
}

/** Takes one client out of the queue. If more are there, the listener stays ready and we are told again. */
function acceptClient(): void {
  // TODO 1: yours from stage 3 up to the point where there is a client's descriptor.
  const client: number = todo(`1: accept a client from descriptor ${listener}`);
  if (client < 0) {
    complain(`cannot accept clients for now: ${describe(client)}`);
    watchListener(false);
    return;
  }
  const upstream = connectUpstream();
  // TODO 2b: without an upstream there is nothing to relay: close the client.
  openPair(client, upstream);
}

/** With false the listener stays in the set, and epoll does not tell when clients are waiting. */
function watchListener(watched: boolean): void {
  // TODO 1: yours from stage 3.
  accepting = watched;
}

/** A new connection to the upstream: its descriptor, or -1 when there is none to be had. */
function connectUpstream(): number {
  try {
    // TODO 2a: make a socket of the family of upstreamAddress and connect it. connect does not throw: it
    // returns 0 or a negative errno. When it fails, complain(…) with the address and the reason, close the
    // socket and return -1: the proxy goes on.
    return todo(`2: connect to ${formatAddress(upstreamAddress)}`);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    complain(error.message);
    return -1;
  }
}

/** Begins to relay between two connected sockets. */
function openPair(client: number, upstream: number): void {
  const request: Direction = { from: client, to: upstream, ended: false };
  const reply: Direction = { from: upstream, to: client, ended: false };
  // TODO 3: both directions go into `directions`, and the descriptors that they come from into the epoll
  // instance. If epoll_ctl throws, complain and close the pair.
  todo(`3: relay from ${request.from} to ${request.to} and from ${reply.from} to ${reply.to}`);
}

/** Moves what has come in on one side to the other side: bytes, an end, or the news of a break. */
function relay(direction: Direction): void {
  // TODO 6b: an event for a direction that has ended already can only mean that the connection is broken.
  // TODO 4a: one recv from `from`; after -EINTR just return, the event comes again.
  const count: number = todo(`4: receive from descriptor ${direction.from}`);
  // TODO 4b: two faults again. recv can fail, which closes the pair; and it seldom fills the whole buffer.
  if (count === 0) endDirection(direction);
  else if (sendAll(direction.to, buffer) < 0) closePair(direction);
}

/** Passes on that no more bytes come this way. The opposite direction goes on until it ends too. */
function endDirection(direction: Direction): void {
  // TODO 6a: remember that it has ended. Has the opposite one ended too? Then close the pair. Otherwise tell
  // `to` with shutdown, and stop asking epoll about input from `from`, which would be "ready" for ever.
  todo(`6: end the direction from ${direction.from} to ${direction.to}`);
}

/** Ends a pair in any state: both descriptors leave the table and the set, then they are closed. */
function closePair(direction: Direction): void {
  // TODO 5: for both descriptors: out of `directions`, out of the epoll instance, close. If openPair could
  // not add one of them, that one is not in the epoll instance: EPOLL_CTL_DEL would throw ENOENT.
  todo(`5: close descriptors ${direction.from} and ${direction.to}`);
}

/** Sends all the bytes, and waits while the peer takes none. Returns 0 or a negative errno. */
function sendAll(fd: number, bytes: Uint8Array): number {
  // TODO 4b: yours from stage 1.
  return todo(`4: send ${bytes.length} bytes to descriptor ${fd}`);
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

/** Stands where code is missing. Remove it after the last gap is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
