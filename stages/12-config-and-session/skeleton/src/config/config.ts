import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type ConfigError, InvalidConfig } from "./config-error.ts";
import { conflictsOf } from "./conflicts.ts";
import { type JsonDocument, JsonSyntaxError, parseJson } from "./json.ts";
import type { MainConfig, Module } from "./module.ts";
import { problemsOf } from "./problems.ts";
import { configSchema, jsonSchema } from "./schema.ts";

/** A configuration that was read and is good, as far as that can be seen without the machine it is for. */
export class Config {
  /** Its values; keys that were left out have their defaults. */
  readonly values: MainConfig;
  readonly #file: string;
  readonly #document: JsonDocument;

  constructor(file: string, document: JsonDocument, values: MainConfig) {
    this.values = values;
    this.#file = file;
    this.#document = document;
  }

  /** A path of the configuration as an absolute one: relative ones are relative to the file's folder. */
  resolvePath(path: string): string {
    // TODO 4a
    return todo(`4a: ${path}, seen from the folder of ${this.#file}, by ${resolve.name} and ${dirname.name}`);
  }

  /** What to throw when values turn out to be of no use, such as a folder that is missing. */
  invalid(errors: readonly ConfigError[]): InvalidConfig {
    return InvalidConfig.at(this.#file, this.#document, errors);
  }
}

/**
 * Reads a configuration and checks it.
 * @param modules who has keys in it
 * @throws {InvalidConfig} with everything that is wrong
 */
export function readConfig(file: string, modules: readonly Module[]): Config {
  return parseConfig(file, readText(file), modules);
}

/** {@link readConfig} for a text. */
export function parseConfig(file: string, text: string, modules: readonly Module[]): Config {
  // TODO 4b: parse the text, look for problems (problemsOf, with the schema and, as a function, the JSON Schema) and for conflicts. All of
  // them in one InvalidConfig; else a Config with what the schema makes of the value: it fills in the defaults.
  return todo(
    `4b: ${text.length} characters by ${[parseDocument, configSchema, jsonSchema, problemsOf, conflictsOf].map(({ name }) => name)}, with ${modules.length} modules, in ${file}`,
  );
}

function parseDocument(file: string, text: string): JsonDocument {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const { line, column } = error.position;
    throw new InvalidConfig(`${file}:${line}:${column}: not JSON: ${error.message}`);
  }
}

function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new InvalidConfig(
      `cannot read the configuration ${file}: ${reasonOf(error as NodeJS.ErrnoException)}`,
    );
  }
  if (!isUtf8(bytes))
    throw new InvalidConfig(`${file}: the configuration is not UTF-8; save it with this encoding`);
  return bytes.toString();
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "ENOENT":
      return "there is no such file";
    case "EISDIR":
      return "it is a folder";
    case "EACCES":
      return "its permissions, or those of its folder, forbid it";
    default:
      return message;
  }
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
