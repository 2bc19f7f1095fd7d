import { AF_INET, AF_INET6 } from "../../linux/index.ts";
import { openDescriptors, type ProcessStat, tcpSockets } from "./proc.ts";
import { askKernel, headerBytes, NLMSG_ERROR, question, TCP_LISTEN_STATE } from "./sock-diag.ts";

/** A listening TCP socket of this network namespace. */
export type ListeningSocket = { port: number; inode: number };

const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_DONE = 3;

/** The question for all listening TCP sockets of an address family. */
function listeners(family: number): DataView {
  const message = question(family, NLM_F_REQUEST_DUMP);
  message.setUint32(headerBytes + 4, 1 << TCP_LISTEN_STATE, true);
  return message;
}

/**
 * Reads one answer's messages.
 * @returns whether the last one has come
 * @throws Error when the kernel cannot answer, as where it has no `inet_diag`
 */
export function readAnswer(bytes: Uint8Array, found: ListeningSocket[]): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG_ERROR) throw new Error("the kernel does not answer such questions");
    if (type === NLMSG_DONE) return true;
    const body = at + headerBytes;
    found.push({ port: view.getUint16(body + 4, false), inode: view.getUint32(body + 68, true) });
    at += (length + 3) & ~3;
  }
  return false;
}

/**
 * All listening TCP sockets. The kernel is asked for these alone: reading `/proc/net/tcp` walks its whole
 * table of connections, 7 ms a time on a machine with the usual 262,144 buckets. Where the question is
 * not allowed (some containers), that file is read all the same.
 */
export function listeningSockets(): ListeningSocket[] {
  try {
    const found: ListeningSocket[] = [];
    for (const family of [AF_INET, AF_INET6])
      askKernel(listeners(family), (answer) => readAnswer(answer, found));
    return found;
  } catch {
    return tcpSockets().filter(({ listening }) => listening);
  }
}

/** The listening sockets on a port. */
export function listenersOn(port: number): ListeningSocket[] {
  return listeningSockets().filter((socket) => socket.port === port);
}

/** The ports on which these processes listen, in order. */
export function listeningPorts(processes: ProcessStat[]): number[] {
  const held = new Set(processes.flatMap(({ pid }) => openDescriptors(pid).map(({ target }) => target)));
  const ports = listeningSockets()
    .filter(({ inode }) => held.has(`socket:[${inode}]`))
    .map(({ port }) => port);
  return [...new Set(ports)].sort((a, b) => a - b);
}
