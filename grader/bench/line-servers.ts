import type { Contender } from "./contender.ts";
import type { Workbench } from "./workbench.ts";

export const nodeName = "node:net";
export const cName = "C";

/** The stage whose reference reverses lines in its final form. */
const stage = 7;

/** A program that takes a port as its argument and reverses lines there. */
export type LineServer = {
  name: string;
  /** Whether V8 runs it, so that it can be looked at from inside. */
  inNode: boolean;
  /** File and arguments, without the port. @throws Unavailable */
  command(): Promise<string[]>;
};

/** The programs that reverse lines: the reference, the same on `node:net`, and what C makes of it. */
export function lineServers(bench: Workbench): LineServer[] {
  return [
    { name: `stage ${stage}`, inNode: true, command: () => bench.reference(stage) },
    { name: nodeName, inNode: true, command: async () => bench.nodeProgram("line-server") },
    { name: cName, inNode: false, command: async () => [bench.compile("line-server")] },
  ];
}

/** The same as contenders. */
export function lineContenders(bench: Workbench): Contender[] {
  return lineServers(bench).map(({ name, command }) => ({
    name,
    async start() {
      const file = await command();
      const port = await bench.port();
      return bench.start([...file, String(port)], port);
    },
  }));
}
