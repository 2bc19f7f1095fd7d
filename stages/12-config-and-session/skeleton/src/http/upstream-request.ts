import { formatAddress } from "expserver-course/linux";
import type { TcpConnection } from "../network/tcp.ts";
import type { UpstreamAddress } from "../network/upstream.ts";
import { HeadWriter } from "./head-writer.ts";
import type { HopByHopFields } from "./hop-by-hop.ts";
import type { Request } from "./request.ts";

/** Who adds fields to a request that goes to an upstream. */
export interface RequestFieldsWriter {
  /** Writes fields, each with its line end. */
  writeRequestFields?(request: Request, head: HeadWriter): void;
}

/** All heads of requests to upstreams are written here, since each is sent at once. */
const head = new HeadWriter();

/**
 * Sends the head of a request to an upstream. It is written anew from what the parser has understood and never copied as a whole:
 * whatever the client meant by something else, the upstream does not get to see it.
 * @param address where it goes; also its Host, when a client of HTTP/1.0 has named none
 * @param persists whether the connection goes on after the response
 * @returns whether the upstream's connection has room for more
 */
export function sendRequestHead(
  connection: TcpConnection,
  address: UpstreamAddress,
  request: Request,
  dropped: HopByHopFields,
  writers: readonly RequestFieldsWriter[],
  persists: boolean,
): boolean {
  const { fields, framing, method, query, host } = request.head;
  head.clear();
  head.text(method);
  head.text(" ");
  head.text(request.path);
  if (query !== undefined) {
    head.text("?");
    head.text(query);
  }
  head.text(" HTTP/1.1\r\nHost: ");
  head.text(host ?? formatAddress(address));
  head.text("\r\n");
  dropped.read(fields);
  for (let i = 0; i < fields.count; i++) {
    if (!dropped.has(fields, i)) head.field(fields, i);
  }
  for (const writer of writers) writer.writeRequestFields?.(request, head);
  if (!persists) head.text("Connection: close\r\n");
  if (framing.isChunked) head.text("Transfer-Encoding: chunked\r\n");
  else if (framing.contentLength >= 0) head.text(`Content-Length: ${framing.contentLength}\r\n`);
  head.text("\r\n");
  return connection.write(head.bytes, head.length);
}

/** Where chunks are put together, so that each leaves in one `send`. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024);
const lineEnd = "\r\n";

/** Sends a piece of a body, as a chunk where the request's body is chunked. Returns whether there is room for more. */
export function sendRequestBody(
  connection: TcpConnection,
  isChunked: boolean,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (!isChunked) return connection.write(start === 0 ? bytes : bytes.subarray(start, end), end - start);
  // In pieces that fit into the buffer with their framing, so that each leaves in one send.
  let hasRoom = true;
  for (let from = start; from < end; ) {
    const length = Math.min(end - from, buffer.length - 32);
    let at = buffer.write(`${length.toString(16)}\r\n`, "latin1");
    buffer.set(bytes.subarray(from, from + length), at);
    at += length;
    at += buffer.write(lineEnd, at, "latin1");
    hasRoom = connection.write(buffer, at);
    from += length;
  }
  return hasRoom;
}

const lastChunk = Buffer.from("0\r\n\r\n");

/** Ends a chunked body. */
export function endRequestBody(connection: TcpConnection, isChunked: boolean): void {
  if (isChunked) connection.write(lastChunk);
}
