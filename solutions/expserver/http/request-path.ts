const percent = 0x25;
const dot = 0x2e;
const slash = 0x2f;

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
  if (!needsWork(path)) return path;
  const decoded = decodeUnreserved(path);
  return decoded === undefined ? undefined : removeDotSegments(decoded);
}

/** Whether there is an escape, or a segment that begins with a dot. Almost every path is told here in one pass. */
function needsWork(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === percent || (code === dot && path.charCodeAt(i - 1) === slash)) return true;
  }
  return false;
}

function decodeUnreserved(path: string): string | undefined {
  let isMalformed = false;
  const decoded = path.replace(/%(..?)?/g, (encoded, digits: string | undefined) => {
    if (digits === undefined || !/^[0-9A-Fa-f]{2}$/.test(digits) || digits === "00") {
      isMalformed = true;
      return encoded;
    }
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return unreserved.test(character) ? character : encoded.toUpperCase();
  });
  return isMalformed ? undefined : decoded;
}

/** RFC 3986 §5.2.4, but a `..` with nothing before it is not forgiven. Empty segments stay. */
function removeDotSegments(path: string): string | undefined {
  const segments: string[] = [];
  const sent = path.slice(1).split("/");
  for (const [index, segment] of sent.entries()) {
    const isLast = index === sent.length - 1;
    if (segment === "." || segment === "..") {
      if (segment === ".." && segments.pop() === undefined) return undefined;
      if (isLast) segments.push("");
    } else {
      segments.push(segment);
    }
  }
  return `/${segments.join("/")}`;
}

/**
 * The name of a file that a routed path means: escapes decoded, empty segments merged.
 * @returns the status to answer by when no file can be meant: 400 for an encoded slash, which is no separator and no character
 * of a name either; 404 for bytes that are not UTF-8
 */
export function filePath(path: string): string | 400 | 404 {
  if (!path.includes("%") && !path.includes("//")) return path;
  if (path.includes("%2F")) return 400; // normalised escapes are in upper case
  try {
    return decodeURIComponent(path).replace(/\/{2,}/g, "/");
  } catch {
    return 404;
  }
}
