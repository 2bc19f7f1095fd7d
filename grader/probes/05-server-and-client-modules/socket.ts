import { listenOn } from "workspace:network/socket";
import {
  AF_INET6,
  accept4,
  bind,
  close,
  EAGAIN,
  errnoName,
  F_GETFD,
  F_GETFL,
  FD_CLOEXEC,
  fcntl,
  getsockname,
  INADDR_ANY,
  INADDR_LOOPBACK,
  O_NONBLOCK,
  SOCK_STREAM,
  SystemCallError,
  socket,
} from "expserver-course/linux";
import { assert } from "../../engine/evidence.ts";
import { openDescriptors } from "./surroundings.ts";

/** Whether this machine has IPv6 at all: containers often have none. */
function hasIpv6(): boolean {
  let fd: number | undefined;
  try {
    fd = socket(AF_INET6, SOCK_STREAM);
    bind(fd, { host: "::1", port: 0 });
    return true;
  } catch (error) {
    if (error instanceof SystemCallError) return false;
    throw error;
  } finally {
    if (fd !== undefined) close(fd);
  }
}

/** Calls `listenOn`; an error of a system call is what the check is about. */
function listening(host: string, port = 0): number {
  try {
    return listenOn({ host, port });
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    assert(false, {
      summary: `listenOn does not listen on ${host}`,
      expected: `a listening socket of the address's family${port === 0 ? "" : `: :: and ${INADDR_ANY} are two addresses, and can have the same port (IPV6_V6ONLY)`}`,
      observed: error.message,
    });
    throw error;
  }
}

/** Non-blocking, not inherited, for both families. */
export function listensWithoutWaiting(): void {
  const before = openDescriptors().length;
  const families = [INADDR_LOOPBACK, ...(hasIpv6() ? ["::1"] : [])];
  for (const host of families) {
    const fd = listening(host);
    const { port } = getsockname(fd);
    assert((fcntl(fd, F_GETFL) & O_NONBLOCK) !== 0, {
      summary: `the listening socket of ${host} is blocking`,
      expected: "O_NONBLOCK: accept4 answers -EAGAIN when nobody is there any more",
      observed: `flags 0${fcntl(fd, F_GETFL).toString(8)}`,
    });
    const accepted = accept4(fd, null, 0);
    assert(accepted === -EAGAIN && port !== 0, {
      summary: `the socket that listenOn returns for ${host} does not listen`,
      expected: "bind and listen: accept4 answers -EAGAIN while nobody has connected",
      observed: `accept4: ${accepted < 0 ? errnoName(accepted) : accepted}, port ${port}`,
    });
    assert((fcntl(fd, F_GETFD) & FD_CLOEXEC) !== 0, {
      summary: `the listening socket of ${host} is inherited by started programs`,
      expected: "SOCK_CLOEXEC in the type of the socket",
      observed: "FD_CLOEXEC is not set",
    });
    close(fd);
  }
  if (families.length > 1) {
    const both = listening("::");
    close(listening(INADDR_ANY, getsockname(both).port));
    close(both);
  }
  assert(openDescriptors().length === before, {
    summary: "listenOn opens more than the socket that it returns",
    expected: "no descriptor left after that socket was closed",
    observed: `${openDescriptors().length - before} more than before`,
  });
}
