import { libcFunction, orThrow } from "./libc.ts";
import { traced } from "./trace.ts";
import { type NameTable, oneOf } from "./trace-format.ts";

/** Bytes of core dumps. */
export const RLIMIT_CORE = 4;
/** One more than the highest descriptor number. */
export const RLIMIT_NOFILE = 7;
/** Bytes of address space. */
export const RLIMIT_AS = 9;
/** No limit. */
export const RLIM_INFINITY = Number.POSITIVE_INFINITY;

const LIMIT_NAMES: NameTable = { RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_AS };

const libc_getrlimit = libcFunction<(resource: number, limits: BigUint64Array) => number>(
  "int getrlimit(int resource, void *limits)",
);
const libc_setrlimit = libcFunction<(resource: number, limits: BigUint64Array) => number>(
  "int setrlimit(int resource, const void *limits)",
);

/** `struct rlimit`. */
export type Rlimit = {
  /** The limit that counts; a process may move it up to `rlim_max`. */
  rlim_cur: number;
  /** Its upper bound; only a privileged process may raise it. RLIM_INFINITY where there is none. */
  rlim_max: number;
};

/** `rlim_cur` and `rlim_max`, 64 bits each. */
const limits = new BigUint64Array(2);
const INFINITY_64 = 0xffff_ffff_ffff_ffffn;

/** The kernel's number as ours; only "no limit" does not fit into a JavaScript number. */
function fromKernel(limit: bigint): number {
  return limit === INFINITY_64 ? RLIM_INFINITY : Number(limit);
}

/** Our number as the kernel's. */
function toKernel(limit: number): bigint {
  if (limit === RLIM_INFINITY) return INFINITY_64;
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new RangeError(`setrlimit: ${limit} is neither a whole number of at least 0 nor RLIM_INFINITY.`);
  }
  return BigInt(limit);
}

/** A limit in a trace line. */
function limitText(limit: Rlimit | undefined): string {
  if (limit === undefined) return "...";
  const text = (value: number): string => (value === RLIM_INFINITY ? "RLIM64_INFINITY" : String(value));
  return `{rlim_cur=${text(limit.rlim_cur)}, rlim_max=${text(limit.rlim_max)}}`;
}

/**
 * Reads a limit of this process.
 * @param resource RLIMIT_NOFILE, …
 * @throws {SystemCallError} EINVAL (no such resource)
 *
 * `man 2 getrlimit`
 */
export const getrlimit = traced(
  "getrlimit",
  function getrlimit(resource: number): Rlimit {
    orThrow(libc_getrlimit(resource, limits), "getrlimit", () => oneOf(resource, LIMIT_NAMES));
    return { rlim_cur: fromKernel(limits[0]!), rlim_max: fromKernel(limits[1]!) };
  },
  (limit, resource) => `${oneOf(resource, LIMIT_NAMES)}, ${limitText(limit)}`,
);

/**
 * Changes a limit of this process and of those that it starts.
 * @throws {SystemCallError} EPERM (above `rlim_max`, or above the system's maximum), EINVAL (`rlim_cur` above `rlim_max`)
 * @throws {RangeError} a limit is neither a whole number nor RLIM_INFINITY
 *
 * `man 2 setrlimit`
 */
export const setrlimit = traced(
  "setrlimit",
  function setrlimit(resource: number, limit: Rlimit): void {
    limits[0] = toKernel(limit.rlim_cur);
    limits[1] = toKernel(limit.rlim_max);
    orThrow(libc_setrlimit(resource, limits), "setrlimit", () => oneOf(resource, LIMIT_NAMES));
  },
  (_, resource, limit) => `${oneOf(resource, LIMIT_NAMES)}, ${limitText(limit)}`,
);
