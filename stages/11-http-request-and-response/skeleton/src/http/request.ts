import type { TcpConnection } from "../network/tcp.ts";
import type { Refusal } from "./head-parser.ts";
import { RequestParser } from "./parser.ts";
import { normalizePath } from "./request-path.ts";

/** Takes the body of a request as it comes. */
export interface BodySink {
  /** Bytes of the body, from `start` to `end`. They lie there until this returns. */
  onBodyBytes(bytes: Uint8Array, start: number, end: number): void;
  /** The body is complete. */
  onBodyEnd(): void;
}

/** Who reads the requests of a connection. */
export interface RequestSource {
  /** Whoever takes the body can take no more for now. */
  pauseBody(): void;
  resumeBody(): void;
  /**
   * Leaves the connection to the caller, who speaks another protocol on it from now on and sets its handler.
   * @returns what the client has sent already behind the request
   */
  detach(): Uint8Array;
}

/** What a body comes from that nobody reads. */
const unread: RequestSource = { pauseBody() {}, resumeBody() {}, detach: () => new Uint8Array(0) };

/** A request whose head has been read. One object serves one request of its connection after the other. */
export class Request {
  readonly connection: TcpConnection;
  /** Where the body comes from. */
  source: RequestSource = unread;
  /** The head as it was sent. */
  readonly head = new RequestParser();
  /** The path by which it is routed: see {@link normalizePath}. `*` for `OPTIONS *`. */
  path = "";
  /** Who takes the body. What nobody takes is discarded. */
  bodySink: BodySink | undefined;
  /** Bytes of the body at most: a longer one is refused. */
  bodyLimit = Number.POSITIVE_INFINITY;
  /** Whether {@link retain} has copied the head. */
  #isRetained = false;

  constructor(connection: TcpConnection) {
    this.connection = connection;
  }

  /** Whether an answer to it has no body (RFC 9110 §9.3.2). */
  get isHead(): boolean {
    // TODO 3a: HEAD asks for the head that GET would have.
    return todo("3a: whether the method is HEAD");
  }

  /** Whether a body follows the head. An empty one counts as none. */
  get hasBody(): boolean {
    // TODO 3a: what the framing of the head says.
    return todo("3a: whether a body follows");
  }

  /**
   * Looks at a head that is complete.
   * @returns why the request is refused; `undefined` when it is not
   */
  prepare(): Refusal | undefined {
    // TODO 3b: a refusal of the parser stays one. CONNECT's target is an authority: this server opens no tunnels (501). `*` is
    // no path, and is kept as it is. Every other path is normalised; one that cannot be is refused by 400.
    return todo(`3b: the path by ${normalizePath.name}`);
  }

  /** Keeps the head's fields for an answer that comes later: they lie in a buffer that the next bytes overwrite. */
  retain(): void {
    if (this.#isRetained) return;
    this.#isRetained = true;
    this.head.retain();
  }

  /** Makes ready for the next request. */
  reset(): void {
    this.head.reset();
    this.path = "";
    this.bodySink = undefined;
    this.bodyLimit = Number.POSITIVE_INFINITY;
    this.#isRetained = false;
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
