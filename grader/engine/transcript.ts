import { describeMs, quote } from "./evidence.ts";

const keptStepsAtStart = 6;
const keptStepsAtEnd = 10;
const keptBytes = 1024 * 1024;

/**
 * What happened in a check, in order: the steps that the report shows, and all bytes with their times
 * for the transcript file. Bounded, whatever a program sends.
 */
export class Transcript {
  readonly #start = performance.now();
  readonly #steps: string[] = [];
  #lines: string[] = [];
  #bytes = 0;

  /** Adds a step as a person would tell it: `client 1 sent "hello\n" (6 bytes)`. */
  step(text: string): void {
    this.#steps.push(text);
    this.#note(`--- ${text}`);
  }

  /** Adds bytes that passed, `→` to the learner's program or `←` from it. */
  bytes(who: string, direction: "→" | "←", bytes: Uint8Array): void {
    this.#note(`${who} ${direction} ${bytes.length} ${quote(bytes, 256)}`);
  }

  #note(text: string): void {
    if (this.#bytes > keptBytes) return;
    const line = `${describeMs(performance.now() - this.#start).padStart(8)}  ${text}`;
    this.#bytes += line.length + 1;
    this.#lines.push(this.#bytes > keptBytes ? "… (the rest was not kept)" : line);
  }

  /** The first and the last steps; what was left out between them is counted. */
  steps(): string[] {
    const left = this.#steps.length - keptStepsAtStart - keptStepsAtEnd;
    if (left <= 1) return [...this.#steps];
    return [
      ...this.#steps.slice(0, keptStepsAtStart),
      `… ${left} more steps …`,
      ...this.#steps.slice(-keptStepsAtEnd),
    ];
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}
