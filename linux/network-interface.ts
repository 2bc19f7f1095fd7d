import { close, ioctl } from "./descriptor.ts";
import { SystemCallError } from "./errno.ts";
import { socket } from "./socket.ts";
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM } from "./socket-constants.ts";

/** `ioctl`: read an interface's flags (`man 7 netdevice`). */
export const SIOCGIFFLAGS = 0x8913;
/** `ioctl`: set an interface's flags. */
export const SIOCSIFFLAGS = 0x8914;
/** The flag that says that the interface is switched on. */
export const IFF_UP = 0x1;

/** `struct ifreq`: the name in 16 bytes, a union of 24, which begins with the flags here. */
const IFREQ_BYTES = 40;
const NAME_BYTES = 16;

/** A request about one interface. */
function interfaceRequest(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length === 0 || bytes.length >= NAME_BYTES || bytes.includes(0)) {
    throw new RangeError(
      `${JSON.stringify(name)} is not an interface's name: those have 1 to 15 bytes, no NUL.`,
    );
  }
  const request = new Uint8Array(IFREQ_BYTES);
  request.set(bytes);
  return request;
}

/**
 * Switches a network interface on, as `ip link set lo up` does. A new network namespace begins with `lo` switched
 * off, and without it 127.0.0.1 cannot be reached. Needs the privilege over that namespace (CAP_NET_ADMIN).
 * @param name such as `"lo"`
 * @throws {SystemCallError} ENODEV (no such interface), EPERM
 * @throws {RangeError} not an interface's name
 *
 * `man 7 netdevice`
 */
export function setInterfaceUp(name: string): void {
  const request = interfaceRequest(name);
  const flags = new DataView(request.buffer, NAME_BYTES);
  const fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);
  try {
    ioctl(fd, SIOCGIFFLAGS, request);
    flags.setInt16(0, flags.getInt16(0, true) | IFF_UP, true);
    ioctl(fd, SIOCSIFFLAGS, request);
  } catch (error) {
    // A descriptor's number would say nothing here: the interface's name does.
    if (error instanceof SystemCallError)
      throw new SystemCallError(error.syscall, error.errno, `of interface ${name}`);
    throw error;
  } finally {
    close(fd);
  }
}
