import { descriptorFlags, epollSets, openDescriptors, type ProcessStat, tcpSockets } from "./proc.ts";

/** A program's end of a TCP connection, as `/proc` shows it. */
export type HeldConnection = {
  pid: number;
  fd: number;
  /** The peer's port: which of the check's clients it is. */
  remotePort: number;
  /** The descriptor's status flags, such as O_NONBLOCK. */
  flags: number;
  /** The masks under which epoll sets of its process watch it. */
  watchedFor: number[];
};

/** The connections that processes hold on one of their ports; the listening socket is none. */
export function heldConnections(processes: ProcessStat[], port: number): HeldConnection[] {
  const sockets = new Map(
    tcpSockets()
      .filter((socket) => socket.port === port && !socket.listening && socket.inode !== 0)
      .map((socket) => [`socket:[${socket.inode}]`, socket]),
  );
  return processes.flatMap(({ pid }) => {
    const sets = epollSets(pid);
    return openDescriptors(pid).flatMap(({ fd, target }) => {
      const flags = descriptorFlags(pid, fd);
      const socket = sockets.get(target);
      if (socket === undefined || flags === undefined) return [];
      const watchedFor = sets.flatMap(({ entries }) =>
        entries.filter((entry) => entry.fd === fd).map(({ events }) => events),
      );
      return [{ pid, fd, remotePort: socket.remotePort, flags, watchedFor }];
    });
  });
}
