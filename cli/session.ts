/**
 * Where a command reads its surroundings from and writes to. Commands get one as their first
 * argument and touch neither `process.stdout` nor `process.cwd()`, so that tests can watch them.
 */
export type Session = {
  /** The folder in which the command was typed. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Whether a person reads standard output as it comes. */
  isTerminal: boolean;
  /** Whether text may be coloured. */
  color: boolean;
  /** Characters in a line of the terminal. */
  columns: number;
  /** Writes to standard output as it is. */
  write(text: string): void;
  /** Writes one or more lines to standard output. */
  say(...lines: string[]): void;
  /** Writes one or more lines to standard error. */
  warn(...lines: string[]): void;
};

/** Colour by the usual rules: `NO_COLOR` and a dumb terminal say no, `FORCE_COLOR` says yes. */
export function wantsColor(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return isTerminal && env.TERM !== "dumb";
}

/** The session of the terminal that this process was started from. */
export function terminalSession(): Session {
  const isTerminal = process.stdout.isTTY === true;
  return {
    cwd: process.cwd(),
    env: process.env,
    isTerminal,
    color: wantsColor(process.env, isTerminal),
    columns: process.stdout.columns ?? 100,
    write: (text) => void process.stdout.write(text),
    say: (...lines) => void process.stdout.write(`${lines.join("\n")}\n`),
    warn: (...lines) => void process.stderr.write(`${lines.join("\n")}\n`),
  };
}

/** Text that stands out: bold where there is colour. */
export function bold(session: Session, text: string): string {
  return session.color ? `\x1b[1m${text}\x1b[22m` : text;
}

/** Text that steps back: dim where there is colour. */
export function dim(session: Session, text: string): string {
  return session.color ? `\x1b[2m${text}\x1b[22m` : text;
}
