import type { JsonDocument } from "./json.ts";

/** A value of the configuration that cannot be used. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** Where it stands: `servers[0].routes[2].dir_path`. */
  readonly keyPath: string;

  /** @param problem what is wrong, and what to do: the rest of a sentence that begins with the key path */
  constructor(keyPath: string, problem: string) {
    super(keyPath === "" ? problem : `${keyPath}: ${problem}`);
    this.keyPath = keyPath;
  }
}

/** A configuration that cannot be used. The message says everything that is wrong with it, a line each. */
export class InvalidConfig extends Error {
  override readonly name = "InvalidConfig";

  constructor(...lines: string[]) {
    super(lines.join("\n"));
  }

  /** @param errors in any order: they are told in the order of the file, as `xps-config.json:12:7: key path: problem` */
  static at(file: string, document: JsonDocument, errors: readonly ConfigError[]): InvalidConfig {
    const found = errors.map(({ keyPath, message }) => ({ ...document.position(keyPath), message }));
    found.sort((one, other) => one.line - other.line || one.column - other.column);
    return new InvalidConfig(
      ...found.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`),
    );
  }
}
