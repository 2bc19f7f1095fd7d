/** A place in a text; both count from 1, and a column is one character. */
export type Position = { readonly line: number; readonly column: number };

/** What a JSON text says, and where it says it. */
export type JsonDocument = {
  readonly value: unknown;
  /**
   * Where a value stands: its key, or the value itself in a list.
   * @param keyPath `servers[0].routes[2].type`; for one that is not there, the object that should have it
   */
  position(keyPath: string): Position;
};

/** A text that is no JSON. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  readonly position: Position;

  /** @param problem a sentence: what was found, and what to do */
  constructor(position: Position, problem: string) {
    super(problem);
    this.position = position;
  }
}

/** Objects and lists within one another. No configuration comes near, and what reads it may call itself for each. */
const greatestDepth = 100;

const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const wordPattern = /[A-Za-z0-9_$+.-]+/y;
const escapes: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/**
 * Reads JSON (RFC 8259) as `JSON.parse` does, but knows where everything stands, and says what is wrong in words that do not
 * change with the version of Node. A key that comes twice in an object is refused: one of the two would be ignored.
 * @throws {JsonSyntaxError}
 */
export function parseJson(text: string): JsonDocument {
  const reader = new JsonReader(text);
  const value = reader.readDocument();
  return { value, position: (keyPath) => positionOf(text, reader.offset(keyPath)) };
}

/** The path of a member: `servers` and `[0]` and `type` make `servers[0].type`. */
export function keyPathOf(parent: string, key: string | number): string {
  if (typeof key === "number") return `${parent}[${key}]`;
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}

class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  /** Offsets by key path. */
  readonly #offsets = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): unknown {
    if (this.#text.startsWith("\uFEFF")) this.#at = 1; // a byte order mark, which Windows' editors write (RFC 8259 §8.1)
    this.#skipSpace();
    if (this.#at === this.#text.length) this.#fail("the file is empty; a configuration begins with {");
    const value = this.#readValue("");
    this.#skipSpace();
    if (this.#at < this.#text.length) {
      this.#fail(`found ${this.#found()} behind the end of the configuration; only one value can stand here`);
    }
    return value;
  }

  offset(keyPath: string): number {
    const offset = this.#offsets.get(keyPath);
    if (offset !== undefined) return offset;
    const last = Math.max(keyPath.lastIndexOf("."), keyPath.lastIndexOf("["));
    return last > 0 ? this.offset(keyPath.slice(0, last)) : (this.#offsets.get("") ?? 0);
  }

  #readValue(path: string): unknown {
    if (!this.#offsets.has(path)) this.#offsets.set(path, this.#at);
    const character = this.#text[this.#at];
    switch (character) {
      case "{":
        return this.#nested(() => this.#readObject(path));
      case "[":
        return this.#nested(() => this.#readList(path));
      case '"':
        return this.#readText();
      default:
        return this.#readNumberOrWord();
    }
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > greatestDepth)
      this.#fail(`objects and lists lie more than ${greatestDepth} deep here`);
    const value = read();
    this.#depth--;
    return value;
  }

  #readObject(path: string): object {
    // Without a prototype: `__proto__` is a key like any other.
    const members: Record<string, unknown> = Object.create(null);
    const start = this.#at++;
    this.#skipSpace();
    while (this.#text[this.#at] !== "}") {
      const keyAt = this.#at;
      if (this.#text[keyAt] !== '"') this.#failAtKey(start);
      const key = this.#readText();
      const keyPath = keyPathOf(path, key);
      if (key in members) {
        const { line } = positionOf(this.#text, this.#offsets.get(keyPath)!);
        this.#fail(`the key "${key}" stands in this object twice; the other is in line ${line}`, keyAt);
      }
      this.#offsets.set(keyPath, keyAt);
      this.#skipSpace();
      if (this.#text[this.#at] !== ":") {
        this.#failUnclosed(start);
        this.#fail(`found ${this.#found()} where a colon has to follow the key "${key}"`);
      }
      this.#at++;
      this.#skipSpace();
      this.#failUnclosed(start);
      members[key] = this.#readValue(keyPath);
      this.#readSeparator("}", start);
    }
    this.#at++;
    return members;
  }

  #readList(path: string): unknown[] {
    const items: unknown[] = [];
    const start = this.#at++;
    this.#skipSpace();
    while (this.#text[this.#at] !== "]") {
      this.#failUnclosed(start);
      items.push(this.#readValue(keyPathOf(path, items.length)));
      this.#readSeparator("]", start);
    }
    this.#at++;
    return items;
  }

  /** Reads what follows a member: the comma before the next, or nothing before the bracket that closes. */
  #readSeparator(closing: string, start: number): void {
    this.#skipSpace();
    if (this.#text[this.#at] === closing) return;
    this.#failUnclosed(start);
    if (this.#text[this.#at] !== ",") {
      const hint = this.#hint() || "; is a comma missing before it?";
      this.#fail(`found ${this.#found()} where a comma or ${closing} has to stand${hint}`);
    }
    const comma = this.#at++;
    this.#skipSpace();
    if (this.#text[this.#at] === closing) {
      this.#fail(`found a comma and nothing behind it but ${closing}; remove the comma`, comma);
    }
  }

  #readText(): string {
    const start = this.#at++;
    let value = "";
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === "\n") {
        this.#fail("found the start of a text that does not end in its line; a quote is missing", start);
      }
      if (character < " ") this.#fail(`found ${this.#found()} in a text; write it as ${escapeOf(character)}`);
      this.#at++;
      if (character === '"') return value;
      value += character === "\\" ? this.#readEscape() : character;
    }
  }

  /** Reads what follows a backslash. */
  #readEscape(): string {
    const character = this.#text[this.#at++] ?? "";
    if (character === '"' || character === "\\" || character === "/") return character;
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (character === "u" && /^[0-9A-Fa-f]{4}$/.test(digits)) {
      this.#at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const meant = escapes[character];
    if (meant !== undefined) return meant;
    return this.#fail(
      "found a backslash that begins no escape; for a backslash itself, write two",
      this.#at - 2,
    );
  }

  #readNumberOrWord(): unknown {
    const start = this.#at;
    const word = this.#match(wordPattern);
    if (word === "true") return true;
    if (word === "false") return false;
    if (word === "null") return null;
    this.#at = start;
    const number = this.#match(numberPattern);
    if (number !== "" && number === word) return Number(number);
    this.#at = start;
    if (word !== "" && /^[-+.0-9]/.test(word))
      return this.#fail(`found ${word}, which is no number as JSON has them`);
    return this.#fail(
      word === ""
        ? `found ${this.#found()} where a value has to stand${this.#hint()}`
        : `found ${word} where a value has to stand; write texts in double quotes`,
    );
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const matched = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += matched.length;
    return matched;
  }

  #skipSpace(): void {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "x")) this.#at++;
  }

  /** Something else than a key stands in an object. */
  #failAtKey(start: number): never {
    this.#failUnclosed(start);
    const word = this.#match(wordPattern);
    if (word === "") this.#fail(`found ${this.#found()} where a key has to stand${this.#hint()}`);
    return this.#fail(`found ${word} where a key has to stand; write "${word}"`, this.#at - word.length);
  }

  /** The text ends within the object or list that begins at `start`. */
  #failUnclosed(start: number): void {
    if (this.#at < this.#text.length) return;
    const { line, column } = positionOf(this.#text, start);
    this.#fail(`the file ends, but the ${this.#text[start]} of line ${line}, column ${column} is not closed`);
  }

  /** What may help with a character that JSON does not have here. */
  #hint(): string {
    const character = this.#text[this.#at];
    if (character === "'") return "; write texts in double quotes";
    if (character === "/" || character === "#") return "; JSON has no comments";
    return "";
  }

  /** The character here, in words. */
  #found(): string {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return "the end of the file";
    const isVisible = code > 0x20 && !/\p{C}|\p{Z}/u.test(String.fromCodePoint(code));
    return isVisible
      ? String.fromCodePoint(code)
      : `the character U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  }

  #fail(problem: string, offset = this.#at): never {
    throw new JsonSyntaxError(positionOf(this.#text, offset), problem);
  }
}

function escapeOf(character: string): string {
  return JSON.stringify(character).slice(1, -1);
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.split("\n").length;
  const isMarked = line === 1 && text.startsWith("\uFEFF");
  return { line, column: [...before.slice(lineStart)].length + (isMarked ? 0 : 1) };
}
