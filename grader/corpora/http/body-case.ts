/** Chunked bodies, byte for byte as Latin-1 strings, and what a reader has to make of them (RFC 9112 §7.1). */

export type ValidBody = {
  /** A claim: `an extension in quotes`. */
  name: string;
  /** The whole body as it is transferred, and nothing behind it. */
  bytes: string;
  content: string;
  source: string;
};

export type InvalidBody = {
  /** What is wrong with it: `a bare LF behind the size`. */
  name: string;
  bytes: string;
  /** The status that refuses it in a request; several where the choice is the server's. */
  status: number | readonly number[];
  source: string;
};

/** The end of a body without trailers. */
export const lastChunk = "0\r\n\r\n";

/** One chunk. */
export function chunk(content: string, extension = ""): string {
  return `${content.length.toString(16)}${extension}\r\n${content}\r\n`;
}
