import { visible } from "./visible.ts";

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\t": "&#9;",
};

/** Character data: what XML 1.0 forbids is made visible first, and `>` is escaped too because of `]]>`. */
export function text(value: string): string {
  return visible(value).replace(/[&<>]/g, (character) => entities[character]!);
}

function attribute(name: string, value: string | number): string {
  // Parsers turn a literal newline or tab in an attribute into a space.
  return ` ${name}="${visible(String(value)).replace(/[&<>"\n\t]/g, (character) => entities[character]!)}"`;
}

/**
 * An element.
 * @param content elements, which stand on lines of their own, or character data, which gets no white space around it
 */
export function element(
  name: string,
  attributes: Record<string, string | number>,
  content: string[] = [],
): string {
  const start =
    name +
    Object.entries(attributes)
      .map(([key, value]) => attribute(key, value))
      .join("");
  if (content.length === 0) return `<${start}/>`;
  const gap = content[0]!.startsWith("<") ? "\n" : "";
  return `<${start}>${gap}${content.join("\n")}${gap}</${name}>`;
}
