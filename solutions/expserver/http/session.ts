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
    this.#hasInputEnded = true;
    if (this.#state === "idle" || this.#state === "head") this.#close();
    else if (this.#state === "body") this.#break(); // it will never be complete, and nobody can answer to a part
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
    switch (this.#state) {
      case "idle":
      case "head": {
        // A client that reads no answers gets no more of them made.
        if (at === end || !this.connection.isWritable) return at;
        const next = at + this.request.head.parse(bytes, at, end);
        if (this.request.head.isComplete || this.request.head.refusal !== undefined) {
          this.response.isCorked = next < end;
          this.#begin();
        } else if (this.#state === "idle" && this.request.head.isUnfinished) {
          this.#state = "head";
          for (const onHeadStart of this.#site.fallback.phases.headStart) onHeadStart(this);
        }
        return next;
      }
      case "body": {
        if (this.#isBodyPaused) return at;
        const next = this.#body.read(bytes, at, end, this.request.bodySink);
        if (this.#body.isComplete) this.#state = "response";
        else if (this.#body.refusal !== undefined)
          this.#refuse(this.#body.refusal.status, this.#body.refusal.reason);
        return next;
      }
      default:
        return at;
    }
  }

  /** A head is complete, or refused. */
  #begin(): void {
    const { request, response } = this;
    this.#server = this.#site.findServer(request.head.host);
    const refusal = request.prepare();
    if (refusal !== undefined) {
      this.#refuse(refusal.status, refusal.reason);
      return;
    }
    this.#state = "response";
    const { phases } = this.#server;
    if (!this.#isTaken(phases.head)) {
      const route = this.#server.findRoute(request.path);
      if (route === undefined) {
        response.sendError(404);
      } else {
        response.filters = route.filters;
        if (!this.#isTaken(route.access)) this.#askContent(route);
      }
    }
    if (this.#state !== "response" || !request.hasBody) return;
    this.#body.start(request.head.framing, request.bodyLimit);
    if (this.#body.refusal !== undefined) {
      this.#refuse(this.#body.refusal.status, this.#body.refusal.reason);
      return;
    }
    this.#state = "body";
    if (request.bodySink !== undefined)
      for (const onBodyWanted of phases.bodyWanted) onBodyWanted(request, response);
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
    if (!this.response.isEnded || (this.#state !== "response" && this.#state !== "body")) return false;
    if (!this.response.persists) {
      this.#close();
      return false;
    }
    if (this.#state === "body") {
      const { remaining, received } = this.#body;
      this.request.bodySink = undefined;
      if (Math.max(received, remaining) > mostDiscarded) {
        this.#close();
        return false;
      }
      const wasPaused = this.#isBodyPaused; // by whoever wanted the body, and does not any more
      this.#isBodyPaused = false;
      return wasPaused;
    }
    this.request.reset();
    this.response.reset();
    this.#isBodyPaused = false;
    if (this.#hasInputEnded) {
      this.#close();
      return false;
    }
    this.#state = "idle";
    for (const onIdle of this.#server.phases.idle) onIdle(this);
    return true;
  }

  /** Answers a request that cannot be understood. Nothing behind it is read: it could be anything. */
  #refuse(status: number, reason: string): void {
    const { response } = this;
    if (response.isSent && !response.isEnded) {
      this.#break();
      return;
    }
    response.abandon();
    response.persists = false;
    this.request.bodySink = undefined;
    if (!response.isSent) response.sendError(status, reason);
    this.#close();
  }

  /** Ends the connection after all that has been written. */
  #close(): void {
    this.#state = "closing";
    this.#held = nothing;
    output.flush();
    this.connection.endGracefully();
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
