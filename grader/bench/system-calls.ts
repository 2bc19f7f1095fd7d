import { join } from "node:path";
import { packageRoot } from "../../stages/package-root.ts";
import type { Section } from "./section.ts";
import type { Workbench } from "./workbench.ts";

/** The part `system-calls`: what one call costs, as `linux/bench.ts` measures and prints it. */
export async function measureSystemCalls(bench: Workbench): Promise<Section> {
  const text = await bench.runToEnd([process.execPath, join(packageRoot, "dist", "linux", "bench.js")]);
  return { part: "system-calls", tables: [], text, notes: [], failures: [], record: { text } };
}
