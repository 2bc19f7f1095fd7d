/** Constants of the socket calls. All of them have the same value on x86-64 and arm64. */

/** Address family: IPv4 (`man 7 ip`). */
export const AF_INET = 2;
/** Address family: IPv6 (`man 7 ipv6`). */
export const AF_INET6 = 10;
/** Address family: sockets within one machine (`man 7 unix`). */
export const AF_UNIX = 1;

/** A reliable stream of bytes: TCP. */
export const SOCK_STREAM = 1;
/** Single messages that may get lost: UDP. */
export const SOCK_DGRAM = 2;
/** OR-ed into the type: calls return -EAGAIN instead of waiting. */
export const SOCK_NONBLOCK = 0o4000;
/** OR-ed into the type: the descriptor is closed in programs that this one starts. */
export const SOCK_CLOEXEC = 0o2000000;

/** Level of the options that every socket has. */
export const SOL_SOCKET = 1;
/** Bind although connections of a predecessor are still in TIME_WAIT. */
export const SO_REUSEADDR = 2;
/** The kind of socket, SOCK_STREAM or SOCK_DGRAM; read only. */
export const SO_TYPE = 3;
/** The error that a connection attempt ended with; reading it clears it. */
export const SO_ERROR = 4;
/** Send buffer in bytes; the kernel doubles what is set. */
export const SO_SNDBUF = 7;
/** Receive buffer in bytes; the kernel doubles what is set. */
export const SO_RCVBUF = 8;
/** Probe idle connections, so that a vanished peer is noticed. */
export const SO_KEEPALIVE = 9;
/** What close does with unsent bytes; see {@link setsockopt} for its value here. */
export const SO_LINGER = 13;
/** Several sockets may listen on one port, and the kernel spreads connections over them. */
export const SO_REUSEPORT = 15;
/** 1 when the socket listens; read only. */
export const SO_ACCEPTCONN = 30;

/** Level of TCP's options (`man 7 tcp`), and the protocol's number. */
export const IPPROTO_TCP = 6;
/** Send small segments at once instead of collecting them (Nagle's algorithm). */
export const TCP_NODELAY = 1;
/** Hold back partial segments until it is switched off. */
export const TCP_CORK = 3;
/** Seconds of idleness before the first keep-alive probe. */
export const TCP_KEEPIDLE = 4;
/** Seconds between keep-alive probes. */
export const TCP_KEEPINTVL = 5;
/** Unanswered probes after which the connection is given up. */
export const TCP_KEEPCNT = 6;
/** Milliseconds that sent bytes may stay unacknowledged. */
export const TCP_USER_TIMEOUT = 18;

/** Level of IPv6's options. */
export const IPPROTO_IPV6 = 41;
/** 1: an IPv6 socket bound to `::` takes no IPv4 connections. */
export const IPV6_V6ONLY = 26;

/** Look at the bytes without taking them out of the receive buffer. */
export const MSG_PEEK = 0x2;
/** This one call returns -EAGAIN instead of waiting. */
export const MSG_DONTWAIT = 0x40;
/** Wait until the whole length is there. */
export const MSG_WAITALL = 0x100;
/** No SIGPIPE when the peer is gone; Node ignores that signal anyway. */
export const MSG_NOSIGNAL = 0x4000;
/** More is to come: do not send a partial segment yet. */
export const MSG_MORE = 0x8000;

/** No more receiving. */
export const SHUT_RD = 0;
/** No more sending: the peer sees the end of the stream. */
export const SHUT_WR = 1;
/** Neither. */
export const SHUT_RDWR = 2;

/** The backlog that Node and nginx-like servers ask for; the kernel cuts it to `net.core.somaxconn`. */
export const SOMAXCONN = 4096;

/** All IPv4 addresses of this machine. */
export const INADDR_ANY = "0.0.0.0";
/** This machine's own IPv4 address. */
export const INADDR_LOOPBACK = "127.0.0.1";
/** All IPv6 addresses of this machine, and with IPV6_V6ONLY off the IPv4 ones too. */
export const IN6ADDR_ANY = "::";
/** This machine's own IPv6 address. */
export const IN6ADDR_LOOPBACK = "::1";
