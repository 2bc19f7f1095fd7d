/** A value of the configuration that cannot be used. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** Where it stands: `servers[0].routes[2].dir_path`. */
  readonly keyPath: string;

  /** @param problem what is wrong, and what to do: the rest of a sentence that begins with the key path */
  constructor(keyPath: string, problem: string) {
    super(`${keyPath}: ${problem}`);
    this.keyPath = keyPath;
  }
}
