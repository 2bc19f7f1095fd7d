import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../stages/package-root.ts";
import type { StartedServer, Workbench } from "./workbench.ts";

const meterFile = join(packageRoot, "dist", "grader", "bench", "programs", "meter.js");

/** What `programs/meter.ts` can measure. */
export type Meter = "allocated" | "heap" | "cpu";

/** A server in Node, with a look at V8 from inside. Its program is not changed: Node loads the meter before it. */
export class MeteredServer {
  readonly server: StartedServer;
  readonly #profileFile: string;

  private constructor(server: StartedServer, profileFile: string) {
    this.server = server;
    this.#profileFile = profileFile;
  }

  /** @param command the server's, without its port */
  static async start(bench: Workbench, command: string[], meter: Meter, upstream: string[] = []) {
    const port = await bench.port();
    const profileFile = join(bench.folder, `profile-${port}.json`);
    const env = {
      NODE_OPTIONS: `--import ${pathToFileURL(meterFile).href}`,
      EXPSERVER_METER: meter,
      EXPSERVER_PROFILE: profileFile,
    };
    // V8 samples from a thread of its own. On the server's processor it would get its turn only where the kernel
    // lets it, and would find the server always in the same system calls.
    const side = meter === "cpu" ? "anywhere" : "server";
    const server = await bench.start([...command, String(port), ...upstream], port, { side, env });
    return new MeteredServer(server, profileFile);
  }

  /** Bytes allocated since the first time this was asked. */
  async allocatedBytes(): Promise<number> {
    return ((await this.server.askMeter()) as { allocatedBytes: number }).allocatedBytes;
  }

  /**
   * The profile of what the server does during some work.
   * @returns a {@link CpuProfile} or a {@link HeapProfile}, as the meter is
   */
  async profile(work: () => Promise<unknown>): Promise<unknown> {
    await this.server.askMeter();
    await work();
    await this.server.askMeter();
    return JSON.parse(readFileSync(this.#profileFile, "utf8"));
  }
}
