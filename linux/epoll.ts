import { EpollEvents } from "./epoll-events.ts";
import { SystemCallError } from "./errno.ts";
import { countOrErrno, lastErrno, libcFunction, orThrow } from "./libc.ts";
import { traced } from "./trace.ts";
import { flagSet, type NameTable, oneOf } from "./trace-format.ts";

/** Bytes, a connection, or the end of the stream can be taken. */
export const EPOLLIN = 0x1;
/** Urgent data; on some files a special event. */
export const EPOLLPRI = 0x2;
/** Bytes can be sent, or a connection attempt has ended. */
export const EPOLLOUT = 0x4;
/** Something failed: read SO_ERROR. Always reported, never asked for. */
export const EPOLLERR = 0x8;
/** Both directions are over. Always reported, never asked for. */
export const EPOLLHUP = 0x10;
/** The peer has ended its sending. */
export const EPOLLRDHUP = 0x2000;
/** Of several epoll sets with this descriptor only one is woken; only with EPOLL_CTL_ADD. */
export const EPOLLEXCLUSIVE = 0x10000000;
/** Report once, then stay silent until EPOLL_CTL_MOD. */
export const EPOLLONESHOT = 0x40000000;
/** Edge-triggered: report a change once instead of a state for as long as it lasts. */
export const EPOLLET = 0x80000000;

/** Add a descriptor to the set. */
export const EPOLL_CTL_ADD = 1;
/** Remove a descriptor from the set. */
export const EPOLL_CTL_DEL = 2;
/** Change what is reported about a descriptor. */
export const EPOLL_CTL_MOD = 3;
/** Close the set in programs that this one starts. */
export const EPOLL_CLOEXEC = 0o2000000;

const EVENT_NAMES: NameTable = {
  EPOLLIN,
  EPOLLPRI,
  EPOLLOUT,
  EPOLLERR,
  EPOLLHUP,
  EPOLLRDHUP,
  EPOLLEXCLUSIVE,
  EPOLLONESHOT,
  EPOLLET,
};
const OPERATION_NAMES: NameTable = { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD };

const libc_epoll_create1 = libcFunction<(flags: number) => number>("int epoll_create1(int flags)");
const libc_epoll_ctl = libcFunction<(epfd: number, op: number, fd: number, event: Uint32Array) => number>(
  "int epoll_ctl(int epfd, int op, int fd, void *event)",
);
const libc_epoll_wait = libcFunction<
  (epfd: number, events: Uint32Array, maxevents: number, timeout: number) => number
>("int epoll_wait(int epfd, void *events, int maxevents, int timeout)");

/** The one event that `epoll_ctl` passes; the kernel copies it. */
const argument = new EpollEvents(1);

/**
 * Creates an epoll set: a list of descriptors that the kernel watches.
 * @returns the set's descriptor
 * @throws {SystemCallError} EMFILE, ENFILE
 *
 * `man 2 epoll_create1`
 */
export const epoll_create1 = traced(
  "epoll_create1",
  function epoll_create1(flags: number = EPOLL_CLOEXEC): number {
    return orThrow(libc_epoll_create1(flags), "epoll_create1");
  },
  (_, flags = EPOLL_CLOEXEC) => flagSet(flags, { EPOLL_CLOEXEC }),
);

/**
 * Adds a descriptor to an epoll set, changes or removes it. Closing a descriptor removes it too. Allocates nothing.
 * @param op EPOLL_CTL_ADD, EPOLL_CTL_MOD or EPOLL_CTL_DEL
 * @param events what to report, EPOLLIN | EPOLLOUT | EPOLLET …; not used by EPOLL_CTL_DEL
 * @param data a number from 0 to 2³²−1 that comes back with each event; the descriptor unless something else is given
 * @throws {SystemCallError} EEXIST (added already), ENOENT (not in the set), EBADF, EPERM (a regular file: epoll
 * cannot watch what is always ready)
 * @throws {RangeError} data does not fit into 32 bits
 *
 * `man 2 epoll_ctl`
 */
export const epoll_ctl = traced(
  "epoll_ctl",
  function epoll_ctl(epfd: number, op: number, fd: number, events = 0, data: number = fd): void {
    // A negative descriptor is left to the kernel, which refuses it by the right name (EBADF).
    if (data >>> 0 !== data && data !== fd) {
      throw new RangeError(`epoll_ctl: data ${data} must be a whole number from 0 to 4294967295.`);
    }
    argument.set(0, events, data);
    if (libc_epoll_ctl(epfd, op, fd, argument.words) < 0) {
      const errno = lastErrno();
      throw new SystemCallError("epoll_ctl", errno, `${oneOf(op, OPERATION_NAMES)} of descriptor ${fd}`);
    }
  },
  (_, epfd, op, fd, events = 0, data = fd) =>
    `${epfd}, ${oneOf(op, OPERATION_NAMES)}, ${fd}, ` +
    (op === EPOLL_CTL_DEL ? "NULL" : `{events=${flagSet(events, EVENT_NAMES)}, data=${data}}`),
);

/**
 * Waits until something happens on a descriptor of the set. Allocates nothing.
 * @param events is filled from its start
 * @param maxevents events to report at most; not more than the array holds
 * @param timeout_ms milliseconds to wait at most; 0 does not wait, -1 waits for ever. Node runs nothing meanwhile: no
 * timers, no signal handlers
 * @returns how many events there are, 0 when the time is over, or -EINTR (a signal came: wait again), -EBADF, -EINVAL
 * @throws {RangeError} maxevents is more than the array holds
 *
 * `man 2 epoll_wait`
 */
export const epoll_wait = traced(
  "epoll_wait",
  function epoll_wait(epfd: number, events: EpollEvents, maxevents: number, timeout_ms: number): number {
    if (!(maxevents <= events.capacity)) {
      throw new RangeError(
        `epoll_wait: maxevents ${maxevents} is more than the ${events.capacity} that fit.`,
      );
    }
    return countOrErrno(libc_epoll_wait(epfd, events.words, maxevents, timeout_ms));
  },
  (count = 0, epfd, events, maxevents, timeout_ms) => {
    const shown: string[] = [];
    for (let index = 0; index < count; index++) {
      shown.push(`{events=${flagSet(events.events(index), EVENT_NAMES)}, data=${events.data(index)}}`);
    }
    return `${epfd}, [${shown.join(", ")}], ${maxevents}, ${timeout_ms}`;
  },
);
