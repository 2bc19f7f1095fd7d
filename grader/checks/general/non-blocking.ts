/** Sockets on which no call waits. */
import { O_NONBLOCK } from "../../../linux/index.ts";
import { type Check, check } from "../../checks.ts";
import { heldConnections } from "../../engine/connections.ts";
import { assert, count } from "../../engine/evidence.ts";
import { connectMany } from "./lines.ts";
import { nothingAround, type Overrides, type Surroundings, startIn } from "./surroundings.ts";

/** The accepted sockets are non-blocking. */
export function nonBlocking(surroundings: Surroundings = nothingAround, overrides: Overrides = {}): Check {
  return check(
    "non-blocking",
    {
      title: "accepted sockets are non-blocking",
      points: 2,
      after: ["two-clients"],
      why: "On a blocking socket a send to a client that does not read, or a recv that was called once too often, stops the whole server until that one client moves. On a non-blocking one the call returns at once with EAGAIN.",
      see: ["accept4(2)", "fcntl(2)", "docs/guides/blocking-and-non-blocking-io.md"],
      byHand: 'grep flags /proc/"$(pgrep -n node)"/fdinfo/*   (04000 is O_NONBLOCK)',
      ...overrides,
    },
    async (context) => {
      const server = await startIn(context, surroundings);
      await connectMany(context, server, 3);
      const held = heldConnections(context.tree.alive(), server.port);
      const blocking = held.filter(({ flags }) => (flags & O_NONBLOCK) === 0);
      assert(held.length >= 3 && blocking.length === 0, {
        summary: held.length < 3 ? "the accepted sockets were not found" : "accepted sockets are blocking",
        expected: "O_NONBLOCK (04000) in the flags of all 3 accepted sockets",
        observed:
          held.length < 3
            ? `${count(held.length, "socket")} of port ${server.port} in /proc/<pid>/fd`
            : blocking.map(({ fd, flags }) => `descriptor ${fd}: flags 0${flags.toString(8)}`).join("\n"),
      });
    },
  );
}
