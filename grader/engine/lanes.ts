/**
 * How a piece of work takes its place: in a lane, with nothing else at work, or beside the lanes, as what hardly needs a
 * processor.
 */
export type Place = "lane" | "alone" | "beside";

type Waiting = { place: Place; begin: () => void };

/**
 * Lets a few pieces of work run side by side, in the order in which they ask. Checks spend most of
 * their time waiting for a program to start: two at once on two processors take half as long.
 */
export class Lanes {
  #free: number;
  /** Pieces beside the lanes that are at work. */
  #beside = 0;
  #isAlone = false;
  readonly #width: number;
  #waiting: Waiting[] = [];

  /** @param width how many pieces at once; in a single lane everything is alone */
  constructor(width: number) {
    this.#width = width;
    this.#free = width;
  }

  /** Runs a piece of work when its turn comes. */
  async run<T>(place: Place, work: () => Promise<T>): Promise<T> {
    const taken = place === "beside" && this.#width === 1 ? "lane" : place;
    await new Promise<void>((begin) => {
      this.#waiting.push({ place: taken, begin });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#count(taken, -1);
      this.#admit();
    }
  }

  #admit(): void {
    const left: Waiting[] = [];
    let isAloneWanted = false;
    for (const next of this.#waiting) {
      if (this.#mayBegin(next.place, isAloneWanted)) {
        this.#count(next.place, 1);
        next.begin();
      } else {
        left.push(next);
        isAloneWanted ||= next.place === "alone";
      }
    }
    this.#waiting = left;
  }

  /** @param isAloneWanted whether somebody who asked before waits to be alone */
  #mayBegin(place: Place, isAloneWanted: boolean): boolean {
    if (this.#isAlone) return false;
    if (place === "alone") return this.#free === this.#width && this.#beside === 0;
    if (place === "beside") return !isAloneWanted;
    // What runs beside the lanes is long: until it is over, the lanes need not be empty for the one to be alone.
    return this.#free > 0 && (!isAloneWanted || this.#beside > 0);
  }

  #count(place: Place, by: 1 | -1): void {
    if (place === "alone") this.#isAlone = by === 1;
    else if (place === "beside") this.#beside += by;
    else this.#free -= by;
  }
}
