/** `entity-tag`, with `W/` where it is weak (RFC 9110 §8.8.3). */
const entityTag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/y;

/** A list of tags, as in If-None-Match; `undefined` when it is none. `*` is an empty list that everything is in. */
function readTags(list: string): string[] | "*" | undefined {
  // TODO 5a: tags between commas and white space. A comma may also stand within a tag: do not split.
  return todo(`5a: the tags of ${list} by ${entityTag}`);
}

/**
 * Whether a list has a tag in the strong comparison: equal, and both strong (RFC 9110 §8.8.3.2).
 * @param list a value of If-Match
 */
export function matchesStrongly(list: string, etag: string): boolean {
  // TODO 5b
  return todo(`5b: whether ${etag} is in ${readTags(list)}`);
}

/**
 * Whether a list has a tag in the weak comparison: equal but for `W/` (RFC 9110 §8.8.3.2).
 * @param list a value of If-None-Match
 */
export function matchesWeakly(list: string, etag: string): boolean {
  // TODO 5b
  return todo(`5b: whether ${opaque(etag)} is in ${readTags(list)}`);
}

function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
