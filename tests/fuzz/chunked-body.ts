import fc from "fast-check";
import { invalidBodies, unfinishedBodies } from "../../grader/corpora/http/chunked-invalid.ts";
import { validBodies } from "../../grader/corpora/http/chunked-valid.ts";
import { BodyReader } from "../../solutions/expserver/http/body.ts";
import { Framing } from "../../solutions/expserver/http/framing.ts";
import { cutPlaces, mutated, pieceEnds } from "./mutation.ts";
import type { FuzzTarget } from "./target.ts";

type Outcome = { taken: number; content: string } | { status: number } | "unfinished";

const chunked = new Framing();
chunked.isChunked = true;

/** Lives through all runs, as a connection's does. */
const reader = new BodyReader();

function read(text: string, ends: number[]): Outcome {
  const bytes = Buffer.from(text, "latin1");
  const content: string[] = [];
  const sink = {
    onBodyBytes: (piece: Uint8Array, start: number, end: number) =>
      void content.push(Buffer.from(piece.subarray(start, end)).toString("latin1")),
    onBodyEnd: () => {},
  };
  reader.start(chunked);
  let start = 0;
  for (const end of ends) {
    const stop = reader.read(bytes, start, end, sink);
    if (!(stop >= start && stop <= end)) throw new Error(`stopped at ${stop} of ${start} to ${end}`);
    if (reader.refusal !== undefined) return { status: reader.refusal.status };
    if (reader.isComplete) return { taken: stop, content: content.join("") };
    if (stop !== end) throw new Error("an unfinished body did not take all bytes");
    start = end;
  }
  return "unfinished";
}

const word = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const quoted = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*"';
const extension = `[\\t ]*;[\\t ]*${word}(?:[\\t ]*=[\\t ]*(?:${word}|${quoted}))?`;
const sizeLine = new RegExp(`([0-9A-Fa-f]+)(?:${extension})*\\r\\n`, "y");
const trailers = new RegExp(`(?:${word}:[\\t \\x21-\\x7e\\x80-\\xff]*\\r\\n)*\\r\\n`, "y");

/** The same by regular expressions: what the bytes say when they are a whole body (RFC 9112 §7.1). */
function decode(text: string): { taken: number; content: string } | undefined {
  let content = "";
  let at = 0;
  for (;;) {
    sizeLine.lastIndex = at;
    const line = sizeLine.exec(text);
    if (line === null) return undefined;
    at = sizeLine.lastIndex;
    const size = Number.parseInt(line[1]!, 16);
    if (size === 0) break;
    if (text.slice(at + size, at + size + 2) !== "\r\n") return undefined;
    content += text.slice(at, at + size);
    at += size + 2;
  }
  trailers.lastIndex = at;
  return trailers.test(text) ? { taken: trailers.lastIndex, content } : undefined;
}

const corpus = [...validBodies, ...invalidBodies, ...unfinishedBodies]
  .map(({ bytes }) => bytes)
  .filter(({ length }) => length < 10_000);

const anything = fc.property(mutated(corpus), cutPlaces, (text, places) => {
  const whole = read(text, [text.length]);
  const eachByte = Array.from({ length: text.length }, (_, index) => index + 1);
  for (const ends of [pieceEnds(places, text.length), eachByte]) {
    const inPieces = JSON.stringify(read(text, ends));
    if (inPieces !== JSON.stringify(whole)) {
      throw new Error(`in pieces it is ${inPieces}\nand whole it is ${JSON.stringify(whole)}`);
    }
  }
  const decoded = decode(text);
  // A body that the grammar allows may be refused for its numbers and lengths; all else has to be the same.
  const mayDiffer = decoded !== undefined && whole !== "unfinished" && "status" in whole && isExtreme(text);
  const accepted = whole === "unfinished" || "status" in whole ? undefined : whole;
  if (!mayDiffer && JSON.stringify(decoded) !== JSON.stringify(accepted)) {
    throw new Error(`it is ${JSON.stringify(whole)}\nand by the grammar ${JSON.stringify(decoded)}`);
  }
});

/** Whether a body has a size of more than twelve digits, or more of extensions and trailers than is to be borne. */
function isExtreme(text: string): boolean {
  return /[0-9A-Fa-f]{13}/.test(text) || text.length > 8 * 1024;
}

export const chunkedBody: FuzzTarget[] = [{ name: "a chunked body of any bytes", property: anything }];
