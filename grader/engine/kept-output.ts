const keptAtStart = 512 * 1024;
const keptAtEnd = 512 * 1024;

/** A stream's bytes, of which the first and the last half MiB are kept, however much comes. */
export class KeptOutput {
  total = 0;
  #start: Buffer[] = [];
  #end: Buffer[] = [];
  #endLength = 0;

  /** Takes the next bytes. */
  add(bytes: Buffer): void {
    const room = Math.max(0, keptAtStart - this.total);
    this.total += bytes.length;
    if (room > 0) this.#start.push(bytes.subarray(0, room));
    const rest = bytes.subarray(room);
    if (rest.length === 0) return;
    this.#end.push(rest);
    this.#endLength += rest.length;
    while (this.#endLength - this.#end[0]!.length > keptAtEnd) this.#endLength -= this.#end.shift()!.length;
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
    return Buffer.concat([...this.#start, ...this.#end]);
  }

  /** What was kept as text; a line says where something is left out. */
  text(): string {
    const left = this.total - this.bytes().length;
    const start = Buffer.concat(this.#start).toString();
    const end = Buffer.concat(this.#end).toString();
    return left > 0 ? `${start}\n… ${left} bytes left out …\n${end}` : start + end;
  }
}
