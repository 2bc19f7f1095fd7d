import { extname } from "node:path";

/** What a file is when its name does not say: bytes (RFC 2046 §4.5.1). */
const unknown = "application/octet-stream";

/** Media types by file extension, as IANA registers them. Text is UTF-8, and says so. */
const types: ReadonlyMap<string, string> = new Map([
  // text
  ["css", "text/css; charset=utf-8"],
  ["csv", "text/csv; charset=utf-8"],
  ["htm", "text/html; charset=utf-8"],
  ["html", "text/html; charset=utf-8"],
  ["ics", "text/calendar; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["md", "text/markdown; charset=utf-8"],
  ["mjs", "text/javascript; charset=utf-8"],
  ["txt", "text/plain; charset=utf-8"],
  ["vtt", "text/vtt; charset=utf-8"],
  // data
  ["atom", "application/atom+xml"],
  ["json", "application/json"],
  ["jsonld", "application/ld+json"],
  ["map", "application/json"],
  ["rss", "application/rss+xml"],
  ["wasm", "application/wasm"],
  ["webmanifest", "application/manifest+json"],
  ["xhtml", "application/xhtml+xml"],
  ["xml", "application/xml"],
  // images
  ["avif", "image/avif"],
  ["bmp", "image/bmp"],
  ["gif", "image/gif"],
  ["ico", "image/vnd.microsoft.icon"],
  ["jpeg", "image/jpeg"],
  ["jpg", "image/jpeg"],
  ["png", "image/png"],
  ["svg", "image/svg+xml"],
  ["tif", "image/tiff"],
  ["tiff", "image/tiff"],
  ["webp", "image/webp"],
  // sound and film
  ["aac", "audio/aac"],
  ["flac", "audio/flac"],
  ["m4a", "audio/mp4"],
  ["mid", "audio/midi"],
  ["mp3", "audio/mpeg"],
  ["mp4", "video/mp4"],
  ["mpeg", "video/mpeg"],
  ["oga", "audio/ogg"],
  ["ogg", "audio/ogg"],
  ["ogv", "video/ogg"],
  ["opus", "audio/ogg"],
  ["wav", "audio/wav"],
  ["weba", "audio/webm"],
  ["webm", "video/webm"],
  // fonts
  ["otf", "font/otf"],
  ["ttf", "font/ttf"],
  ["woff", "font/woff"],
  ["woff2", "font/woff2"],
  // documents
  ["doc", "application/msword"],
  ["docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ["epub", "application/epub+zip"],
  ["odp", "application/vnd.oasis.opendocument.presentation"],
  ["ods", "application/vnd.oasis.opendocument.spreadsheet"],
  ["odt", "application/vnd.oasis.opendocument.text"],
  ["pdf", "application/pdf"],
  ["ppt", "application/vnd.ms-powerpoint"],
  ["pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"],
  ["rtf", "application/rtf"],
  ["xls", "application/vnd.ms-excel"],
  ["xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  // archives
  ["7z", "application/x-7z-compressed"],
  ["bz2", "application/x-bzip2"],
  ["gz", "application/gzip"],
  ["jar", "application/java-archive"],
  ["rar", "application/vnd.rar"],
  ["tar", "application/x-tar"],
  ["xz", "application/x-xz"],
  ["zip", "application/zip"],
  ["zst", "application/zstd"],
]);

/**
 * The media type of a file, by the extension of its name, in any case: `photo.JPG` is `image/jpeg`.
 * @param path a path or a name
 * @returns the type as it stands in Content-Type (RFC 9110 §8.3)
 */
export function mimeType(path: string): string {
  return types.get(extname(path).slice(1).toLowerCase()) ?? unknown;
}
