import type { TcpConnection, TcpHandler } from "../network/tcp.ts";
import { BodyReader } from "./body.ts";
import { output } from "./output.ts";
import type { AccessHandler } from "./phases.ts";
import { Request, type RequestSource } from "./request.ts";
import { Response, type ResponseListener } from "./response.ts";
import type { Route, Site, VirtualServer } from "./router.ts";

/** Bytes of a body that nobody wanted and that are read all the same, so that the connection can go on. */
const mostDiscarded = 256 * 1024;

const nothing = new Uint8Array(0);

/**
 * Speaks HTTP/1.1 on one connection: reads a request, finds its route, lets the phases run, reads the body for
 * whoever wants it, and waits for the response to be complete; then comes the next request, if the response
 * says that the connection persists. Requests are answered in the order in which they came: bytes of the next one wait until
 * this one is done, and the client then waits too.
 */
export class Session implements TcpHandler, RequestSource, ResponseListener {
  readonly connection: TcpConnection;
  readonly request: Request;
  readonly response: Response;
  readonly #site: Site;
  readonly #body = new BodyReader();
  #server: VirtualServer;
  /** What is being read, or waited for. */
  #state: "idle" | "head" | "body" | "response" | "closing" | "detached" = "idle";
  /** Bytes that came behind what has been dealt with. */
  #held: Uint8Array = nothing;
  #isBodyPaused = false;
  #hasInputEnded = false;
  /** {@link #read} is at work further up: it goes on by itself. */
  #isReading = false;

  constructor(connection: TcpConnection, site: Site) {
    this.connection = connection;
    this.#site = site;
    this.#server = site.fallback;
    this.request = new Request(connection);
    this.request.source = this;
    this.response = new Response(this.request, this);
    connection.handler = this;
    for (const onIdle of site.fallback.phases.idle) onIdle(this);
  }

  /** Whether it waits for a request, and nothing of one has come. */
  get isIdle(): boolean {
    return this.#state === "idle";
  }

  onData(bytes: Uint8Array, length: number): void {
    this.#read(bytes, length);
  }

  onEnd(): void {
    // TODO 7e: nothing more comes. Between two requests that is the end; within one, nobody can answer to a part.
    todo(`7e: the client has ended, in the state ${this.#state}: ${this.#break.name} or ${this.#close.name}`);
  }

  onDrain(): void {
    if (this.response.isSent && !this.response.isEnded) this.response.drained();
    else this.#continue();
  }

  onClose(): void {
    if (this.#state === "detached") return;
    this.#state = "closing";
    this.#held = nothing;
    if (!this.response.isEnded) this.response.clientGone();
  }

  pauseBody(): void {
    this.#isBodyPaused = true;
    this.connection.pause();
  }

  resumeBody(): void {
    if (!this.#isBodyPaused) return;
    this.#isBodyPaused = false;
    this.#continue();
  }

  detach(): Uint8Array {
    this.#state = "detached";
    const rest = this.#held;
    this.#held = nothing;
    return rest;
  }

  onResponseEnd(): void {
    for (const onDone of this.#server.phases.done) onDone(this.request, this.response);
    this.#continue();
  }

  /** Goes on with what was held back, unless that is being done further up already. */
  #continue(): void {
    if (this.#isReading || this.#state === "closing" || this.#state === "detached") return;
    const held = this.#held;
    this.#held = nothing;
    this.#read(held, held.length);
  }

  /** Deals with bytes as far as that is possible now, and keeps the rest. */
  #read(bytes: Uint8Array, length: number): void {
    this.#isReading = true;
    let at = 0;
    for (let before = -1; before !== at; ) {
      before = at;
      at = this.#readSome(bytes, at, length);
      if (this.#isAnswered()) before = -1;
    }
    this.response.isCorked = false; // what comes later leaves when it comes
    output.flush();
    this.#isReading = false;
    if (this.#state === "closing") return;
    if (this.#state === "body" || this.#state === "response") this.request.retain();
    if (at < length) this.#hold(bytes.slice(at, length));
    else if (!this.#isBodyPaused) this.connection.resume();
  }

  /** Reads one head, or a piece of a body. Returns the index behind what was read. */
  #readSome(bytes: Uint8Array, at: number, end: number): number {
    // TODO 7a: by the state. "idle" and "head": give the bytes to the parser; when the head is complete or refused, #begin. While the client
    // reads no answers (connection.isWritable), parse nothing. "body": give them to the body reader, unless the body is paused. In all
    // other states nothing is read.
    return todo(
      `7a: ${end - at} of ${bytes.length} bytes in the state ${this.#state}: ${this.#begin} ${this.#site} ${this.#body}`,
    );
  }

  /** A head is complete, or refused. */
  #begin(): void {
    // TODO 7b: find the server by the host; prepare the request: a refusal is #refuse's. Then the phases: the server's head phase, the
    // route (404 without one), its filters, its access phase, its content. Whoever has taken the request ends the row (#isTaken).
    // TODO 7c: a body is read then, in the state "body", for whoever wants it or for nobody.
    todo(`7b: ${this.#server.hostnames} ${this.#isTaken} ${this.#askContent}`);
  }

  /** Asks those who may refuse. Returns whether one of them has taken the request. */
  #isTaken(handlers: readonly AccessHandler[]): boolean {
    for (const handler of handlers) {
      try {
        if (handler(this.request, this.response)) return true;
      } catch (error) {
        this.#fail(error);
        return true;
      }
    }
    return false;
  }

  #askContent(route: Route): void {
    try {
      route.content(this.request, this.response);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A handler that throws is a fault of the server, and the client hears of it. */
  #fail(error: unknown): void {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    if (this.response.isSent) {
      this.response.abort();
      return;
    }
    this.response.clear();
    this.response.sendError(500);
  }

  /**
   * What follows from an exchange that is over: the next request, or the end. A body that nobody wanted is read to its
   * end, or, when it is long, the connection ends.
   * @returns whether bytes can be read now that could not before
   */
  #isAnswered(): boolean {
    // TODO 7d: not before the response has ended. Where it does not persist, the connection ends. Else request and response are made ready for
    // the next one, and the state is "idle" again (with the rest of a body read first, unless that is longer than `mostDiscarded`).
    return todo(`7d: ${this.response.isEnded} ${this.#isBodyPaused} ${this.#hasInputEnded} ${mostDiscarded}`);
  }

  /** Answers a request that cannot be understood. Nothing behind it is read: it could be anything. */
  #refuse(status: number, reason: string): void {
    // TODO 7b: answer by status and reason, if nothing of an answer has left, and end the connection: nothing behind can be understood. Whoever was
    // going to answer has to hear that it need not (response.abandon).
    todo(`7b: ${status} ${reason}`);
  }

  /** Ends the connection after all that has been written. */
  #close(): void {
    // TODO 7d: no byte of what was written may be lost, however much the client still sends.
    todo(`7d: flush ${output} and end`);
  }

  /** The request or its answer will never be complete. */
  #break(): void {
    this.#state = "closing";
    if (!this.response.isEnded) this.response.clientGone();
    this.connection.abort();
  }

  #hold(rest: Uint8Array): void {
    this.#held = rest;
    this.connection.pause();
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
