/** What a program does while nothing happens. */
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { CheckFailure } from "../../engine/evidence.ts";
import { runQueueWait, ticksPerSecond } from "../../engine/proc.ts";
import type { Program } from "../../engine/program.ts";
import { expectExit } from "./endings.ts";
import { connectMany } from "./lines.ts";
import { nothingAround, type Overrides, type Surroundings } from "./surroundings.ts";

/** The longest that a program may compute in a second of idleness. */
const idleShare = 0.05;

/** A program may still have had something to do in the first second, and in the second one too on a busy machine. */
const idleAttempts = 3;

/**
 * Seconds for which the check's programs have computed so far, or wanted to: on a busy machine one that
 * spins gets little of a processor, and stands in the run queue for the rest of the time.
 */
function busySeconds({ tree }: CheckContext): number {
  return tree
    .alive()
    .reduce((sum, { pid, cpuTicks }) => sum + cpuTicks / ticksPerSecond + runQueueWait(pid) / 1e9, 0);
}

/** The share of a second for which the check's programs are busy: the lowest of some seconds. */
async function idleBusyShare(context: CheckContext): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < idleAttempts && lowest >= idleShare; attempt++) {
    const begin = performance.now();
    const before = busySeconds(context);
    await context.waitFor(() => performance.now() - begin >= 1000, 2000, 1000);
    const share = ((busySeconds(context) - before) * 1000) / (performance.now() - begin);
    lowest = Math.min(lowest, share);
  }
  return lowest;
}

/** A way to be idle: who is connected and says nothing. */
export type IdleSituation = {
  /** How it stands, as a clause: `50 clients are connected and silent`. */
  when: string;
  arrange: (context: CheckContext, server: Program) => Promise<void>;
};

/** What every server should sleep through. */
export const idleSituations: IdleSituation[] = [
  {
    when: "50 clients are connected and silent",
    async arrange(context, server) {
      await connectMany(context, server, 50);
    },
  },
  {
    when: "3 clients have left",
    async arrange(context, server) {
      const [closing, ending, resetting] = await connectMany(context, server, 3);
      closing!.close();
      ending!.end();
      resetting!.reset();
    },
  },
];

/**
 * Clients that say nothing cost nothing. All situations are arranged at once; only when the program
 * computes in them, each is tried alone to name the one.
 */
export function sleepsWhenIdle(
  surroundings: Surroundings = nothingAround,
  situations = idleSituations,
  overrides: Overrides = {},
): Check {
  return check(
    "idle-cpu",
    {
      title: "sleeps while 50 clients are idle",
      points: 2,
      after: ["two-clients"],
      waits: true,
      why: "A loop that asks again and again, or that is woken by an event it never deals with, keeps a processor at 100 % for nothing. The end of a stream and a broken connection stay ready for ever: they must leave the set.",
      see: ["epoll_wait(2)", "epoll(7)"],
      byHand: "top   (with some clients connected that say nothing)",
      ...overrides,
    },
    async (context) => {
      const options = await surroundings(context);
      const computes = async (arranged: IdleSituation[]): Promise<number> => {
        const server = await context.start(options);
        for (const { arrange } of arranged) await arrange(context, server);
        const share = await idleBusyShare(context);
        server.kill("SIGKILL");
        await expectExit(server, 5000, "SIGKILL");
        return share;
      };
      const share = await computes(situations);
      if (share < idleShare) return;
      const shares = new Map<string, number>();
      for (const situation of situations) shares.set(situation.when, await computes([situation]));
      const guilty = [...shares].filter(([, each]) => each >= idleShare);
      throw new CheckFailure({
        summary: `${context.plan.programName} computes while nothing happens`,
        expected: `computing for less than ${idleShare * 100} % of a second`,
        observed:
          guilty.length === 0
            ? `${Math.round(share * 100)} % while ${situations.map(({ when }) => when).join(" and ")}`
            : guilty.map(([when, each]) => `${Math.round(each * 100)} % while ${when}`).join("\n"),
      });
    },
  );
}
