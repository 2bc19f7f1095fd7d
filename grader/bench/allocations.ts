/**
 * What a round trip allocates in V8's heap. The data path of the reference is meant to allocate nothing that
 * the collector must clear away; here that is measured and not believed.
 *
 * How much: V8's own sizes of the heap before and after each collection add up to exactly what was allocated
 * (`programs/meter.ts`). Loads are compared that differ in one number only, that of the round trips or that of
 * the connections, so that all else falls out: what the measuring itself allocates too.
 *
 * Where: V8's sampling of allocations, in a run of its own because it slows the server. Its sum is an
 * estimate, and a function that the compiler has put into its caller counts as the caller.
 */
import { Unavailable } from "./contender.ts";
import { type LineServer, lineServers } from "./line-servers.ts";
import { MeteredServer } from "./metered-server.ts";
import { type Frame, type HeapProfile, heapFrames } from "./profile.ts";
import type { Options, Section } from "./section.ts";
import { figure, type Table } from "./table.ts";
import type { Workbench } from "./workbench.ts";

const connections = 64;
/** Round trips before anything is measured: V8 has compiled the data path by then. */
const warmUp = 200_000;
const fewRoundTrips = 10_000;
const moreRoundTrips = 100_000;
const moreConnections = 1_000;
const shownFrames = 8;

type Allocations = { contender: string; perRoundTrip: number; perConnection: number; frames: Frame[] };

/** Makes an exact number of round trips. */
function load(bench: Workbench, port: number, count: number, clients = connections): Promise<string> {
  const args = ["-c", clients, "-n", count, port].map(String);
  return bench.runToEnd([bench.compile("line-client"), ...args], "load");
}

/** How much a server allocates for a round trip and for a connection, in bytes. */
async function measureBytes(bench: Workbench, command: string[]) {
  const metered = await MeteredServer.start(bench, command, "allocated");
  const { port } = metered.server;
  const allocatedBy = async (count: number, clients: number) => {
    const before = await metered.allocatedBytes();
    await load(bench, port, count, clients);
    // Epoll tells in order: who answers a new client has seen that the ones before have left.
    await load(bench, port, 1, 1);
    return (await metered.allocatedBytes()) - before;
  };
  try {
    await load(bench, port, warmUp);
    await allocatedBy(fewRoundTrips, moreConnections);
    const base = await allocatedBy(fewRoundTrips, connections);
    const longer = await allocatedBy(fewRoundTrips + moreRoundTrips, connections);
    const wider = await allocatedBy(fewRoundTrips, connections + moreConnections);
    return {
      perRoundTrip: (longer - base) / moreRoundTrips,
      perConnection: (wider - base) / moreConnections,
    };
  } finally {
    await metered.server.stop();
  }
}

/** In which functions a server allocates, in bytes for a round trip. */
async function findFrames(bench: Workbench, command: string[]): Promise<Frame[]> {
  const metered = await MeteredServer.start(bench, command, "heap");
  try {
    await load(bench, metered.server.port, warmUp);
    const profile = await metered.profile(() => load(bench, metered.server.port, moreRoundTrips));
    const frames = heapFrames(profile as HeapProfile);
    return frames.map((frame) => ({ ...frame, self: frame.self / moreRoundTrips }));
  } finally {
    await metered.server.stop();
  }
}

function framesTable({ contender, frames }: Allocations): Table {
  return {
    title: `Where ${contender} allocates (sampled)`,
    columns: ["function", "bytes per round trip"],
    rows: frames
      .slice(0, shownFrames)
      .map(({ name, place, self }) => [`${name} ${place}`.trim(), figure(self)]),
  };
}

async function measureServer(bench: Workbench, { name, command }: LineServer): Promise<Allocations> {
  const program = await command();
  const bytes = await measureBytes(bench, program);
  return { contender: name, ...bytes, frames: await findFrames(bench, program) };
}

/** The part `allocations`. */
export async function measureAllocations(bench: Workbench, { progress }: Options): Promise<Section> {
  bench.compile("line-client"); // without a compiler there is nothing to begin
  const results: Allocations[] = [];
  const notes: string[] = [];
  for (const server of lineServers(bench).filter(({ inNode }) => inNode)) {
    progress(`allocations of ${server.name}`);
    try {
      results.push(await measureServer(bench, server));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      notes.push(`${server.name} is left out: ${error.message}`);
    }
  }
  const summary: Table = {
    title: `Allocations on V8's heap, ${moreRoundTrips.toLocaleString("en")} round trips, ${connections} connections`,
    columns: ["", "bytes per round trip", "bytes per connection"],
    rows: results.map(({ contender, perRoundTrip, perConnection }) => [
      contender,
      figure(perRoundTrip),
      figure(perConnection),
    ]),
  };
  const tables = [summary, ...results.map(framesTable)];
  return { part: "allocations", tables, notes, failures: [], record: { results } };
}
