import { parseArgs } from "node:util";

/** What a program of the course is told by its arguments. */
export type CommandLine = {
  /** The ports to listen on, in order. */
  ports: number[];
  /** The values of its options, by name. */
  options: Record<string, string>;
};

/**
 * Reads the arguments of a program that takes ports and options. Ends the program with status 2 when they are wrong.
 * @param usage the program's usage line, which names it first: `stage-08 [ports…] [--upstream host:port]`
 * @param ports the ports when none is given; no more than so many may be given
 * @param options the options' names and what they are when they are not given
 */
export function readCommandLine(
  usage: string,
  ports: number[],
  options: Record<string, string> = {},
): CommandLine {
  const refuse = (problem: string) => fail(2, `${problem}; usage: ${usage}`);
  let parsed: { values: Record<string, string | undefined>; positionals: string[] };
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: Object.fromEntries(Object.keys(options).map((name) => [name, { type: "string" as const }])),
    });
  } catch (error) {
    return refuse((error as Error).message.split(". ")[0]!);
  }
  const given = parsed.positionals.map(
    (text) => portFrom(text) ?? refuse(`"${text}" is not a port from 1 to 65535`),
  );
  if (given.length > ports.length) refuse(`"${given[ports.length]}" is one port too many`);
  const twice = given.find((port, index) => given.indexOf(port) !== index);
  if (twice !== undefined) refuse(`port ${twice} is named twice`);
  return {
    ports: given.length > 0 ? given : ports,
    options: { ...options, ...parsed.values } as CommandLine["options"],
  };
}

/** A port number, or `undefined` when the text is none. */
export function portFrom(text: string): number | undefined {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;
}

/** Ends the program with a sentence about the reason: status 1 for a start that fails, 2 for a wrong argument. */
export function fail(status: number, sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(status);
}
