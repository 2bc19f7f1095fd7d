/**
 * Looks at V8 from inside a server that knows nothing of it: `node --import meter.js server.mjs`. Each
 * SIGUSR2 makes it write one line of JSON to descriptor 3. What it measures is said by the environment's
 * EXPSERVER_METER:
 *
 * - `allocated`: the bytes that were allocated on V8's heap since the first SIGUSR2, living or dead. Between
 *   two collections the heap only grows, and V8 tells its size before and after each one: the sum of what
 *   it grew is exact. (Checked with a loop that makes objects of 48 bytes: 48.00 each, whatever the heap's
 *   size.) It costs nothing while the server works.
 * - `heap`: the first SIGUSR2 starts V8's sampling of allocations, with a stack for one in 1,024 bytes; each
 *   later one ends it, keeps the profile in the file EXPSERVER_PROFILE, and starts anew. What is collected
 *   meanwhile counts too. It says where, and roughly how much; it also slows the server.
 * - `cpu`: the same with V8's sampling of where time goes, every 200 µs.
 */
import { writeFileSync, writeSync } from "node:fs";
import { Session } from "node:inspector";
import { GCProfiler, getHeapStatistics } from "node:v8";

const answers = 3;
const { EXPSERVER_METER: meter, EXPSERVER_PROFILE: profileFile } = process.env;

function answer(value: object): void {
  writeSync(answers, `${JSON.stringify(value)}\n`);
}

function measureAllocations(): void {
  let allocatedBytes = 0;
  let collections = 0;
  let size: number | undefined;
  let profiler = new GCProfiler();
  process.on("SIGUSR2", () => {
    const now = getHeapStatistics().used_heap_size;
    if (size !== undefined) {
      for (const { beforeGC, afterGC } of profiler.stop().statistics) {
        allocatedBytes += beforeGC.heapStatistics.usedHeapSize - size;
        size = afterGC.heapStatistics.usedHeapSize;
        collections++;
      }
      allocatedBytes += now - size;
    }
    answer({ allocatedBytes, collections });
    profiler = new GCProfiler();
    profiler.start();
    size = getHeapStatistics().used_heap_size;
  });
}

/** V8's commands that make a profile (`https://chromedevtools.github.io/devtools-protocol/v8/`). */
const samplings = {
  heap: {
    before: [],
    start: [
      "HeapProfiler.startSampling",
      {
        samplingInterval: 1024,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      },
    ],
    stop: "HeapProfiler.stopSampling",
  },
  cpu: {
    before: [
      ["Profiler.enable", {}],
      ["Profiler.setSamplingInterval", { interval: 200 }],
    ],
    start: ["Profiler.start", {}],
    stop: "Profiler.stop",
  },
} as const;

function sample({ before, start, stop }: (typeof samplings)[keyof typeof samplings]): void {
  const session = new Session();
  session.connect();
  /** The session is with this very thread, so the answer is there when `post` returns. */
  const ask = (command: string, parameters: object = {}): object | undefined => {
    let profile: object | undefined;
    session.post(command, parameters, (error: Error | null, result?: { profile?: object }) => {
      if (error !== null) throw new Error(`${command}: ${error.message}`);
      profile = result?.profile;
    });
    return profile;
  };
  for (const [command, parameters] of before) ask(command, parameters);
  let started = false;
  process.on("SIGUSR2", () => {
    if (started) writeFileSync(profileFile!, JSON.stringify(ask(stop)));
    ask(start[0], start[1]);
    started = true;
    answer({});
  });
}

if (meter === "allocated") measureAllocations();
if (meter === "heap" || meter === "cpu") sample(samplings[meter]);
