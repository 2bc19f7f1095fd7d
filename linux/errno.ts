import { ERRNO_MESSAGES } from "./errno-messages.ts";
import * as numbers from "./errno-numbers.ts";

export * from "./errno-numbers.ts";

/** The name that POSIX gives EAGAIN where a call would have had to wait. */
export const EWOULDBLOCK = numbers.EAGAIN;
/** Same number as EOPNOTSUPP on Linux. */
export const ENOTSUP = numbers.EOPNOTSUPP;
/** Same number as EDEADLK on x86-64 and arm64. */
export const EDEADLOCK = numbers.EDEADLK;

const nameByNumber = new Map<number, keyof typeof numbers>();
for (const [name, number] of Object.entries(numbers)) {
  nameByNumber.set(number, name as keyof typeof numbers);
}

/**
 * The name of an error number.
 * @param errno as the kernel's positive number or as a call's negative result: 11 and -11 are both `EAGAIN`
 * @returns `"EAGAIN"`; for a number that Linux does not know, `"errno 4711"`
 * See `man 3 errno`.
 */
export function errnoName(errno: number): string {
  return nameByNumber.get(Math.abs(errno)) ?? `errno ${Math.abs(errno)}`;
}

/**
 * What an error number means, as a phrase that fits into a sentence.
 * @param errno positive or negative, as for {@link errnoName}
 * @returns `"resource temporarily unavailable"`; for an unknown number, `"unknown error 4711"`
 * See `man 3 strerror`.
 */
export function errnoMessage(errno: number): string {
  const name = nameByNumber.get(Math.abs(errno));
  return name === undefined ? `unknown error ${Math.abs(errno)}` : ERRNO_MESSAGES[name];
}

/**
 * What a call that sets something up throws when the kernel refuses it.
 * Its message names the call, what the call was about, and the reason:
 * `bind 0.0.0.0:8080: address already in use (EADDRINUSE)`.
 */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  /** The error's name, such as `"EADDRINUSE"`; the property that Node's own errors have. */
  readonly code: string;
  /** The error's positive number, such as 98. */
  readonly errno: number;
  /** The call that failed, such as `"bind"`. */
  readonly syscall: string;
  /** What the call was about, such as `"0.0.0.0:8080"`. */
  readonly detail: string | undefined;

  /**
   * @param syscall the call's name
   * @param errno its error, positive or negative
   * @param detail what the call was about, if that helps the reader
   */
  constructor(syscall: string, errno: number, detail?: string) {
    const subject = detail === undefined ? syscall : `${syscall} ${detail}`;
    super(`${subject}: ${errnoMessage(errno)} (${errnoName(errno)})`);
    this.code = errnoName(errno);
    this.errno = Math.abs(errno);
    this.syscall = syscall;
    this.detail = detail;
  }
}
