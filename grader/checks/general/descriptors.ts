/** Descriptors of clients that have left. */
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, count } from "../../engine/evidence.ts";
import { openDescriptors } from "../../engine/proc.ts";
import type { Program } from "../../engine/program.ts";
import { exchange, letCome } from "./lines.ts";
import { nothingAround, type Overrides, type Surroundings, startIn } from "./surroundings.ts";

/** Open descriptors of all processes of the check's program. */
export function countDescriptors({ tree }: CheckContext): number {
  return tree.alive().reduce((sum, { pid }) => sum + openDescriptors(pid).length, 0);
}

/**
 * Fails when descriptors of clients that have left stay open.
 * @param limit a count that includes one connected client: without it, fewer must be open
 * @param situation `after 1,000 clients`
 */
export async function expectDescriptorsBelow(
  context: CheckContext,
  program: Program,
  limit: number,
  situation: string,
): Promise<void> {
  const returned = await context.waitFor(() => countDescriptors(context) < limit, 5000);
  assert(returned, {
    summary: `${program.name} keeps descriptors of clients that have left`,
    expected: `fewer than ${count(limit, "open descriptor")}: so many there were while one client was connected`,
    observed: `${count(countDescriptors(context), "open descriptor")} ${situation}`,
  });
}

/** Has one client served, and counts the program's descriptors while it is connected. */
export async function descriptorsWithOneClient(context: CheckContext, server: Program): Promise<number> {
  const client = await context.connect(server);
  await exchange(client, "the only one\n");
  const open = countDescriptors(context);
  client.close();
  return open;
}

/** A thousand clients leave no descriptor behind. */
export function returnsDescriptors(
  surroundings: Surroundings = nothingAround,
  overrides: Overrides & { id?: string } = {},
): Check {
  const { id = "descriptors", ...others } = overrides;
  return check(
    id,
    {
      title: "closes every client's descriptor (1,000 connects)",
      points: 3,
      after: ["reverse-line"],
      why: "Each accepted connection is a descriptor, and a process has a limited number of them (often 1,024). A server that forgets to close them serves for a day and then no more.",
      see: ["close(2)", "getrlimit(2)"],
      byHand: 'ls -l /proc/"$(pgrep -n node)"/fd   (before and after some clients have come and gone)',
      ...others,
    },
    async (context) => {
      const server = await startIn(context, surroundings);
      const withOne = await descriptorsWithOneClient(context, server);
      await letCome(1000, async (index) => {
        const client = await context.connect(server);
        await exchange(client, `client ${index} was here\n`);
        // Some only end sending, and wait for the server to close too.
        if (index % 10 === 0) {
          client.end();
          await client.expectEnd({ why: "although its client has ended sending" });
        }
        client.close();
      });
      await expectDescriptorsBelow(context, server, withOne, "after 1,000 clients have left");
    },
  );
}
