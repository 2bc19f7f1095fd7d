import { isIPv4 } from "node:net";
import { AF_INET, ENOENT } from "../../linux/index.ts";
import { tcpSockets } from "./proc.ts";
import { askKernel, headerBytes, NLMSG_ERROR, question, TCP_LISTEN_STATE } from "./sock-diag.ts";

/** One end of a connection. */
export type Endpoint = { host: string; port: number };

const NLM_F_REQUEST = 1;

/** The question for one socket of IPv4, by its two ends. */
function socketBetween(local: Endpoint, remote: Endpoint): DataView {
  const message = question(AF_INET, NLM_F_REQUEST);
  const id = headerBytes + 8;
  message.setUint16(id, local.port);
  message.setUint16(id + 2, remote.port);
  const bytes = new Uint8Array(message.buffer);
  bytes.set(local.host.split(".").map(Number), id + 4);
  bytes.set(remote.host.split(".").map(Number), id + 20);
  bytes.fill(0xff, id + 40, id + 48); // whatever its cookie
  return message;
}

/** @throws Error when the kernel cannot answer */
function unreadByKernel(local: Endpoint, remote: Endpoint): number | undefined {
  let unread: number | undefined;
  askKernel(socketBetween(local, remote), (bytes) => {
    const answer = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const isError = answer.getUint16(4, true) === NLMSG_ERROR;
    if (isError && answer.getInt32(headerBytes, true) !== -ENOENT) {
      throw new Error("the kernel does not answer such questions");
    }
    // Where there is no such connection, the socket that listens on the port is found.
    const isConnection = !isError && answer.getUint8(headerBytes + 1) !== TCP_LISTEN_STATE;
    if (isConnection) unread = answer.getUint32(headerBytes + 56, true);
    return true;
  });
  return unread;
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
      return unreadByKernel(local, remote);
    } catch {
      // The file tells as well.
    }
  }
  return tcpSockets().find(({ port, remotePort }) => port === local.port && remotePort === remote.port)
    ?.receiveQueue;
}
