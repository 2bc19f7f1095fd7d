import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Where V8 found itself: a function, in the terms of its profiles. Lines and columns count from 0. */
type CallFrame = { functionName: string; url: string; lineNumber: number; columnNumber: number };

/** What `Profiler.stop` gives (`Profiler.Profile` of the DevTools protocol), as far as it is used here. */
export type CpuProfile = {
  nodes: { id: number; callFrame: CallFrame; hitCount?: number; children?: number[] }[];
};

type HeapNode = { callFrame: CallFrame; selfSize: number; children: HeapNode[] };

/** What `HeapProfiler.stopSampling` gives. */
export type HeapProfile = { head: HeapNode };

/** A function and what was found in it, not in what it called. */
export type Frame = { name: string; place: string; self: number };

/** Finds the source of a place in a bundle by the source map beside it. */
class Sources {
  readonly #maps = new Map<string, SourceMap | undefined>();

  #mapOf(file: string): SourceMap | undefined {
    if (!this.#maps.has(file)) {
      const map = existsSync(`${file}.map`) ? readFileSync(`${file}.map`, "utf8") : undefined;
      this.#maps.set(file, map === undefined ? undefined : new SourceMap(JSON.parse(map)));
    }
    return this.#maps.get(file);
  }

  /** `src/network/tcp.ts:42`, `node:net:812`, or nothing for what has no source. */
  placeOf({ url, lineNumber, columnNumber }: CallFrame): string {
    if (!url.startsWith("file:")) return url === "" ? "" : `${url}:${lineNumber + 1}`;
    const file = fileURLToPath(url);
    const entry = this.#mapOf(file)?.findEntry(lineNumber, columnNumber);
    if (entry === undefined || !("originalSource" in entry)) return `${relative("", file)}:${lineNumber + 1}`;
    // Sources are named from the bundle's folder: ../src/network/tcp.ts.
    return `${entry.originalSource.replace(/^.*?(?=src\/)/, "")}:${entry.originalLine + 1}`;
  }
}

/** Adds up what was found in the same function on different paths; the most first. */
function framesOf(found: { callFrame: CallFrame; self: number }[]): Frame[] {
  const sources = new Sources();
  const frames = new Map<string, Frame>();
  for (const { callFrame, self } of found) {
    if (self === 0) continue;
    const name = callFrame.functionName || "(anonymous)";
    const place = sources.placeOf(callFrame);
    const frame = frames.get(`${name} ${place}`) ?? { name, place, self: 0 };
    frames.set(`${name} ${place}`, frame);
    frame.self += self;
  }
  return [...frames.values()].sort((one, other) => other.self - one.self);
}

/**
 * The functions of a processor profile; `self` is the share of all samples, 0 to 1. V8 takes all functions that
 * koffi has made for one and the same, so a C function is named by who called it: `C of send`.
 */
export function cpuFrames({ nodes }: CpuProfile): Frame[] {
  const samples = nodes.reduce((sum, { hitCount = 0 }) => sum + hitCount, 0);
  const callers = new Map(
    nodes.flatMap(({ callFrame, children = [] }) => children.map((child) => [child, callFrame] as const)),
  );
  const named = nodes.map(({ id, callFrame, hitCount = 0 }) => {
    const caller = callers.get(id);
    const isC = callFrame.url === "" && !callFrame.functionName.startsWith("(") && caller !== undefined;
    return {
      callFrame: isC
        ? { ...caller, functionName: `C of ${caller.functionName || "(anonymous)"}` }
        : callFrame,
      self: hitCount / samples,
    };
  });
  return framesOf(named);
}

/** The functions of an allocation profile; `self` is bytes. */
export function heapFrames({ head }: HeapProfile): Frame[] {
  const below = (node: HeapNode): HeapNode[] => [node, ...node.children.flatMap(below)];
  return framesOf(below(head).map(({ callFrame, selfSize }) => ({ callFrame, self: selfSize })));
}
