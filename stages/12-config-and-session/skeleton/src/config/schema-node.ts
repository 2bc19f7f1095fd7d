import { closest } from "./suggestion.ts";

/** The parts of a JSON Schema that ours have. */
export type SchemaNode = {
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
};

type Path = readonly PropertyKey[];

/** What a key is for; "" where nobody says. */
export function describedAt(root: SchemaNode, path: Path, value: unknown): string {
  return nodeAt(root, path, value)?.description ?? "";
}

/**
 * What to do about a key that an object cannot have: it was mistyped, or belongs elsewhere, or there are only others.
 * @param path where the object stands
 * @returns the rest of a sentence, with what separates it: `; did you mean gzip_level?`
 */
export function explainUnknownKey(root: SchemaNode, path: Path, value: unknown, key: string): string {
  const keys = Object.keys(nodeAt(root, path, value)?.properties ?? {});
  const elsewhere = placesOf(root, key);
  if (elsewhere.length > 0) return `; it belongs to ${elsewhere.join(" and to ")}`;
  const meant = closest(key, keys);
  if (meant !== undefined) return `; did you mean ${meant}?`;
  return keys.length > 0 ? `; there are ${keys.filter((known) => known !== "$schema").join(", ")}` : "";
}

/** The node that a value at a path has to satisfy. */
function nodeAt(root: SchemaNode, path: Path, value: unknown): SchemaNode | undefined {
  let node: SchemaNode | undefined = chosen(root, value);
  let current = value;
  for (const key of path) {
    current = (current as Record<PropertyKey, unknown> | undefined)?.[key];
    const next: SchemaNode | undefined =
      typeof key === "number" ? node?.items : node?.properties?.[String(key)];
    node = next && chosen(next, current);
  }
  return node;
}

/** Of alternatives, the one that a value is meant to be: it has the constant that the value has, such as a route's type. */
function chosen(node: SchemaNode, value: unknown): SchemaNode {
  const options = node.oneOf ?? node.anyOf;
  if (options === undefined) return node;
  const members = (typeof value === "object" ? value : undefined) as Record<string, unknown> | undefined;
  const isMeant = ({ properties = {}, type }: SchemaNode) =>
    (type === "object") === (members !== undefined) &&
    Object.entries(properties).every(
      ([key, { const: constant }]) => constant === undefined || constant === members?.[key],
    );
  return options.find(isMeant) ?? node;
}

/** The objects that have a key, in words. */
function placesOf(node: SchemaNode, key: string, place = ""): string[] {
  const own =
    node.properties !== undefined && Object.hasOwn(node.properties, key) ? [placeInWords(node, place)] : [];
  const inner = Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    placesOf(child, key, place === "" ? name : `${place}.${name}`),
  );
  const items = node.items === undefined ? [] : placesOf(node.items, key, `${place}[]`);
  const options = [...(node.oneOf ?? []), ...(node.anyOf ?? [])].flatMap((option) =>
    placesOf(option, key, place),
  );
  return [...new Set([...own, ...inner, ...items, ...options])];
}

function placeInWords(node: SchemaNode, place: string): string {
  const kind = node.properties?.type?.const;
  if (kind !== undefined) return `${place} of the type ${JSON.stringify(kind)}`;
  return place === "" ? "the top of the configuration" : place;
}
