import { Loop } from "./loop.ts";

/** Something that holds descriptors or memory and gives them back. */
export interface Owned {
  /** Gives everything back. Calling it again does nothing. */
  destroy(): void;
}

/** What runs a server: the loop, and everything that has to be closed when the server ends. */
export class Core {
  readonly loop = new Loop();
  readonly #owned = new Set<Owned>();

  /** Takes charge of a resource. Returns it. */
  own<T extends Owned>(resource: T): T {
    this.#owned.add(resource);
    return resource;
  }

  /** Gives up the charge of a resource, which somebody else destroys. */
  disown(resource: Owned): void {
    this.#owned.delete(resource);
  }

  /** Runs until SIGINT, SIGTERM or {@link stop}, then destroys what it owns, the youngest first. */
  async run(): Promise<void> {
    const stop = () => this.stop();
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
    try {
      await this.loop.run();
    } finally {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      this.#destroyAll();
    }
  }

  /** Lets {@link run} end. */
  stop(): void {
    this.loop.stop();
  }

  /** One that fails must not keep the others open. */
  #destroyAll(): void {
    const errors: unknown[] = [];
    for (const resource of [...this.#owned].reverse()) {
      try {
        resource.destroy();
      } catch (error) {
        errors.push(error);
      }
    }
    this.#owned.clear();
    this.loop.close();
    if (errors.length > 0) throw new AggregateError(errors, "some resources could not be given back");
  }
}
