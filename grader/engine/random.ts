import { createHash, randomBytes } from "node:crypto";

/** A new seed: 8 hex digits. */
export function newSeed(): string {
  return randomBytes(4).toString("hex");
}

/**
 * Everything random in a check. The same seed and name give the same values for ever, so that a
 * failure can be repeated alone; each check has its own stream, so that other checks don't move it.
 */
export class Random {
  #state: Uint32Array;

  constructor(seed: string, name: string) {
    const digest = createHash("sha256").update(`${seed}/${name}`).digest();
    this.#state = Uint32Array.from([0, 4, 8, 12], (offset) => digest.readUInt32LE(offset));
  }

  /** 32 random bits (sfc32, a small fast counting generator). */
  next32(): number {
    const s = this.#state;
    const result = (s[0]! + s[1]! + s[3]!) >>> 0;
    s[3] = s[3]! + 1;
    s[0] = s[1]! ^ (s[1]! >>> 9);
    s[1] = s[2]! + (s[2]! << 3);
    s[2] = ((s[2]! << 21) | (s[2]! >>> 11)) + result;
    return result;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor((this.next32() / 2 ** 32) * (high - low + 1));
  }

  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)]!;
  }

  /** The values in another order; the given list stays as it is. */
  shuffle<T>(values: readonly T[]): T[] {
    const shuffled = [...values];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.integer(0, last);
      [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
    }
    return shuffled;
  }

  /** Bytes of any value. */
  bytes(length: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let index = 0; index < words.length; index++) words[index] = this.next32();
    return new Uint8Array(words.buffer, 0, length);
  }

  /** Letters and digits, `low` to `high` of them. */
  word(low: number, high = low): string {
    const letters = Buffer.allocUnsafe(this.integer(low, high));
    for (let index = 0; index < letters.length; index++) letters[index] = alphabet[this.integer(0, 61)]!;
    return letters.toString("latin1");
  }
}

const alphabet = Buffer.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
