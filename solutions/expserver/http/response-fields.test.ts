import { describe, expect, test } from "vitest";
import { Fields } from "./fields.ts";
import { Output } from "./output.ts";
import { ResponseFields } from "./response-fields.ts";

/** The fields of a head, as a parser finds them. */
function received(...lines: string[]): Fields {
  const fields = new Fields();
  fields.bytes = Buffer.from(`xx${lines.join("")}`, "latin1");
  fields.origin = 2;
  let at = 0;
  for (const line of lines) {
    const colon = line.indexOf(":");
    const value = line.slice(colon + 1).trim();
    const valueStart = at + line.indexOf(value, colon + 1);
    fields.add(at, at + colon, valueStart, valueStart + value.length);
    at += line.length;
  }
  return fields;
}

/** What is sent of them. */
function written(fields: ResponseFields): string {
  let text = "";
  const connection = {
    write: (bytes: Uint8Array, length: number) => {
      text += Buffer.from(bytes.subarray(0, length)).toString("latin1");
      return true;
    },
  };
  const output = new Output();
  fields.writeTo(output, connection as never);
  output.flush();
  return text;
}

function passedOn(...lines: string[]): ResponseFields {
  const source = received(...lines);
  const fields = new ResponseFields();
  for (let i = 0; i < source.count; i++) fields.addReceived(source, i);
  return fields;
}

describe("the fields of a response", () => {
  test("are written in their order, those of a received head with the space that belongs there", () => {
    const fields = passedOn("A:1\r\n", "B:   two  \r\n", "C: \xe9\r\n");
    fields.add("D", "4");
    expect(written(fields)).toBe("A: 1\r\nB: two\r\nC: \xe9\r\nD: 4\r\n");
  });

  test("that were received can be asked for, replaced and deleted as others", () => {
    const fields = passedOn("ETag: x\r\n", "Vary: a\r\n", "etag: y\r\n");
    expect(fields.get("etag")).toBe("x");
    fields.delete("ETAG");
    fields.set("vary", "b");
    expect([fields.count, fields.name(0), fields.value(0)]).toEqual([1, "vary", "b"]);
    expect(written(fields)).toBe("vary: b\r\n");
  });

  test("of the message before are not seen in the next one", () => {
    const fields = passedOn("A: 1\r\n", "B: 2\r\n");
    expect(fields.get("A")).toBe("1");
    fields.clear();
    fields.add("C", "3");
    const source = received("D: 4\r\n");
    fields.addReceived(source, 0);
    expect([fields.get("A"), fields.get("C"), fields.get("D")]).toEqual([undefined, "3", "4"]);
    expect(written(fields)).toBe("C: 3\r\nD: 4\r\n");
  });

  test("that were received are not read any more once they are written", () => {
    const source = received("A: 1\r\n");
    const fields = new ResponseFields();
    fields.addReceived(source, 0);
    written(fields);
    source.bytes.fill(0x78);
    expect([fields.get("A"), fields.name(0), fields.value(0)]).toEqual([undefined, "", ""]);
  });

  test.each(["a\r\nb", "a\0", "\u0100"])("have no value %j", (value) => {
    expect(() => new ResponseFields().add("A", value)).toThrow(TypeError);
  });

  test("may be longer than the output's memory", () => {
    const fields = new ResponseFields();
    fields.add("A", "x".repeat(200_000));
    expect(written(fields)).toHaveLength(200_005);
  });
});
