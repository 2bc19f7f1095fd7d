import { close, recv, SOCK_CLOEXEC, SOCK_DGRAM, send, socket } from "../../linux/index.ts";

const AF_NETLINK = 16;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const IPPROTO_TCP = 6;

/** The type of a message that says why there is no answer (`man 7 netlink`). */
export const NLMSG_ERROR = 2;
/** The state of a listening socket. */
export const TCP_LISTEN_STATE = 10;
/** Bytes of `struct nlmsghdr`, before each message. */
export const headerBytes = 16;
const requestBytes = headerBytes + 56;

/**
 * A question about TCP sockets of an address family (`struct inet_diag_req_v2` in `man 7 sock_diag`). What is not set
 * in it after this is 0.
 * @param flags of its header: NLM_F_REQUEST, and NLM_F_DUMP for more than one socket
 */
export function question(family: number, flags: number): DataView {
  const message = new DataView(new ArrayBuffer(requestBytes));
  message.setUint32(0, requestBytes, true);
  message.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  message.setUint16(6, flags, true);
  message.setUint8(headerBytes, family);
  message.setUint8(headerBytes + 1, IPPROTO_TCP);
  return message;
}

/**
 * Asks the kernel, and gives its answers to `take` until that returns true.
 * @param take looks at one answer, which is overwritten by the next
 * @throws Error when the kernel cannot be asked, as where it has no `inet_diag`
 */
export function askKernel(message: DataView, take: (answer: Uint8Array) => boolean): void {
  const fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  try {
    const buffer = new Uint8Array(64 * 1024);
    const bytes = new Uint8Array(message.buffer);
    if (send(fd, bytes, bytes.length) < 0) throw new Error("the kernel takes no question");
    for (let isOver = false; !isOver; ) {
      const length = recv(fd, buffer, buffer.length);
      if (length < 0) throw new Error("the kernel gives no answer");
      isOver = take(buffer.subarray(0, length));
    }
  } finally {
    close(fd);
  }
}
