/** Responses of an upstream, byte for byte as Latin-1 strings, and what a proxy's client has to get of them. */

export type ValidResponse = {
  /** A claim: `a body up to the end of the stream`. */
  name: string;
  /** The method of the request that is answered: HEAD has no body. GET when it is left out. */
  method?: "GET" | "HEAD";
  /** All that the upstream sends. */
  bytes: string;
  /** Whether it closes the connection behind them; else it stays open, and nobody may wait for its end. */
  closes: boolean;
  expected: {
    status: number;
    content: string;
    /** Fields that have to arrive, in this order where they have one name. */
    fields: [name: string, value: string][];
  };
  source: string;
};

export type InvalidResponse = {
  /** What is wrong with it: `two different lengths`. */
  name: string;
  bytes: string;
  closes: boolean;
  /**
   * What a client may see. `502`: a proxy must not believe any of it. `502 or cut`: the head was right, and may have gone on
   * before the body turned out wrong; then the client's response has to end visibly incomplete (RFC 9112 §8).
   * `502 or mended`: RFC 9112 lets a proxy repair it.
   */
  outcome: "502" | "502 or cut" | "502 or mended";
  source: string;
};

/** Lines, the empty one, and what follows it. */
export function response(lines: string[], body = ""): string {
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

export const okLine = "HTTP/1.1 200 OK";
