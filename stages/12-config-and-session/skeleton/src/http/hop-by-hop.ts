import { FieldName, type Fields } from "./fields.ts";

const connection = new FieldName("connection");

/** Fields that are about one connection and mean nothing on the next (RFC 9110 §7.6.1), and those that each side frames for itself. */
const always = [
  "connection",
  "content-length",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Tells which fields of a message are not passed on: those above, others that its user names, and those that Connection names. */
export class HopByHopFields {
  /** By length, so that almost every field is told by one look. */
  readonly #names: FieldName[][] = [];
  /** What the Connection fields of the message name beside options that are no fields. */
  #named: FieldName[] = [];

  /** @param more names in lower case */
  constructor(more: readonly string[]) {
    for (const text of [...always, ...more]) {
      this.#names[text.length] ??= [];
      this.#names[text.length]!.push(new FieldName(text));
    }
  }

  /** Begins with a message. */
  read(fields: Fields): void {
    if (this.#named.length > 0) this.#named = [];
    for (let i = fields.indexOf(connection); i !== -1; i = fields.indexOf(connection, i + 1)) {
      for (const option of fields.value(i).toLowerCase().split(",")) {
        const name = option.trim();
        if (name !== "" && name !== "close" && name !== "keep-alive") this.#named.push(new FieldName(name));
      }
    }
  }

  /** Whether a field of the message is not passed on. */
  has(fields: Fields, index: number): boolean {
    const candidates = this.#names[fields.nameLength(index)];
    if (candidates !== undefined) {
      for (const name of candidates) if (fields.isNamed(index, name)) return true;
    }
    for (const name of this.#named) if (fields.isNamed(index, name)) return true;
    return false;
  }
}
