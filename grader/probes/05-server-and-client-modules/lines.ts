import { LineReverser } from "workspace:network/lines";
import { CheckFailure, quote } from "../../engine/evidence.ts";

/** What a LineReverser sends for pieces of a stream. */
function reversedPieces(pieces: string[]): string {
  let sent = "";
  const lines = new LineReverser((bytes, length) => {
    sent += Buffer.from(bytes.subarray(0, length)).toString("latin1");
  });
  for (const piece of pieces) {
    // As in a receive buffer: more room than bytes, and older bytes behind them.
    const bytes = new Uint8Array(200).fill(0x0a);
    bytes.set(Buffer.from(piece, "latin1"));
    lines.push(bytes, piece.length);
    bytes.fill(0x78); // the next client's bytes come into the same buffer
  }
  lines.end();
  return sent;
}

const cases: [pieces: string[], expected: string][] = [
  [["one\ntwo\n"], "eno\nowt\n"],
  [["o", "n", "e", "\n"], "eno\n"],
  [["on", "e\ntw", "o\nthree"], "eno\nowt\neerht"],
  [["\n\n", "\n"], "\n\n\n"],
  [["ab", "", "c\n"], "cba\n"],
  [[], ""],
];

export function reversesHoweverCut(): void {
  for (const [pieces, expected] of cases) {
    const observed = reversedPieces(pieces);
    if (observed === expected) continue;
    throw new CheckFailure({
      summary: "LineReverser sends other lines than expected",
      expected: `${quote(Buffer.from(expected))} for the pieces ${pieces.map((piece) => quote(Buffer.from(piece))).join(" ")}`,
      observed: quote(Buffer.from(observed, "latin1")),
    });
  }
}
