import { describe, expect, test } from "vitest";
import { BodyReader } from "../../../solutions/expserver/http/body.ts";
import { FieldName } from "../../../solutions/expserver/http/fields.ts";
import { ResponseParser } from "../../../solutions/expserver/http/response-parser.ts";
import { invalidResponsesByTopic } from "./responses-invalid.ts";
import { validResponsesByTopic } from "./responses-valid.ts";

/** How far a response was read, and what came of it. */
type Outcome =
  | { end: "complete" | "cut"; status: number; content: string; parser: ResponseParser }
  | { end: "502" };

/** Reads a response as a proxy does that has nothing but the parser and the reader of bodies; then the stream ends. */
function outcome(text: string, method: string): Outcome {
  const bytes = Buffer.from(text, "latin1");
  const parser = new ResponseParser();
  let at = parser.parse(bytes, 0, bytes.length);
  while (parser.isComplete && parser.refusal === undefined && parser.isInterim) {
    parser.reset();
    at += parser.parse(bytes, at, bytes.length);
  }
  if (parser.refusal !== undefined || !parser.isComplete) return { end: "502" };
  const content: string[] = [];
  const sink = {
    onBodyBytes: (piece: Uint8Array, start: number, end: number) =>
      void content.push(Buffer.from(piece.subarray(start, end)).toString("latin1")),
    onBodyEnd: () => {},
  };
  const reader = new BodyReader();
  const body = parser.bodyFor(method);
  if (body === "framed") reader.start(parser.framing);
  if (body === "until end") reader.startUntilEnd();
  reader.read(bytes, at, bytes.length, sink);
  const isWhole = reader.refusal === undefined && reader.endOfStream(sink);
  return { end: isWhole ? "complete" : "cut", status: parser.status, content: content.join(""), parser };
}

for (const [topic, responses] of Object.entries(validResponsesByTopic)) {
  describe(`the reference reads (${topic})`, () => {
    test.each(responses)("$name", ({ bytes, method = "GET", expected }) => {
      const read = outcome(bytes, method);
      expect(read).toMatchObject({ end: "complete", status: expected.status, content: expected.content });
      if (read.end === "502") return;
      const { fields } = read.parser;
      for (const name of new Set(expected.fields.map(([name]) => name))) {
        const values = expected.fields.filter(([other]) => other === name).map(([, value]) => value);
        expect(fields.get(new FieldName(name.toLowerCase())), name).toBe(values.join(", "));
      }
    });
  });
}

for (const [topic, responses] of Object.entries(invalidResponsesByTopic)) {
  describe(`the reference does not believe (${topic})`, () => {
    test.each(responses)("$name", ({ bytes, outcome: wanted }) => {
      const { end } = outcome(bytes, "GET");
      // Of what may be mended the reference mends nothing.
      expect(wanted === "502 or cut" ? ["502", "cut"] : ["502"]).toContain(end);
    });
  });
}
