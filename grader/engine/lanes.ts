/**
 * Lets a few pieces of work run side by side, in the order in which they ask. Checks spend most of
 * their time waiting for a program to start: two at once on two processors take half as long.
 */
export class Lanes {
  #free: number;
  readonly #width: number;
  readonly #waiting: { width: number; begin: () => void }[] = [];

  /** @param width how many pieces at once */
  constructor(width: number) {
    this.#width = width;
    this.#free = width;
  }

  /**
   * Runs a piece of work when its turn comes.
   * @param alone whether nothing else may run meanwhile
   */
  async run<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    const width = alone ? this.#width : 1;
    await new Promise<void>((begin) => {
      this.#waiting.push({ width, begin });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#free += width;
      this.#admit();
    }
  }

  #admit(): void {
    for (
      let next = this.#waiting[0];
      next !== undefined && next.width <= this.#free;
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#free -= next.width;
      next.begin();
    }
  }
}
