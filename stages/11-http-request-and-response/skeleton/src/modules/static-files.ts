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
    // TODO 5a: other methods than GET and HEAD are refused. The path becomes the name of a file, or a status. What is behind the prefix
    // is looked for.
    todo(
      `5a: ${request.path} from ${this.#prefixLength} for ${response.status} by ${refuseMethod} ${filePath.name} ${this.#answer}`,
    );
  };

  /** Closes the files. Calling it again does nothing. */
  destroy(): void {
    this.#cache.destroy();
  }

  /** @param path below the folder, beginning with a slash */
  #answer(request: Request, response: Response, path: string): void {
    // TODO 5c: a file is sent; a folder without its slash is redirected; a folder is its index file, or what #answerFolder makes of it,
    // or forbidden (403); everything else has the status of its errno.
    todo(
      `5c: ${path} ${response} ${request} ${answerFile} ${redirectToFolder} ${statusOf} ${this.#answerFolder} ${this.#findIndex} ${EISDIR}`,
    );
  }

  /** The index file of a folder; -EISDIR for a folder that has none. */
  #findIndex(path: string): CachedFile<FileFacts> | number {
    // TODO 5c: the first of #index that is there. What is not: -EISDIR if the folder is one. "a.txt/" is neither a folder nor a file.
    return todo(`5c: ${this.#index} below ${path} in ${this.#cache}, or ${ENOTDIR}`);
  }
}

function answerFile(file: CachedFile<FileFacts>, response: Response): void {
  // TODO 5b: validators, fields, type and body; the descriptor is kept for as long as it is sent from.
  todo(`5b: ${file.size} bytes for ${response.status}`);
}

/** What a file's responses have in common. */
function describe(file: CachedFile<FileFacts>, path: string): FileFacts {
  // TODO 5b: type, tag, time (never one that lies ahead), the rendered fields, and the one part.
  return todo(`5b: ${file.size} ${file.modifiedNs} ${path} ${mimeType(path)} ${formatDate(file.modifiedAt)}`);
}

function refuseMethod(method: string, response: Response): void {
  // TODO 5a: 501 for a method that nobody knows, 405 with Allow for one that is only not for files.
  todo(`5a: ${method} ${isKnownMethod(method)} ${response.status}`);
}

/**
 * To the folder's name with a slash, from which relative links of its page count (RFC 9110 §15.4.2). Several slashes at
 * the start would name a host and lead away from here.
 */
function redirectToFolder(request: Request, response: Response): void {
  // TODO 5c: 301 to the path with a slash and the query. Careful with several slashes at the start.
  todo(`5c: ${request.path} ${response.status}`);
}

/** The status that tells why a file cannot be opened. */
function statusOf(errno: number): number {
  // TODO 5c: 403 for what may not be read or leads out, 503 where the server lacks something, 500 for a broken disk, else 404.
  return todo(`5c: ${errno} ${[EACCES, EPERM, EXDEV, ELOOP, EMFILE, ENFILE, ENOMEM, EIO]}`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
