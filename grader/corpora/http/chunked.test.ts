import { describe, expect, test } from "vitest";
import { BodyReader } from "../../../solutions/expserver/http/body.ts";
import { Framing } from "../../../solutions/expserver/http/framing.ts";
import { invalidBodiesByTopic, invalidByteBodies, unfinishedBodies } from "./chunked-invalid.ts";
import { validBodiesByTopic } from "./chunked-valid.ts";

/** At how many places a body is cut that is too long to be cut everywhere. */
const fewCuts = 40;

/** What the reader makes of a body that comes in pieces which end at these places: its content behind `=`, or why not. */
function outcome(bytes: Uint8Array, ends: number[]): string | number {
  const framing = new Framing();
  framing.isChunked = true;
  const reader = new BodyReader();
  reader.start(framing);
  const content: string[] = [];
  const sink = {
    onBodyBytes: (piece: Uint8Array, start: number, end: number) =>
      void content.push(Buffer.from(piece.subarray(start, end)).toString("latin1")),
    onBodyEnd: () => {},
  };
  let start = 0;
  let stop = 0;
  for (const end of ends) {
    stop = reader.read(bytes, start, end, sink);
    if (reader.isComplete || reader.refusal !== undefined) break;
    start = end;
  }
  if (reader.refusal !== undefined) return reader.refusal.status;
  if (!reader.isComplete) return "unfinished";
  return stop === bytes.length ? `=${content.join("")}` : `${stop} of ${bytes.length} bytes taken`;
}

/** Whole, byte by byte, and cut in two: all have to be read alike. */
function expectAlways(text: string, isRight: (outcome: string | number) => void): void {
  const bytes = Buffer.from(text, "latin1");
  const { length } = bytes;
  const whole = outcome(bytes, [length]);
  isRight(whole);
  const each = Array.from({ length }, (_, index) => index + 1);
  if (outcome(bytes, each) !== whole) isRight(outcome(bytes, each));
  for (let cut = 1; cut < length; cut += length < 1_000 ? 1 : Math.ceil(length / fewCuts)) {
    const inTwo = outcome(bytes, [cut, length]);
    if (inTwo !== whole) expect(inTwo, `cut at ${cut}`).toBe(whole);
  }
}

for (const [topic, bodies] of Object.entries(validBodiesByTopic)) {
  describe(`the reference reads (${topic})`, () => {
    test.each(bodies)("$name", ({ bytes, content }) => {
      // Compared by hand: 64 KiB are nothing to print.
      expectAlways(bytes, (outcome) => expect(outcome === `=${content}`).toBe(true));
    });
  });
}

for (const [topic, bodies] of Object.entries(invalidBodiesByTopic)) {
  describe(`the reference refuses (${topic})`, () => {
    test.each(bodies)("$name", ({ bytes, status }) => {
      expectAlways(bytes, (outcome) => expect([status].flat()).toContain(outcome));
    });
  });
}

test("the reference refuses every byte that is out of place", () => {
  for (const { name, bytes, status } of invalidByteBodies) {
    expectAlways(bytes, (outcome) => expect(outcome, name).toBe(status));
  }
});

test.each(unfinishedBodies)("the reference waits for more: $name", ({ bytes }) => {
  expectAlways(bytes, (outcome) => expect(outcome).toBe("unfinished"));
});
