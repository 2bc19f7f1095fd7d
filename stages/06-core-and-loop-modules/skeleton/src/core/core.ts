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
    // TODO 3a: note it.
    return todo(`3a: own ${String(resource)}`);
  }

  /** Gives up the charge of a resource, which somebody else destroys. */
  disown(resource: Owned): void {
    // TODO 3a: forget it.
    todo(`3a: disown ${String(resource)}`);
  }

  /** Runs until SIGINT, SIGTERM or {@link stop}, then destroys what it owns, the youngest first. */
  async run(): Promise<void> {
    // TODO 3b: handlers for SIGINT and SIGTERM that stop the loop; run it; and however it ends, take the handlers away and
    // destroy everything.
    todo("3b: run");
  }

  /** Lets {@link run} end. */
  stop(): void {
    this.loop.stop();
  }

  /** One that fails must not keep the others open. */
  #destroyAll(): void {
    // TODO 3c: each of them, the youngest first, also when one of them throws; then the loop. Throw afterwards what was
    // thrown on the way.
    todo(`3c: destroy ${this.#owned.size} resources`);
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
