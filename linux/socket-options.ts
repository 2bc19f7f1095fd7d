import { libcFunction, orThrow } from "./libc.ts";
import { SO_LINGER, SOL_SOCKET } from "./socket-constants.ts";
import { levelName, optionName } from "./socket-names.ts";
import { traced } from "./trace.ts";

const libc_setsockopt = libcFunction<
  (fd: number, level: number, option: number, value: Int32Array, length: number) => number
>("int setsockopt(int fd, int level, int option, const void *value, uint32_t length)");
const libc_getsockopt = libcFunction<
  (fd: number, level: number, option: number, value: Int32Array, length: Uint32Array) => number
>("int getsockopt(int fd, int level, int option, void *value, void *length)");

const INT_BYTES = 4;
/** Room for an int, or for `struct linger { int l_onoff; int l_linger; }`. */
const value = new Int32Array(2);
const valueLength = new Uint32Array(1);

/** What a message says after the call's name. */
function subject(fd: number, level: number, option: number): string {
  return `${optionName(level, option)} on descriptor ${fd}`;
}

/**
 * Sets a socket option.
 * @param level SOL_SOCKET, IPPROTO_TCP or IPPROTO_IPV6
 * @param option SO_REUSEADDR, TCP_NODELAY, …
 * @param number the value, 1 and 0 for on and off. SO_LINGER, in C a struct, takes seconds: 0 makes close cut the
 * connection with a reset and drop what is unsent, more makes it wait that long, -1 switches lingering off
 * @throws {SystemCallError} EBADF, ENOTSOCK, ENOPROTOOPT (no such option at this level), EINVAL, EPERM
 * @throws {RangeError} the value is not a 32-bit integer
 *
 * `man 2 setsockopt`, `man 7 socket`, `man 7 tcp`, `man 7 ipv6`
 */
export const setsockopt = traced(
  "setsockopt",
  function setsockopt(fd: number, level: number, option: number, number: number): void {
    if ((number | 0) !== number) {
      throw new RangeError(
        `setsockopt ${optionName(level, option)}: ${number} is not an integer of 32 bits, as option values are.`,
      );
    }
    let length = INT_BYTES;
    if (level === SOL_SOCKET && option === SO_LINGER) {
      value[0] = number < 0 ? 0 : 1;
      value[1] = Math.max(number, 0);
      length = 2 * INT_BYTES;
    } else {
      value[0] = number;
    }
    const result = libc_setsockopt(fd, level, option, value, length);
    orThrow(result, "setsockopt", () => subject(fd, level, option));
  },
  (_, fd, level, option, number) =>
    `${fd}, ${levelName(level)}, ${optionName(level, option)}, ${valueText(level, option, number)}`,
);

/**
 * Reads a socket option.
 * @returns its value; for SO_ERROR a positive errno or 0, for SO_LINGER seconds or -1 when it is off, as
 * {@link setsockopt} takes them
 * @throws {SystemCallError} EBADF, ENOTSOCK, ENOPROTOOPT
 *
 * `man 2 getsockopt`, `man 7 socket`
 */
export const getsockopt = traced(
  "getsockopt",
  function getsockopt(fd: number, level: number, option: number): number {
    value.fill(0);
    valueLength[0] = value.byteLength;
    const result = libc_getsockopt(fd, level, option, value, valueLength);
    orThrow(result, "getsockopt", () => subject(fd, level, option));
    if (level === SOL_SOCKET && option === SO_LINGER) return value[0] === 0 ? -1 : value[1]!;
    return value[0]!;
  },
  (number, fd, level, option) =>
    `${fd}, ${levelName(level)}, ${optionName(level, option)}, ` +
    (number === undefined ? "..." : valueText(level, option, number)),
  () => 0, // the call's own result; the value is among the arguments
);

/** An option's value in a trace line, as C would have passed it: `[1], 4`. */
function valueText(level: number, option: number, number: number): string {
  if (level !== SOL_SOCKET || option !== SO_LINGER) return `[${number}], ${INT_BYTES}`;
  return `{l_onoff=${number < 0 ? 0 : 1}, l_linger=${Math.max(number, 0)}}, ${2 * INT_BYTES}`;
}
