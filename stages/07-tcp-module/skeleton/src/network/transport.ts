import {
  close,
  EPOLLIN,
  MSG_PEEK,
  recv,
  SHUT_WR,
  SO_LINGER,
  SOL_SOCKET,
  send,
  sendfile,
  setsockopt,
  shutdown,
} from "expserver-course/linux";

/** What is known of an encrypted connection. */
export type TlsInfo = {
  /** `TLSv1.2` or `TLSv1.3`. */
  protocol: string;
  /** The host that the client asked for (SNI, RFC 6066 §3). */
  serverName: string | undefined;
};

/**
 * How a connection's bytes get to the kernel and from it. Results are those of the data path: a count, or a negative
 * errno; -EAGAIN means that {@link wants} has to come first.
 */
export interface Transport {
  /** The socket. */
  readonly fd: number;
  /** Facts about the encryption; `null` on a plain connection. */
  readonly tls: TlsInfo | null;
  /** What to wait for after -EAGAIN from `read`: EPOLLIN, or EPOLLOUT where reading has to write first. */
  readonly wants: number;
  /** Whether bytes can be read that epoll will never tell of, because they have left the kernel already. */
  readonly hasPending: boolean;
  /** Fills a buffer from its start. Returns the count, 0 at the end of the stream. */
  read(buffer: Uint8Array): number;
  /** Tells without taking anything what `read` would return now, at most 1. */
  peek(): number;
  /** Sends the first `length` bytes, as far as they are taken. Returns the count. */
  write(bytes: Uint8Array, length: number): number;
  /** Sends a part of a file, as far as it is taken. Returns the count, 0 when the file ends before `offset`. */
  sendFile(file: number, offset: number, length: number): number;
  /** Ends the stream to the peer. Returns 0 or a negative errno. */
  shutdownWrite(): number;
  /**
   * Closes the socket.
   * @param reset cut the connection (RST) instead of ending it, and drop what the kernel has not sent
   */
  close(reset: boolean): void;
}

const peeked = new Uint8Array(1);

/** Bytes as they are, over TCP. */
export class PlainTransport implements Transport {
  readonly fd: number;
  readonly tls = null;
  readonly wants = EPOLLIN;
  readonly hasPending = false;

  /** @param fd a connected, non-blocking socket */
  constructor(fd: number) {
    this.fd = fd;
  }

  read(buffer: Uint8Array): number {
    return recv(this.fd, buffer, buffer.length);
  }

  peek(): number {
    return recv(this.fd, peeked, 1, MSG_PEEK);
  }

  write(bytes: Uint8Array, length: number): number {
    return send(this.fd, bytes, length);
  }

  sendFile(file: number, offset: number, length: number): number {
    return sendfile(this.fd, file, offset, length);
  }

  shutdownWrite(): number {
    return shutdown(this.fd, SHUT_WR);
  }

  close(reset: boolean): void {
    // Lingering for no time is how one asks for a reset (`man 7 socket`).
    if (reset) setsockopt(this.fd, SOL_SOCKET, SO_LINGER, 0);
    close(this.fd);
  }
}
