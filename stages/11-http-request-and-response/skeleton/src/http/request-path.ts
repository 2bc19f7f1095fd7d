/** Characters that mean the same with and without percent-encoding (RFC 3986 §2.3). */
const unreserved = /[A-Za-z0-9\-._~]/;

/**
 * The path by which a request is routed and access is decided: unreserved characters decoded, other escapes in upper
 * case, dot segments removed (RFC 3986 §6.2.2). Whoever forwards a request forwards this path, so that nobody
 * behind us can understand another one than we did.
 * @param path as it was sent, beginning with `/`
 * @returns `undefined` for a path that leads above the root, or has a malformed escape or an encoded NUL
 */
export function normalizePath(path: string): string | undefined {
  // TODO 2a: decode what means the same without an escape, then remove the dot segments. Most paths have neither: for these, return
  // the path itself.
  return todo(`2a: the routed form of ${path}, by ${decodeUnreserved.name} and ${removeDotSegments.name}`);
}

/** `undefined` for a malformed escape, and for an encoded NUL. */
function decodeUnreserved(path: string): string | undefined {
  // TODO 2a: each %XX becomes its character if that is unreserved, and is written in upper case otherwise.
  return todo(`2a: decode ${path} where ${unreserved} is`);
}

/** RFC 3986 §5.2.4, but a `..` with nothing before it is not forgiven. Empty segments stay. */
function removeDotSegments(path: string): string | undefined {
  // TODO 2b: `.` is dropped, `..` takes the segment before it along; where one of them is last, a slash stays at the end.
  return todo(`2b: ${path} without dot segments`);
}

/**
 * The name of a file that a routed path means: escapes decoded, empty segments merged.
 * @returns the status to answer by when no file can be meant: 400 for an encoded slash, which is no separator and no character
 * of a name either; 404 for bytes that are not UTF-8
 */
export function filePath(path: string): string | 400 | 404 {
  // TODO 2c: an encoded slash is refused; several slashes count as one; then decode all that is left.
  return todo(`2c: the file that ${path} means`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
