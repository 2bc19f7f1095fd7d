import { isIPv4 } from "node:net";
import { AF_INET, close, ENOENT, recv, SOCK_CLOEXEC, SOCK_DGRAM, send, socket } from "../../linux/index.ts";
import { tcpSockets } from "./proc.ts";

/** One end of a connection. */
export type Endpoint = { host: string; port: number };

const AF_NETLINK = 16;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const NLMSG_ERROR = 2;
const TCP_LISTEN_STATE = 10;
const IPPROTO_TCP = 6;

const headerBytes = 16;
const requestBytes = headerBytes + 56;

/** The question for one socket of IPv4, by its two ends (`struct inet_diag_req_v2` in `man 7 sock_diag`). */
function question(local: Endpoint, remote: Endpoint): Uint8Array {
  const bytes = new Uint8Array(requestBytes);
  const message = new DataView(bytes.buffer);
  message.setUint32(0, requestBytes, true);
  message.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  message.setUint16(6, NLM_F_REQUEST, true);
  message.setUint8(headerBytes, AF_INET);
  message.setUint8(headerBytes + 1, IPPROTO_TCP);
  const id = headerBytes + 8;
  message.setUint16(id, local.port);
  message.setUint16(id + 2, remote.port);
  bytes.set(local.host.split(".").map(Number), id + 4);
  bytes.set(remote.host.split(".").map(Number), id + 20);
  bytes.fill(0xff, id + 40, id + 48); // whatever its cookie
  return bytes;
}

/** @throws Error when the kernel cannot answer, as where it has no `inet_diag` */
function askKernel(local: Endpoint, remote: Endpoint): number | undefined {
  const fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  try {
    const message = question(local, remote);
    if (send(fd, message, message.length) < 0) throw new Error("the kernel takes no question");
    const answer = new DataView(new ArrayBuffer(4096));
    if (recv(fd, new Uint8Array(answer.buffer), answer.byteLength) < headerBytes + 4) {
      throw new Error("the kernel gives no answer");
    }
    if (answer.getUint16(4, true) === NLMSG_ERROR) {
      if (answer.getInt32(headerBytes, true) === -ENOENT) return undefined;
      throw new Error("the kernel does not answer such questions");
    }
    // Where there is no such connection, the socket that listens on the port is found.
    if (answer.getUint8(headerBytes + 1) === TCP_LISTEN_STATE) return undefined;
    return answer.getUint32(headerBytes + 56, true);
  } finally {
    close(fd);
  }
}

/**
 * Bytes that have arrived at one end of a connection and that its program has not read. The kernel is asked for this one
 * socket: reading `/proc/net/tcp` walks its whole table of connections, some milliseconds a time, and this is asked
 * hundreds of times. That file is read all the same where the question is not allowed (some containers), and for IPv6.
 * @param local the end whose program is meant
 * @param remote the other one
 * @returns `undefined` when there is no such connection
 */
export function unreadBytes(local: Endpoint, remote: Endpoint): number | undefined {
  if (isIPv4(local.host) && isIPv4(remote.host)) {
    try {
      return askKernel(local, remote);
    } catch {
      // The file tells as well.
    }
  }
  return tcpSockets().find(({ port, remotePort }) => port === local.port && remotePort === remote.port)
    ?.receiveQueue;
}
