import { Client } from "workspace:network/client";
import {
  close,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  F_DUPFD_CLOEXEC,
  fcntl,
  MSG_DONTWAIT,
  recv,
  SHUT_WR,
  send,
  shutdown,
} from "expserver-course/linux";
import { assert, count } from "../../engine/evidence.ts";
import { connectedPair, ManualPoller, openDescriptors, untilReady } from "./surroundings.ts";

function maskText(mask: number): string {
  return `the mask 0x${mask.toString(16)}`;
}

/** EPOLLOUT while something waits, and what waits arrives in order. */
export function asksForRoom(): void {
  const poller = new ManualPoller();
  const [ours, theirs] = connectedPair();
  const client = new Client(poller, theirs, () => {});
  const sent = Buffer.alloc(256 * 1024, "0123456789abcdef");
  for (const [start, end] of [
    [0, sent.length - 5],
    [sent.length - 5, sent.length],
  ]) {
    const given = Uint8Array.from(sent.subarray(start, end));
    client.send(given);
    given.fill(0x23); // its owner uses it again
  }
  client.end();
  const asks = () => (poller.mask(theirs) & EPOLLOUT) !== 0;
  assert(asks(), {
    summary: "a client with unsent bytes does not ask for EPOLLOUT",
    expected: "EPOLLOUT in the mask while something waits to be sent",
    observed: maskText(poller.mask(theirs)),
  });
  // Too early: soon the kernel takes nothing (EAGAIN), and that is no error.
  for (let turn = 0; turn < 20; turn++) poller.tell(theirs, EPOLLOUT);
  const received: Buffer[] = [];
  const buffer = new Uint8Array(4096);
  for (;;) {
    const length = recv(ours, buffer, buffer.length, MSG_DONTWAIT);
    if (length === 0) break;
    if (length > 0) {
      received.push(Buffer.from(buffer.subarray(0, length)));
      continue;
    }
    if (!untilReady([[ours, EPOLLIN], ...(asks() ? [[theirs, EPOLLOUT] as [number, number]] : [])])) break;
    if (asks() && untilReady([[theirs, EPOLLOUT]], 0)) poller.tell(theirs, EPOLLOUT);
  }
  const got = Buffer.concat(received);
  assert(got.equals(sent), {
    summary: "what waited was not sent as it was given",
    expected: `${count(sent.length, "byte")} in order, then the end`,
    observed: `${count(got.length, "byte")}${got.length !== sent.length ? "" : got.includes("#") ? ", changed after send had returned: what is kept must be a copy" : " in another order"}`,
  });
  assert(!asks(), {
    summary: "a client without unsent bytes still asks for EPOLLOUT",
    expected: "EPOLLOUT out of the mask when nothing waits: a socket with room is ready all the time",
    observed: maskText(poller.mask(theirs)),
  });
  client.destroy();
  close(ours);
}

/** The peer's end is told once, behind its last bytes, and what is ready for ever is not asked for any more. */
export function tellsEndOnce(): void {
  const poller = new ManualPoller();
  const [ours, theirs] = connectedPair();
  const news: string[] = [];
  const client = new Client(poller, theirs, () => void news.push("closed"));
  client.onData = (bytes, length) => void news.push(Buffer.from(bytes.subarray(0, length)).toString());
  client.onEnd = () => void news.push("end");
  send(ours, Buffer.from("last"), 4);
  shutdown(ours, SHUT_WR);
  untilReady([[theirs, EPOLLRDHUP]]);
  // As often as a level-triggered poller would come back: for the bytes, for the end, and once too often.
  for (let turn = 0; turn < 3; turn++) poller.tell(theirs, EPOLLIN);
  assert(news.join(", ") === "last, end", {
    summary: "a client tells its peer's end in another way than expected",
    expected:
      "onData with the last bytes, then onEnd once; onClose not yet, as the peer may still be reading",
    observed: news.join(", ") || "nothing was told",
  });
  assert((poller.mask(theirs) & EPOLLIN) === 0, {
    summary: "a client goes on asking for EPOLLIN after its peer's end",
    expected:
      "EPOLLIN out of the mask: the end of a stream stays readable, and would wake the loop again and again",
    observed: maskText(poller.mask(theirs)),
  });
  client.end();
  const open = openDescriptors().includes(String(theirs));
  assert(!open && news.at(-1) === "closed" && news.length === 3, {
    summary: "a client whose two streams have ended is not closed",
    expected: "the descriptor closed, and onClose called once",
    observed: `descriptor ${theirs} is ${open ? "open" : "closed"}; told were: ${news.join(", ")}`,
  });
  close(ours);
  closesWhenEndCameFirst();
}

/** Our end first, then the peer's: the last one closes. */
function closesWhenEndCameFirst(): void {
  const poller = new ManualPoller();
  const [ours, theirs] = connectedPair();
  let closed = 0;
  const client = new Client(poller, theirs, () => closed++);
  client.end();
  shutdown(ours, SHUT_WR);
  untilReady([[theirs, EPOLLRDHUP]]);
  // As the kernel tells it: there is an end to read, and both directions are over.
  for (let turn = 0; turn < 3; turn++) poller.tell(theirs, EPOLLIN | EPOLLHUP);
  const open = openDescriptors().includes(String(theirs));
  assert(!open && closed === 1, {
    summary: "a client that had ended its stream first is not closed at its peer's end",
    expected: "the descriptor closed, and onClose called once",
    observed: `descriptor ${theirs} is ${open ? "open" : "closed"}; onClose was called ${count(closed, "time")}`,
  });
  close(ours);
}

/** `destroy` is idempotent, and complete. */
export function destroysOnce(): void {
  const poller = new ManualPoller();
  const [ours, theirs] = connectedPair();
  let closed = 0;
  const client = new Client(poller, theirs, () => closed++);
  client.destroy();
  assert(!poller.watched.has(theirs), {
    summary: "client.destroy() leaves the descriptor in the poller",
    expected: "poller.remove before close",
    observed: `descriptor ${theirs} is watched still`,
  });
  assert(!openDescriptors().includes(String(theirs)) && closed === 1, {
    summary: "client.destroy() does not close its descriptor, or does not tell that it has",
    expected: "close, and then one call of onClose",
    observed: `descriptor ${theirs} is ${openDescriptors().includes(String(theirs)) ? "open" : "closed"}; onClose was called ${count(closed, "time")}`,
  });
  const reused = fcntl(ours, F_DUPFD_CLOEXEC, theirs); // the number as the next accept would give it out
  client.destroy();
  const open = openDescriptors().includes(String(reused));
  assert(open && closed === 1, {
    summary: "client.destroy() acts again when it is called twice",
    expected: "nothing at the second call: the number belongs to another socket by then",
    observed: `${open ? "" : `descriptor ${reused}, of another socket, was closed; `}onClose was called ${count(closed, "time")}`,
  });
  close(reused);
  close(ours);
}
