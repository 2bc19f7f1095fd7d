import {
  EACCES,
  EIO,
  EISDIR,
  ELOOP,
  EMFILE,
  ENFILE,
  ENOMEM,
  ENOTDIR,
  EPERM,
  EXDEV,
} from "expserver-course/linux";
import type { FileRoot } from "../disk/file.ts";
import { mimeType } from "../disk/mime.ts";
import { type CachedFile, OpenFileCache } from "../disk/open-file-cache.ts";
import { formatDate } from "../http/date.ts";
import { isKnownMethod } from "../http/method.ts";
import type { Request } from "../http/request.ts";
import { filePath } from "../http/request-path.ts";
import type { BodyPart, ContentHandler, Response, Validators } from "../http/response.ts";

export type StaticFilesOptions = {
  /** The part of the path that stands for the folder: `/docs` where `/docs/a.txt` is the file `a.txt` in it. */
  prefix?: string;
  /** Names that are looked for when a folder is asked for, in this order. */
  index?: readonly string[];
  /** Answers for a folder without an index file; without it, that is forbidden. */
  folder?: (request: Request, response: Response, path: string) => void;
};

/** What is sent for a file every time, made once. */
type FileFacts = {
  readonly validators: Validators;
  /** ETag and Last-Modified, rendered. */
  readonly fields: Uint8Array;
  /** Content-Length and Content-Type, rendered. */
  readonly contentFields: Uint8Array;
  readonly contentType: string;
  /** The whole file as a body. */
  readonly parts: readonly BodyPart[];
};

/** Answers by the files of a folder (RFC 9110 §9.3.1): never by anything outside it. */
export class StaticFiles {
  readonly #cache: OpenFileCache<FileFacts>;
  readonly #prefixLength: number;
  readonly #index: readonly string[];
  readonly #answerFolder: ((request: Request, response: Response, path: string) => void) | undefined;

  /**
   * @param root stays its owner's, and has to outlive this object
   * @param clock milliseconds, such as the loop's `now`
   */
  constructor(root: FileRoot, clock: () => number, options: StaticFilesOptions = {}) {
    this.#cache = new OpenFileCache(root, clock, describe);
    const prefix = filePath(options.prefix ?? "/"); // as the paths that it is cut from
    this.#prefixLength = typeof prefix === "string" ? prefix.replace(/\/$/, "").length : 0;
    this.#index = options.index ?? ["index.html"];
    this.#answerFolder = options.folder;
  }

  /** Answers a request. */
  readonly handle: ContentHandler = (request, response) => {
    const { method } = request.head;
    if (method !== "GET" && method !== "HEAD") {
      refuseMethod(method, response);
      return;
    }
    const path = filePath(request.path);
    if (typeof path === "number") response.sendError(path);
    else if (path.length === this.#prefixLength) redirectToFolder(request, response);
    else this.#answer(request, response, path.slice(this.#prefixLength));
  };

  /** Closes the files. Calling it again does nothing. */
  destroy(): void {
    this.#cache.destroy();
  }

  /** @param path below the folder, beginning with a slash */
  #answer(request: Request, response: Response, path: string): void {
    const isFolder = path.endsWith("/");
    const found = isFolder ? this.#findIndex(path) : this.#cache.get(path);
    if (typeof found !== "number") {
      answerFile(found, response);
    } else if (found !== -EISDIR) {
      response.sendError(statusOf(found));
    } else if (!isFolder) {
      redirectToFolder(request, response);
    } else if (this.#answerFolder !== undefined) {
      this.#answerFolder(request, response, path);
    } else {
      response.sendError(403);
    }
  }

  /** The index file of a folder; -EISDIR for a folder that has none. */
  #findIndex(path: string): CachedFile<FileFacts> | number {
    for (const name of this.#index) {
      const found = this.#cache.get(path + name);
      if (typeof found !== "number") return found;
    }
    const folder = this.#cache.get(path === "/" ? "." : path.slice(0, -1));
    return typeof folder === "number" ? folder : -ENOTDIR;
  }
}

function answerFile(file: CachedFile<FileFacts>, response: Response): void {
  const { facts } = file;
  if (file.content === undefined) file.retain();
  response.validators = facts.validators;
  response.prepared = facts.fields;
  response.contentType = facts.contentType;
  response.setBody(facts.parts, file.size, facts.contentFields);
  response.send();
}

/** What a file's responses have in common. */
function describe(file: CachedFile<FileFacts>, path: string): FileFacts {
  const contentType = mimeType(path);
  // The size and the time to the nanosecond: another content has another tag (RFC 9110 §8.8.3), on every machine the same.
  const etag = `"${file.modifiedNs.toString(36)}-${file.size.toString(36)}"`;
  // A time that lies ahead would promise more than anybody knows (RFC 9110 §8.8.2.1).
  const modifiedAt = Math.min(file.modifiedAt, Math.floor(Date.now() / 1000));
  const part = { start: 0, end: file.size };
  return {
    validators: { etag, modifiedAt },
    fields: Buffer.from(`Last-Modified: ${formatDate(modifiedAt)}\r\nETag: ${etag}\r\n`),
    contentFields: Buffer.from(`Content-Length: ${file.size}\r\nContent-Type: ${contentType}\r\n`),
    contentType,
    parts: [
      file.content === undefined
        ? { bytes: undefined, file, ...part }
        : { bytes: file.content, file: undefined, ...part },
    ],
  };
}

function refuseMethod(method: string, response: Response): void {
  if (!isKnownMethod(method)) {
    response.sendError(501);
    return;
  }
  response.fields.set("Allow", "GET, HEAD");
  response.sendError(405);
}

/**
 * To the folder's name with a slash, from which relative links of its page count (RFC 9110 §15.4.2). Several slashes at
 * the start would name a host and lead away from here.
 */
function redirectToFolder(request: Request, response: Response): void {
  const { query } = request.head;
  const path = `${request.path.replace(/^\/{2,}/, "/")}/`;
  response.fields.set("Location", query === undefined ? path : `${path}?${query}`);
  response.sendError(301);
}

/** The status that tells why a file cannot be opened. */
function statusOf(errno: number): number {
  switch (-errno) {
    case EACCES:
    case EPERM:
    case EXDEV: // leads out of the folder
    case ELOOP:
      return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return 503;
    case EIO:
      return 500;
    default: // ENOENT, ENOTDIR, ENAMETOOLONG; also what is no file, such as a named pipe
      return 404;
  }
}
