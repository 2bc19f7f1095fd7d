import { readFileSync } from "node:fs";
import { findTool } from "../engine/tool.ts";

/** Where the two sides of a measurement run. */
export type Cores = {
  /** The core of the server that is measured; `undefined` where it may run anywhere. */
  server?: number;
  /** The core of the load generator, and of what a proxy relays from. */
  load?: number;
  /** How that was decided, as a sentence for the report. */
  note: string;
};

/** `0-2,5` → 0, 1, 2, 5, as the kernel writes sets of processors (`man 7 cpuset`). */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(",")
    .filter((range) => range !== "")
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/**
 * Gives the server one core and its load another one, so that neither takes time from the other.
 * @param allowed the processors that this process may use
 * @param siblingsOf the processors that are the same core, itself included (hyper-threading)
 */
export function chooseCores(allowed: number[], siblingsOf: (processor: number) => number[]): Cores {
  const server = allowed.at(-1);
  if (server === undefined || allowed.length < 2) {
    return { note: "There is one processor only: server and load generator share it, and rates say little." };
  }
  const siblings = siblingsOf(server);
  const other = allowed.find((processor) => !siblings.includes(processor));
  const load = other ?? allowed[0]!;
  const shared = other === undefined ? ", which are threads of the same core" : "";
  return { server, load, note: `The server has processor ${server}, the load generator ${load}${shared}.` };
}

/** The cores of this machine for the two sides. Pinning is the work of taskset (util-linux). */
export function coresHere(): Cores {
  if (findTool("taskset") === undefined) {
    return { note: "Nothing is pinned to a processor: taskset is not installed (util-linux)." };
  }
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync("/proc/self/status", "latin1"))![1]!;
  return chooseCores(parseCpuList(list), (processor) => {
    try {
      const topology = `/sys/devices/system/cpu/cpu${processor}/topology/thread_siblings_list`;
      return parseCpuList(readFileSync(topology, "latin1"));
    } catch {
      return [processor]; // a container without /sys
    }
  });
}
