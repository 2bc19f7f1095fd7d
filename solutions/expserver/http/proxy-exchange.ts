import type { Loop } from "../core/loop.ts";
import type { Timer } from "../core/timers.ts";
import type { TcpConnection, TcpHandler } from "../network/tcp.ts";
import type { UpstreamAddress, UpstreamError } from "../network/upstream.ts";
import { BodyReader } from "./body.ts";
import type { HopByHopFields } from "./hop-by-hop.ts";
import { output } from "./output.ts";
import type { BodySink, Request } from "./request.ts";
import type { BodyWriter, Response } from "./response.ts";
import { ResponseFields } from "./response-fields.ts";
import { ResponseParser } from "./response-parser.ts";
import type { UpstreamConnections, UpstreamUser } from "./upstream-connections.ts";
import {
  endRequestBody,
  type RequestFieldsWriter,
  sendRequestBody,
  sendRequestHead,
} from "./upstream-request.ts";

/** Something that takes part in proxying. */
export interface ProxyFeature extends RequestFieldsWriter {
  /** Fields of requests that are not passed on, in lower case. */
  readonly droppedRequestFields?: readonly string[];
  /** Fields of responses that are not passed on, in lower case. */
  readonly droppedResponseFields?: readonly string[];
  /** Looks at a response before it goes to the client; its fields are set. */
  onResponse?(request: Request, response: Response, upstream: ResponseParser): void;
  /**
   * There is no response from the upstream, and one of 502 or 504 is about to be sent.
   * @param code why: a type of error as RFC 9209 §2.3 names them, or the name of a system call's error
   */
  onFailure?(request: Request, response: Response, code: string): void;
  /**
   * The upstream has answered 101 and speaks another protocol from now on. Status and fields of the response are set, without
   * those that are about the connection.
   * @param head the answer
   * @param upstream the connection to it
   * @param rest what it has sent behind its answer; lies there until this returns
   * @returns whether this feature has answered and taken over both connections
   */
  onSwitch?(
    request: Request,
    response: Response,
    head: ResponseParser,
    upstream: TcpConnection,
    rest: Uint8Array,
  ): boolean;
}

/** What the exchanges of a route have in common. */
export type ProxySettings = {
  readonly loop: Loop;
  readonly connections: UpstreamConnections;
  readonly features: readonly ProxyFeature[];
  readonly droppedRequestFields: HopByHopFields;
  readonly droppedResponseFields: HopByHopFields;
  /** How long the upstream may be silent while it is its turn, in milliseconds. */
  readonly readMs: number;
};

/** Methods that may be sent twice without doing more than once (RFC 9110 §9.2.2). */
const idempotent = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"]);

/** Parsers that nobody uses now: one is large enough for making it to be seen in a profile. */
const freeParsers: ResponseParser[] = [];
const mostFreeParsers = 256;

/**
 * One request that is passed on to an upstream, and its response. Both bodies are streamed: whoever cannot take more makes the other side
 * wait, and nothing grows. Until something of the response has left, a failure is answered by 502 or 504; after that
 * it breaks the client's connection, so that no part is taken for the whole.
 */
export class ProxyExchange implements TcpHandler, BodySink, UpstreamUser {
  readonly #settings: ProxySettings;
  readonly #address: UpstreamAddress;
  readonly #request: Request;
  readonly #response: Response;
  readonly #head = freeParsers.pop() ?? new ResponseParser();
  readonly #body = new BodyReader();
  /** The client's side: takes the response's content, and tells how the client fares. */
  readonly #client: BodySink & BodyWriter = {
    onBodyBytes: (bytes, start, end) => {
      if (!this.#response.write(bytes, start, end)) this.#upstream?.pause();
    },
    onBodyEnd: () => {},
    onDrain: () => {
      this.#turnSince = this.#settings.loop.now;
      this.#upstream?.resume();
    },
    onClientGone: () => this.#end(false),
  };
  #upstream: TcpConnection | undefined;
  /** Content that waits for the connection. */
  readonly #early: Uint8Array[] = [];
  /** Gives up the attempt to connect. */
  #cancel: (() => void) | undefined;
  #timer: Timer | undefined;
  /** Since when it can only be the upstream that we wait for, as far as the timer or the client has told. */
  #turnSince = 0;
  #isReused = false;
  /** The whole request is on its way. */
  #isRequestSent: boolean;
  /** The first bytes of a response have come. */
  #hasAnswered = false;
  #isOver = false;

  constructor(settings: ProxySettings, address: UpstreamAddress, request: Request, response: Response) {
    this.#settings = settings;
    this.#address = address;
    this.#request = request;
    this.#response = response;
    this.#isRequestSent = !request.hasBody;
  }

  /** Begins. */
  start(): void {
    this.#response.writer = this.#client;
    if (this.#request.hasBody) {
      this.#request.bodySink = this;
      // Chunks can be malformed: a request that is refused for its first one has not reached anybody.
      if (this.#request.head.framing.isChunked) return;
      this.#request.source.pauseBody();
    }
    this.#connect(false);
  }

  onUpstream(connection: TcpConnection, isReused: boolean): void {
    this.#cancel = undefined;
    this.#upstream = connection;
    this.#isReused = isReused;
    connection.handler = this;
    const { features, connections, droppedRequestFields } = this.#settings;
    const [address, request] = [this.#address, this.#request];
    const { persists } = connections;
    const hasRoom = sendRequestHead(connection, address, request, droppedRequestFields, features, persists);
    this.#watch();
    for (const piece of this.#early.splice(0)) this.onBodyBytes(piece, 0, piece.length);
    if (this.#isRequestSent) endRequestBody(connection, request.head.framing.isChunked);
    else if (hasRoom && connection.isWritable) request.source.resumeBody();
  }

  onUpstreamError(error: UpstreamError): void {
    this.#cancel = undefined;
    this.#fail(error.code === "ETIMEDOUT" ? 504 : 502, error.code);
  }

  onBodyBytes(bytes: Uint8Array, start: number, end: number): void {
    if (this.#upstream === undefined) {
      this.#keepEarly(bytes.slice(start, end));
      return;
    }
    const { isChunked } = this.#request.head.framing;
    if (!sendRequestBody(this.#upstream, isChunked, bytes, start, end)) this.#request.source.pauseBody();
  }

  onBodyEnd(): void {
    this.#isRequestSent = true;
    if (this.#upstream !== undefined) endRequestBody(this.#upstream, this.#request.head.framing.isChunked);
    else if (!this.#isOver && this.#early.length === 0) this.#connect(false);
  }

  /** The upstream has room again. */
  onDrain(): void {
    if (!this.#isRequestSent) this.#request.source.resumeBody();
  }

  onData(bytes: Uint8Array, length: number): void {
    // Head and content leave together, as they came.
    this.#response.isCorked = true;
    this.#receive(bytes, length);
    this.#response.isCorked = false;
    if (!output.flush()) this.#upstream?.pause();
  }

  #receive(bytes: Uint8Array, length: number): void {
    this.#hasAnswered = true;
    let at = 0;
    while (!this.#head.isComplete) {
      at += this.#head.parse(bytes, at, length);
      if (this.#head.refusal !== undefined) {
        this.#fail(502, "http_protocol_error");
        return;
      }
      if (!this.#head.isComplete) return;
      if (this.#head.isInterim) this.#passInterim();
      else if (this.#head.status === 101) this.#switch(bytes.subarray(at, length));
      else this.#begin();
      if (this.#isOver) return;
    }
    at = this.#body.read(bytes, at, length, this.#client);
    if (this.#isOver) return; // the client has gone meanwhile
    if (this.#body.refusal !== undefined) this.#fail(502, "http_protocol_error");
    else if (this.#body.isComplete) this.#complete(at === length);
  }

  onEnd(): void {
    if (this.#isOver) return;
    if (this.#head.isComplete && this.#body.endOfStream(this.#client)) this.#complete(false);
    else this.#break();
  }

  onClose(): void {
    if (!this.#isOver) this.#break();
  }

  #connect(isFresh: boolean): void {
    const { connections } = this.#settings;
    const cancel = connections.acquire(this.#address, this, isFresh);
    if (this.#upstream === undefined && !this.#isOver) this.#cancel = cancel;
  }

  /** A response before the response. 100 is none of it: whether the client is to go on has been our word. */
  #passInterim(): void {
    const { status } = this.#head;
    // A client that does not read gets no more of them: they are all that could pile up before its answer.
    if (status !== 100 && this.#response.connection.isWritable) {
      this.#copyFields(interimFields);
      this.#response.sendInterim(status, interimFields);
      interimFields.clear();
    }
    this.#head.reset();
  }

  /** Copies the fields of the upstream's response that are for the client. */
  #copyFields(target: ResponseFields): void {
    const { droppedResponseFields } = this.#settings;
    const { fields } = this.#head;
    droppedResponseFields.read(fields);
    for (let i = 0; i < fields.count; i++) {
      if (!droppedResponseFields.has(fields, i)) target.addReceived(fields, i);
    }
  }

  /** The first chunks of a request, which come before there is a connection: no more of them than one `recv` brings. */
  #keepEarly(piece: Uint8Array): void {
    if (this.#isOver) return;
    this.#early.push(piece);
    this.#request.source.pauseBody();
    if (this.#early.length === 1) this.#connect(false);
  }

  /** The head of the response is complete. */
  #begin(): void {
    const [head, request, response] = [this.#head, this.#request, this.#response];
    response.status = head.status;
    this.#copyFields(response.fields);
    const body = head.bodyFor(request.head.method);
    if (body === "framed") this.#body.start(head.framing);
    else if (body === "until end") this.#body.startUntilEnd();
    response.stream(
      this.#client,
      body === "framed" || request.isHead ? head.framing.contentLength : body === "none" ? 0 : -1,
    );
    for (const feature of this.#settings.features) feature.onResponse?.(request, response, head);
    response.send();
  }

  /** Both speak another protocol from now on, if somebody here knows how to let them. */
  #switch(rest: Uint8Array): void {
    const [head, request, response, upstream] = [this.#head, this.#request, this.#response, this.#upstream!];
    response.status = head.status;
    this.#copyFields(response.fields);
    for (const feature of this.#isRequestSent ? this.#settings.features : []) {
      if (!(feature.onSwitch?.(request, response, head, upstream, rest) ?? false)) continue;
      this.#upstream = undefined; // it is the feature's now
      this.#end(false);
      return;
    }
    this.#fail(502, "http_upgrade_failed");
  }

  /**
   * The whole response has come.
   * @param isClean nothing came behind it
   */
  #complete(isClean: boolean): void {
    const { framing, minorVersion } = this.#head;
    // A server that answers before it has the whole request may not want the rest: then its connection is of no more use.
    const canPersist = isClean && this.#isRequestSent && minorVersion > 0 && !framing.hasClose;
    this.#end(canPersist);
    this.#response.end();
  }

  /** The upstream has ended or broken its connection in the middle. */
  #break(): void {
    const canRepeat =
      this.#isReused &&
      !this.#hasAnswered &&
      !this.#request.hasBody &&
      idempotent.has(this.#request.head.method);
    if (!canRepeat) {
      this.#fail(502, this.#hasAnswered ? "http_response_incomplete" : "connection_terminated");
      return;
    }
    // It was closing the connection while we sent: it has not seen the request (RFC 9112 §9.3.1).
    this.#leave(false);
    this.#connect(true);
  }

  /** Tells the client that there is no response, or no whole one. */
  #fail(status: number, code: string): void {
    if (this.#isOver) return;
    this.#end(false);
    if (this.#response.isSent) {
      this.#response.abort();
      return;
    }
    this.#response.clear();
    for (const feature of this.#settings.features) feature.onFailure?.(this.#request, this.#response, code);
    this.#response.sendError(status);
  }

  /** Nothing more is expected from the upstream. */
  #end(canPersist: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave(canPersist);
    this.#head.reset();
    if (freeParsers.length < mostFreeParsers) freeParsers.push(this.#head);
  }

  /** Gives the connection back, or up. */
  #leave(canPersist: boolean): void {
    this.#stopWatching();
    this.#cancel?.();
    this.#cancel = undefined;
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.#upstream = undefined;
    upstream.handler = nobody;
    if (canPersist) this.#settings.connections.release(this.#address, upstream);
    else upstream.destroy();
  }

  #watch(): void {
    const { loop, readMs } = this.#settings;
    this.#timer = loop.timers.set(
      readMs,
      () => this.#checkProgress(),
      (error) => this.#upstream?.onError(error),
    );
  }

  #stopWatching(): void {
    if (this.#timer !== undefined) this.#settings.loop.timers.cancel(this.#timer);
    this.#timer = undefined;
  }

  /** The timer is due: has the upstream been silent all the time, although it was its turn? */
  #checkProgress(): void {
    const { loop, readMs } = this.#settings;
    if (this.#isClientsTurn) this.#turnSince = loop.now;
    const silentMs = loop.now - Math.max(this.#turnSince, this.#upstream!.lastProgress);
    if (silentMs >= readMs) this.#fail(504, "http_response_timeout");
    else loop.timers.rearm(this.#timer!, readMs - silentMs);
  }

  /** Whether we wait for the client: to send more of its request, or to read what there is of the response. */
  get #isClientsTurn(): boolean {
    const isToSend = !this.#isRequestSent && this.#upstream!.isWritable;
    return isToSend || (this.#response.isSent && !this.#response.connection.isWritable);
  }
}

/** Fields of an interim response, while it is passed on. */
const interimFields = new ResponseFields();

/** Hears what happens on a connection that is being given up. */
const nobody: TcpHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };
