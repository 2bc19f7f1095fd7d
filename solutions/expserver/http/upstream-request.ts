import { formatAddress } from "expserver-course/linux";
import type { TcpConnection } from "../network/tcp.ts";
import type { UpstreamAddress } from "../network/upstream.ts";
import type { HopByHopFields } from "./hop-by-hop.ts";
import type { Request } from "./request.ts";

/** Where the head of a request to an upstream is written: no longer than what the parser lets in, and some fields of ours. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024);
const lineEnd = "\r\n";

/**
 * Sends the head of a request to an upstream. It is written anew from what the parser has understood and never copied as a whole:
 * whatever the client meant by something else, the upstream does not get to see it.
 * @param address where it goes; also its Host, when a client of HTTP/1.0 has named none
 * @param more fields that are added, each with its line end
 * @returns whether the upstream's connection has room for more
 */
export function sendRequestHead(
  connection: TcpConnection,
  address: UpstreamAddress,
  request: Request,
  dropped: HopByHopFields,
  more: string,
): boolean {
  const { head } = request;
  const { fields, framing } = head;
  const query = head.query === undefined ? "" : `?${head.query}`;
  let at = buffer.write(`${head.method} ${request.path}${query} HTTP/1.1\r\n`, "latin1");
  at += buffer.write(`Host: ${head.host ?? formatAddress(address)}\r\n`, at, "latin1");
  dropped.read(fields);
  for (let i = 0; i < fields.count; i++) {
    if (dropped.has(fields, i)) continue;
    at = copy(fields.bytes, fields.nameStart(i), fields.nameStart(i) + fields.nameLength(i), at);
    buffer[at++] = 0x3a;
    buffer[at++] = 0x20;
    at = copy(fields.bytes, fields.valueStart(i), fields.valueEnd(i), at);
    buffer[at++] = 0x0d;
    buffer[at++] = 0x0a;
  }
  let own = more;
  if (framing.isChunked) own += "Transfer-Encoding: chunked\r\n";
  else if (framing.contentLength >= 0) own += `Content-Length: ${framing.contentLength}\r\n`;
  at += buffer.write(own + lineEnd, at, "latin1");
  return connection.write(buffer, at);
}

function copy(bytes: Uint8Array, start: number, end: number, at: number): number {
  for (let i = start; i < end; i++) buffer[at++] = bytes[i]!;
  return at;
}

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
