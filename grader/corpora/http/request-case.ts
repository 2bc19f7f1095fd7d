/**
 * Requests, byte for byte, and what a parser has to make of them. Bytes are written as Latin-1 strings, one character
 * each. The expectations come from RFC 9110, 9112 and 3986 and from stage 10's contract; what these leave to the
 * server has no entry, or a list of statuses.
 */

/** What a well-formed head says. Values are Latin-1 too, one character for each byte. */
export type ParsedHead = {
  method: string;
  /** As it was sent. */
  target: string;
  /** As it was sent: `/` where a URL has none, `*` for OPTIONS, empty for CONNECT. */
  path: string;
  /** Behind the first `?`, or null where there is no `?`. */
  query: string | null;
  /** HTTP/1.2 and above are treated as 1.1 (RFC 9110 §2.5). */
  version: "1.1" | "1.0";
  /** Names as they were sent, values without the white space around them, in order. */
  headers: [name: string, value: string][];
  /** Host and port: those of the target where it has any, else the value of Host, else null. */
  host: string | null;
};

export type ValidRequest = {
  /** A claim: `a bare LF ends a line`. */
  name: string;
  /** The whole head and nothing behind it. */
  bytes: string;
  expected: ParsedHead;
  /** Where it is written: `RFC 9112 §2.2`. */
  source: string;
};

export type InvalidRequest = {
  /** What is wrong with it: `a space before the colon`. */
  name: string;
  bytes: string;
  /** The status that refuses it; several where the choice is the server's. */
  status: number | readonly number[];
  source: string;
};

/** The authority of all requests in which it does not matter. */
export const usualHost = "example.org";

const usual: ParsedHead = {
  method: "GET",
  target: "/",
  path: "/",
  query: null,
  version: "1.1",
  headers: [["Host", usualHost]],
  host: usualHost,
};

/** A request with this first line, and nothing else but a Host. */
export function requestLine(line: string): string {
  return `${line}\r\nHost: ${usualHost}\r\n\r\n`;
}

/** A plain GET with a Host and these lines behind it. */
export function fieldLines(...lines: string[]): string {
  return head("GET / HTTP/1.1", `Host: ${usualHost}`, ...lines);
}

/** A request of these lines, and the empty one behind them. */
export function head(...lines: string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** What {@link requestLine} and {@link fieldLines} are parsed to but for the given parts. */
export function parsed(parts: Partial<ParsedHead>): ParsedHead {
  return { ...usual, ...parts };
}

/** What {@link fieldLines} is parsed to with these fields. */
export function parsedFields(...fields: [name: string, value: string][]): ParsedHead {
  return parsed({ headers: [["Host", usualHost], ...fields] });
}

/** `0x0A`. */
export function hexByte(byte: number): string {
  return `0x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
