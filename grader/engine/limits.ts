import { proportionalBytes, residentBytes } from "./proc.ts";
import type { ProgramTree } from "./program-tree.ts";

const memoryLimit = 1024 * 1024 * 1024;
const processLimit = 500;
const watchEveryMs = 100;
/** On a machine with thousands of processes one look takes long: the rest of the time is for the checks. */
const shareOfTime = 0.1;

/**
 * Watches that the processes of a check leave room for others on the machine: they may hold 1 GiB of
 * memory and be 500, all together, with those that have ended and that their parent left uncollected. What a program left in the background counts as much as the program.
 */
export class Limits {
  readonly #tree: ProgramTree;
  readonly #onExcess: (excess: string) => void;
  #watch: NodeJS.Timeout | undefined;

  /** @param onExcess is told what was too much, to go behind "it", each time that it is seen */
  constructor(tree: ProgramTree, onExcess: (excess: string) => void) {
    this.#tree = tree;
    this.#onExcess = onExcess;
  }

  /** Begins to watch, unless that is so already. */
  begin(): void {
    this.#watch ??= setTimeout(() => this.#lookAgainAndAgain(), watchEveryMs).unref();
  }

  #lookAgainAndAgain(): void {
    const start = performance.now();
    this.#look();
    const pause = Math.max(watchEveryMs, (performance.now() - start) / shareOfTime);
    if (this.#watch !== undefined) this.#watch = setTimeout(() => this.#lookAgainAndAgain(), pause).unref();
  }

  /** Ends watching. */
  end(): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  #look(): void {
    const all = this.#tree.all();
    if (all.length > processLimit) {
      this.#onExcess(`had ${all.length} processes (the limit is ${processLimit})`);
      return;
    }
    const alive = all.filter(({ state }) => state !== "Z");
    // The quick figure counts what processes share once for each of them, so it is only a first look.
    if (residentBytes(alive) <= memoryLimit) return;
    const used = proportionalBytes(alive);
    const mebibytes = (bytes: number) => Math.round(bytes / 1024 / 1024);
    if (used > memoryLimit) {
      this.#onExcess(`used ${mebibytes(used)} MiB of memory (the limit is ${mebibytes(memoryLimit)} MiB)`);
    }
  }
}
