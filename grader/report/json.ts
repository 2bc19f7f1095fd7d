import { hiddenCharacter } from "./visible.ts";
import type { Out, Writer } from "./writer.ts";

/** A character as JSON writes it in ASCII, one `\uXXXX` for each UTF-16 unit. */
function asUnits(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
  ).join("");
}

/** The record itself, one JSON document. Characters that act on a terminal are escaped even where JSON lets them pass. */
export function createJsonWriter(out: Out): Writer {
  return {
    listener: {},
    end(record) {
      out(`${JSON.stringify(record, undefined, 2).replace(hiddenCharacter, asUnits)}\n`);
    },
  };
}
