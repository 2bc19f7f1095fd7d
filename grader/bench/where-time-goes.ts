/**
 * Where the time of the references goes: V8's processor profile under load, with functions named as in the
 * sources. System calls count for the function that makes them, as V8 sees no further; what the kernel does of
 * it is the difference to C's figures in the other parts.
 */
import { Unavailable } from "./contender.ts";
import { MeteredServer } from "./metered-server.ts";
import { type CpuProfile, cpuFrames, type Frame } from "./profile.ts";
import type { Options, Section } from "./section.ts";
import type { Table } from "./table.ts";
import type { Workbench } from "./workbench.ts";

const connections = 64;
const shownFrames = 15;

/** A reference under a load. */
type Situation = { title: string; stage: number; upstream?: "byte-source" | "line-server"; client: string };

const situations: Situation[] = [
  { title: `Stage 7, round trips, ${connections} connections`, stage: 7, client: "line-client" },
  {
    title: `Stage 8, round trips through it, ${connections} connections`,
    stage: 8,
    upstream: "line-server",
    client: "line-client",
  },
  {
    title: "Stage 8, bytes through it, 1 connection",
    stage: 8,
    upstream: "byte-source",
    client: "byte-sink",
  },
];

async function profileOf(bench: Workbench, situation: Situation, { seconds }: Options): Promise<Frame[]> {
  const { stage, upstream, client } = situation;
  const command = await bench.reference(stage);
  const upstreamArgs: string[] = [];
  if (upstream !== undefined) {
    const port = await bench.port();
    await bench.start([bench.compile(upstream), String(port)], port, { side: "load" });
    upstreamArgs.push("--upstream", `127.0.0.1:${port}`);
  }
  const metered = await MeteredServer.start(bench, command, "cpu", upstreamArgs);
  const { port } = metered.server;
  const count = client === "line-client" ? connections : 1;
  const load = (time: number) =>
    bench.runToEnd([bench.compile(client), "-c", String(count), "-t", String(time), String(port)], "load");
  try {
    await load(1);
    return cpuFrames((await metered.profile(() => load(seconds))) as CpuProfile);
  } finally {
    await metered.server.stop();
  }
}

/** The part `profile`. */
export async function profileReferences(bench: Workbench, options: Options): Promise<Section> {
  const results: { situation: string; frames: Frame[] }[] = [];
  const notes: string[] = [];
  for (const situation of situations) {
    options.progress(`profile: ${situation.title}`);
    try {
      results.push({ situation: situation.title, frames: await profileOf(bench, situation, options) });
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      notes.push(`"${situation.title}" is left out: ${error.message}`);
    }
  }
  const tables = results.map(
    ({ situation, frames }): Table => ({
      title: situation,
      columns: ["function, without what it calls", "share of the time"],
      rows: frames
        .slice(0, shownFrames)
        .map(({ name, place, self }) => [`${name} ${place}`.trim(), `${(self * 100).toFixed(1)} %`]),
    }),
  );
  return { part: "profile", tables, notes, failures: [], record: { results } };
}
