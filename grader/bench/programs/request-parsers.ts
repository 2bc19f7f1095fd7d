/**
 * Parsers of request heads, made equal: each takes the bytes of one request out of a receive buffer, as a server with many
 * connections does, and gives back the method, the target and where the fields are. What that costs beyond parsing:
 *
 * - ours is given the buffer and two positions, and makes strings of method and target; fields stay positions.
 * - node:http's llhttp (C++) is given a view of the buffer, and calls back once with strings of the target and all fields;
 *   it has no way to make fewer. The method is a number.
 * - undici's llhttp (WebAssembly) has the bytes copied into its memory first and calls back for each part, whose position
 *   is noted; then the target becomes a string. The method is a number.
 *
 * With `strings` the first and the last make strings of every name and value, too, which the second always does.
 */
import { createRequire } from "node:module";
import { latin1 } from "../../../solutions/expserver/http/fields.ts";
import { RequestParser } from "../../../solutions/expserver/http/parser.ts";

/** What a parser says about a request. */
export type Parsed = { method: string | number; target: string; fieldCount: number; strings: string[] };

/** Parses one request that lies in the buffer it was made for. */
export type Parse = (start: number, end: number) => Parsed;

/** Makes a parser for the requests in a buffer. */
export type ParserContender = (buffer: Buffer) => Parse;

const require = createRequire(import.meta.url);
/** Has no name with `node:`; what `node:http` itself is made of. */
const httpInternals = "_http_common";
const noStrings: string[] = [];

function ours(withStrings: boolean): ParserContender {
  return (buffer) => {
    const parser = new RequestParser();
    const { fields } = parser;
    return (start, end) => {
      parser.reset();
      parser.parse(buffer, start, end);
      if (!parser.isComplete) throw new Error("The request is not complete.");
      const strings = withStrings ? [] : noStrings;
      for (let index = 0; withStrings && index < fields.count; index++) {
        strings.push(fields.name(index), fields.value(index));
      }
      return { method: parser.method, target: parser.target, fieldCount: fields.count, strings };
    };
  };
}

type NodeParser = {
  [callback: number]: (...values: never[]) => unknown;
  initialize(type: number, resource: object): void;
  execute(bytes: Buffer): number | Error;
};

/** What `node:http` gives its server for each connection. */
const inNode: ParserContender = (buffer) => {
  const { HTTPParser } = require(httpInternals) as {
    HTTPParser: { new (): NodeParser; REQUEST: number; kOnHeaders: number; kOnHeadersComplete: number };
  };
  const parser = new HTTPParser();
  let parsed: Parsed | undefined;
  let earlier = noStrings;
  parser.initialize(HTTPParser.REQUEST, {});
  // More than 32 fields come in several calls.
  parser[HTTPParser.kOnHeaders] = (strings: string[]) => {
    earlier = [...earlier, ...strings];
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    last: string[],
    method: number,
    target: string,
  ) => {
    const strings = earlier.length === 0 ? last : [...earlier, ...last];
    parsed = { method, target, fieldCount: strings.length / 2, strings };
    return 0;
  };
  return (start, end) => {
    parsed = undefined;
    earlier = noStrings;
    const result = parser.execute(buffer.subarray(start, end));
    if (parsed === undefined)
      throw result instanceof Error ? result : new Error("The request is not complete.");
    return parsed;
  };
};

type LlhttpExports = {
  memory: { buffer: ArrayBuffer };
  malloc(length: number): number;
  llhttp_alloc(type: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_execute(parser: number, bytes: number, length: number): number;
};

/** What undici reads responses with; the same module reads requests. */
function inWebAssembly(withStrings: boolean): ParserContender {
  return (buffer) => {
    // The types of this project know no WebAssembly.
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyNamespace }).WebAssembly;
    const module = new Module(require("undici/lib/llhttp/llhttp_simd-wasm.js") as Buffer);
    /** Start and length of names and values in turns. */
    const parts = new Int32Array(400);
    let count = 0;
    let targetStart = 0;
    let targetLength = 0;
    let isComplete = false;
    const note = (_parser: number, at: number, length: number) => {
      parts[count++] = at;
      parts[count++] = length;
      return 0;
    };
    const nothing = () => 0;
    const env = {
      wasm_on_message_begin: nothing,
      wasm_on_url: (_parser: number, at: number, length: number) => {
        targetStart = at;
        targetLength = length;
        return 0;
      },
      wasm_on_status: nothing,
      wasm_on_header_field: note,
      wasm_on_header_value: note,
      wasm_on_headers_complete: () => {
        isComplete = true;
        return 0;
      },
      wasm_on_body: nothing,
      wasm_on_message_complete: nothing,
    };
    const llhttp = new Instance(module, { env }).exports;
    const request = 1;
    const parser = llhttp.llhttp_alloc(request);
    const room = llhttp.malloc(64 * 1024);
    // Nothing allocates from here on, so that the memory stays where it is.
    const memory = Buffer.from(llhttp.memory.buffer);
    return (start, end) => {
      count = 0;
      isComplete = false;
      buffer.copy(memory, room, start, end);
      const error = llhttp.llhttp_execute(parser, room, end - start);
      if (error !== 0 || !isComplete) throw new Error(`The request is not complete (error ${error}).`);
      const strings = withStrings ? [] : noStrings;
      for (let part = 0; withStrings && part < count; part += 2) {
        strings.push(latin1(memory, parts[part]!, parts[part]! + parts[part + 1]!));
      }
      return {
        method: llhttp.llhttp_get_method(parser),
        target: latin1(memory, targetStart, targetStart + targetLength),
        fieldCount: count / 4,
        strings,
      };
    };
  };
}

type WebAssemblyNamespace = {
  Module: new (bytes: Buffer) => object;
  Instance: new (module: object, imports: object) => { exports: LlhttpExports };
};

/** All of them, by the names that tables call them. */
export const requestParsers: Record<string, ParserContender> = {
  ours: ours(false),
  "ours, all strings": ours(true),
  "llhttp in node:http": inNode,
  "llhttp in WebAssembly": inWebAssembly(false),
  "llhttp in WebAssembly, all strings": inWebAssembly(true),
};
