/** `entity-tag`, with `W/` where it is weak (RFC 9110 §8.8.3). */
const entityTag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/y;

/** A list of tags, as in If-None-Match; `undefined` when it is none. `*` is an empty list that everything is in. */
function readTags(list: string): string[] | "*" | undefined {
  if (list === "*") return "*";
  const tags: string[] = [];
  for (let at = 0; ; ) {
    while (list[at] === " " || list[at] === "\t" || list[at] === ",") at++;
    if (at === list.length) return tags.length > 0 ? tags : undefined;
    entityTag.lastIndex = at;
    const tag = entityTag.exec(list)?.[0];
    if (tag === undefined) return undefined;
    tags.push(tag);
    at += tag.length;
    while (list[at] === " " || list[at] === "\t") at++;
    if (at < list.length && list[at] !== ",") return undefined;
  }
}

/**
 * Whether a list has a tag in the strong comparison: equal, and both strong (RFC 9110 §8.8.3.2).
 * @param list a value of If-Match
 */
export function matchesStrongly(list: string, etag: string): boolean {
  const tags = readTags(list);
  if (tags === "*") return true;
  return !etag.startsWith("W/") && tags?.includes(etag) === true;
}

/**
 * Whether a list has a tag in the weak comparison: equal but for `W/` (RFC 9110 §8.8.3.2).
 * @param list a value of If-None-Match
 */
export function matchesWeakly(list: string, etag: string): boolean {
  const tags = readTags(list);
  if (tags === "*") return true;
  return tags?.some((tag) => opaque(tag) === opaque(etag)) === true;
}

function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
