import { describe, expect, it } from "vitest";
import { JsonSyntaxError, keyPathOf, parseJson } from "./json.ts";

/** Where a text fails, and why: `2:5 found …`. */
function failure(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return `${error.position.line}:${error.position.column} ${error.message}`;
  }
  return "none";
}

describe("parseJson", () => {
  it("reads what JSON.parse reads", () => {
    const texts = [
      "{}",
      "[]",
      ' { "a" : [ 1 , -0.5e+3 , 0, 1E2 ] , "b" : { "c" : null } }\r\n',
      '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00 é😀 \u007f"',
      "true",
      "false",
      "[[],{},[{}]]",
      '{"":1,"a b":2,"constructor":3}',
    ];
    expect(texts.map((text) => structuredClone({ ...{ v: parseJson(text).value } }))).toEqual(
      texts.map((text) => ({ v: JSON.parse(text) })),
    );
  });

  it("takes __proto__ for a key like any other", () => {
    const value = parseJson('{"__proto__": {"x": 1}}').value as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect("x" in value).toBe(false);
  });

  it("refuses what JSON.parse refuses", () => {
    const texts = `01|+1|.5|1.|1e|0x10|NaN|Infinity|-|--1|undefined|True|'a'|"a|"\\x"|"\\u12g4"|"\t"|[1,]|[,1]|[1 2]|[|]|{|}|{"a"}|{"a":}|{"a":1,}|{a:1}|{"a":1 "b":2}|{"a"=1}|1 2|[1] x|/*c*/1|1//c|#|{,}|`;
    for (const text of texts.split("|")) {
      expect(() => JSON.parse(text), text).toThrow();
      expect(() => parseJson(text), text).toThrow(JsonSyntaxError);
    }
  });

  it("says where the text goes wrong, what was found and what to do", () => {
    expect(
      [
        "",
        '{\n  "port": 80,\n}',
        '{\n  "port": 80\n  "host": "::"\n}',
        "{\n  port: 80\n}",
        "{'port': 80}",
        '{"é😀": @}',
        '{"a": [1, 2',
        '{\n  "a": "x\n}',
        '// mine\n{"a": 1}',
        '{"a": 1 // mine\n}',
        '{"port": 080}',
        '{"user": www}',
        '{"path": "C:\\web"}',
        '{"a": 1}\n}',
        '{"a" 1}',
        '{"a":',
      ].map(failure),
    ).toEqual([
      "1:1 the file is empty; a configuration begins with {",
      "2:13 found a comma and nothing behind it but }; remove the comma",
      '3:3 found " where a comma or } has to stand; is a comma missing before it?',
      '2:3 found port where a key has to stand; write "port"',
      "1:2 found ' where a key has to stand; write texts in double quotes",
      "1:8 found @ where a value has to stand",
      "1:12 the file ends, but the [ of line 1, column 7 is not closed",
      "2:8 found the start of a text that does not end in its line; a quote is missing",
      "1:1 found / where a value has to stand; JSON has no comments",
      "1:9 found / where a comma or } has to stand; JSON has no comments",
      "1:10 found 080, which is no number as JSON has them",
      "1:10 found www where a value has to stand; write texts in double quotes",
      "1:13 found a backslash that begins no escape; for a backslash itself, write two",
      "2:1 found } behind the end of the configuration; only one value can stand here",
      '1:6 found 1 where a colon has to follow the key "a"',
      "1:6 the file ends, but the { of line 1, column 1 is not closed",
    ]);
  });

  it("refuses a key that comes twice", () => {
    expect(failure('{\n "a": 1,\n "b": {"a": 1},\n "a": 2\n}')).toBe(
      '4:2 the key "a" stands in this object twice; the other is in line 2',
    );
  });

  it("refuses a text that would exhaust the stack", () => {
    expect(failure("[".repeat(100_000))).toContain("more than 100 deep");
    expect(failure(`${"[".repeat(100)}${"]".repeat(100)}`)).toBe("none");
  });

  it("passes over a byte order mark", () => {
    expect(parseJson('\uFEFF{"a": 1}').value).toEqual({ a: 1 });
    expect(failure("\uFEFF{a}")).toMatch(/^1:2 /);
  });

  it("knows where each value stands, and the object that lacks one", () => {
    const { position } = parseJson('{\n  "a": [\n    1,\n    {"b": 2}\n  ],\n  "odd key": 3\n}');
    expect(position("a")).toEqual({ line: 2, column: 3 });
    expect(position("a[0]")).toEqual({ line: 3, column: 5 });
    expect(position("a[1].b")).toEqual({ line: 4, column: 6 });
    expect(position("a[1].missing")).toEqual({ line: 4, column: 5 });
    expect(position('["odd key"]')).toEqual({ line: 6, column: 3 });
    expect(position("missing.deeper[3].x")).toEqual({ line: 1, column: 1 });
  });
});

describe("keyPathOf", () => {
  it("joins keys with dots, places in lists with brackets, and quotes what is no word", () => {
    expect(keyPathOf("", "servers")).toBe("servers");
    expect(keyPathOf("servers", 0)).toBe("servers[0]");
    expect(keyPathOf("servers[0]", "routes")).toBe("servers[0].routes");
    expect(keyPathOf("a", 'x.y"')).toBe('a["x.y\\""]');
  });
});
