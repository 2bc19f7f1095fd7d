const keptAtStart = 512 * 1024;
const keptAtEnd = 512 * 1024;

/** A stream's bytes, of which the first and the last half MiB are kept, however much comes and in however small pieces. */
export class KeptOutput {
  total = 0;
  /** The first bytes; grows by doubling, as most programs print a line or two. */
  #start = Buffer.alloc(1024);
  /** The last bytes, as a ring: byte number `n` behind the first ones stands at `n % keptAtEnd`. */
  #end: Buffer | undefined;

  /** Takes the next bytes. */
  add(bytes: Buffer): void {
    const room = Math.max(0, keptAtStart - this.total);
    if (room > 0) this.#addAtStart(bytes.subarray(0, room));
    if (bytes.length > room) this.#addAtEnd(bytes.subarray(room), Math.max(0, this.total - keptAtStart));
    this.total += bytes.length;
  }

  #addAtStart(bytes: Buffer): void {
    const length = this.total + bytes.length;
    if (length > this.#start.length) {
      const larger = Buffer.alloc(Math.min(keptAtStart, Math.max(length, this.#start.length * 2)));
      this.#start.copy(larger, 0, 0, this.total);
      this.#start = larger;
    }
    bytes.copy(this.#start, this.total);
  }

  /** @param at the number of bytes that came behind the first ones before */
  #addAtEnd(bytes: Buffer, at: number): void {
    this.#end ??= Buffer.alloc(keptAtEnd);
    const skipped = Math.max(0, bytes.length - keptAtEnd);
    const place = (at + skipped) % keptAtEnd;
    const copied = bytes.copy(this.#end, place, skipped);
    bytes.copy(this.#end, 0, skipped + copied);
  }

  #kept(): { start: Buffer; end: Buffer } {
    const start = this.#start.subarray(0, Math.min(this.total, keptAtStart));
    const behind = this.total - start.length;
    if (this.#end === undefined || behind <= keptAtEnd) {
      return { start, end: this.#end?.subarray(0, behind) ?? Buffer.alloc(0) };
    }
    const oldest = behind % keptAtEnd;
    return { start, end: Buffer.concat([this.#end.subarray(oldest), this.#end.subarray(0, oldest)]) };
  }

  /**
   * Resolves when what was written until now has been read. After the end of a program its last bytes
   * stand in the pipe, and the event loop reads them turn by turn; to wait for the pipe's end instead
   * would be to wait for every process that the program left behind with it.
   */
  async settled(): Promise<void> {
    for (let before = -1; before < this.total; ) {
      before = this.total;
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** All bytes that were kept. */
  bytes(): Buffer {
    const { start, end } = this.#kept();
    return Buffer.concat([start, end]);
  }

  /** What was kept as text; a line says where something is left out. */
  text(): string {
    const { start, end } = this.#kept();
    const left = this.total - start.length - end.length;
    // Together, as a character may stand across the two.
    return left > 0 ? `${start}\n… ${left} bytes left out …\n${end}` : Buffer.concat([start, end]).toString();
  }
}
