/** Clients that break their connections. */
import { type Check, check } from "../../checks.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { descriptorsWithOneClient, expectDescriptorsBelow } from "./descriptors.ts";
import { expectNoStackTrace } from "./endings.ts";
import { exchange } from "./lines.ts";
import { nothingAround, type Overrides, type Surroundings, startIn, whileStopped } from "./surroundings.ts";

/** Clients that break their connections harm nobody else. */
export function survivesResets(surroundings: Surroundings = nothingAround, overrides: Overrides = {}): Check {
  return check(
    "resets",
    {
      title: "survives 20 clients that reset in mid-exchange",
      points: 2,
      after: ["two-clients"],
      why: "A client that crashes or loses patience resets its connection, and recv or send on it fails with ECONNRESET or EPIPE. That ends this one connection: no other may notice.",
      see: ["recv(2)", "send(2)", "epoll_ctl(2)"],
      ...overrides,
    },
    async (context) => {
      const server = await startIn(context, surroundings);
      const withOne = await descriptorsWithOneClient(context, server);
      const witness = await context.connect(server);
      await exchange(witness, "I stay\n");
      const leave = [
        // before the server may even have accepted it
        async (client: TcpPeer) => client.reset(),
        // while the server waits for its next message
        async (client: TcpPeer) => {
          await exchange(client, "one turn\n");
          client.reset();
        },
        // while its message is being answered
        async (client: TcpPeer) =>
          whileStopped(context, server, async () => {
            client.send("nobody will read the answer\n");
            await client.drained();
            client.reset();
          }),
        // with answers on the way that it has not read
        async (client: TcpPeer) => {
          client.pause();
          for (let line = 0; line < 10; line++) client.send(`${context.random.word(5000)}\n`);
          client.reset();
        },
      ];
      for (let round = 0; round < 20; round++) {
        await leave[round % leave.length]!(await context.connect(server));
        await exchange(witness, `I am here in round ${round}\n`);
      }
      await exchange(await context.connect(server), "I am new\n");
      // Two are connected now, the witness and the newcomer: one more than when the limit was counted.
      await expectDescriptorsBelow(
        context,
        server,
        withOne + 2,
        "after 20 resets, with two clients connected",
      );
      expectNoStackTrace(server);
    },
  );
}
