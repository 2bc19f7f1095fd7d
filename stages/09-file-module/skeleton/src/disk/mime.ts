import { extname } from "node:path";

/** What a file is when its name does not say: bytes (RFC 2046 §4.5.1). */
const unknown = "application/octet-stream";

/** Media types by file extension, as IANA registers them. Text is UTF-8, and says so. */
const types: ReadonlyMap<string, string> = new Map([
  ["html", "text/html; charset=utf-8"],
  ["png", "image/png"],
  // TODO 2a: the ones that the web is made of: css, js, mjs, json, txt, svg, jpg, jpeg, gif, webp, ico, pdf, zip, mp3, mp4,
  // woff2, wasm, … (https://www.iana.org/assignments/media-types)
]);

/**
 * The media type of a file, by the extension of its name, in any case: `photo.JPG` is `image/jpeg`.
 * @param path a path or a name
 * @returns the type as it stands in Content-Type (RFC 9110 §8.3)
 */
export function mimeType(path: string): string {
  // TODO 2b: the extension without its dot, in small letters; what is not in the table is `unknown`.
  return todo(`2b: ${extname(path)} among ${types.size} types, else ${unknown}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
