/** Whatever could end a line, or the head, early (RFC 9110 §5.5). */
const forbidden = /[^\t\x20-\x7e\x80-\xff]/;

/** Header fields that are to be sent, in order. One object serves one message after the other. */
export class ResponseFields {
  /** How many there are. */
  count = 0;
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  name(index: number): string {
    return this.#names[index]!;
  }

  value(index: number): string {
    return this.#values[index]!;
  }

  /**
   * Adds a field, whether or not there is one of this name.
   * @throws {TypeError} the value has a control character, or one beyond Latin-1
   */
  add(name: string, value: string): void {
    if (forbidden.test(value))
      throw new TypeError(`the value of ${name} has a character that no field may have`);
    this.#names[this.count] = name;
    this.#values[this.count] = value;
    this.count++;
  }

  /** Adds a field in the place of all that have this name. */
  set(name: string, value: string): void {
    this.delete(name);
    this.add(name, value);
  }

  /** The value of the first field with this name, in any case; `undefined` where there is none. */
  get(name: string): string | undefined {
    const index = this.#indexOf(name, 0);
    return index === -1 ? undefined : this.#values[index];
  }

  delete(name: string): void {
    for (let index = this.#indexOf(name, 0); index !== -1; index = this.#indexOf(name, index)) {
      this.#names.splice(index, 1);
      this.#values.splice(index, 1);
      this.count--;
    }
  }

  clear(): void {
    this.count = 0;
  }

  #indexOf(name: string, from: number): number {
    const wanted = name.toLowerCase();
    for (let index = from; index < this.count; index++) {
      if (this.#names[index]!.length === wanted.length && this.#names[index]!.toLowerCase() === wanted)
        return index;
    }
    return -1;
  }
}
