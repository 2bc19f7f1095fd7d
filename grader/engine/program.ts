import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { CheckFailure, describeMs } from "./evidence.ts";
import { KeptOutput } from "./kept-output.ts";
import { markName } from "./leftovers.ts";
import { listeningPorts, listeningSockets } from "./listeners.ts";
import type { Deadline } from "./machine.ts";
import { resultDescriptor } from "./probe-process.ts";
import type { ProgramTree } from "./program-tree.ts";
import { signalName } from "./signals.ts";

const outputLimit = 64 * 1024 * 1024;

/** How a program ended. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null };

const signalMeanings: Partial<Record<NodeJS.Signals, string>> = {
  SIGSEGV: "it used memory that is not its own",
  SIGABRT: "it gave up by itself, as after a failed assertion",
  SIGBUS: "it used memory that is not there",
  SIGFPE: "it divided by zero",
  SIGILL: "it met an instruction that the processor does not know",
  SIGPIPE: "it wrote to a connection or pipe that nobody reads any more",
  SIGKILL: "somebody killed it, or the machine ran out of memory",
  SIGTERM: "it was asked to end",
  SIGINT: "it was interrupted",
};

/** How a program ended, in words: `ended with status 1`, `was ended by SIGSEGV: it used memory that is not its own`. */
export function describeExit({ code, signal }: Exit): string {
  if (signal !== null) return `was ended by ${describeSignal(signal)}`;
  // A shell whose command a signal ended has no other way to tell it.
  const name = code !== null && code > 128 && code < 128 + 32 ? signalName(code - 128) : undefined;
  return name === undefined
    ? `ended with status ${code}`
    : `ended with status ${code} (in a shell: 128 + ${code! - 128}, ${describeSignal(name)})`;
}

function describeSignal(signal: NodeJS.Signals): string {
  const meaning = signalMeanings[signal];
  return meaning === undefined ? signal : `${signal}: ${meaning}`;
}

/** How a program ended, or why the grader ended it; `undefined` while it runs. */
export function describeDeath(program: {
  exit?: Exit;
  stopped?: string;
  sent?: Set<NodeJS.Signals>;
}): string | undefined {
  const { exit, stopped, sent } = program;
  if (stopped !== undefined) return `was stopped by the grader: it ${stopped}`;
  if (exit === undefined) return undefined;
  const byCheck = exit.signal !== null && sent?.has(exit.signal);
  return byCheck ? `was ended by the ${exit.signal} that the check sent` : describeExit(exit);
}

export type ProgramOptions = {
  /** The name in texts: `tcp-server`. */
  name: string;
  /** Its arguments as a person would give them. */
  displayArgs: string[];
  /** What is really run: file and arguments. */
  command: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  mark: string;
  tree: ProgramTree;
  deadline: (ms: number) => Deadline;
  /** Whether it tells a result on descriptor 3. */
  tellsResult?: boolean;
};

/** The learner's program while it runs: its own process group, its output, its end. */
export class Program {
  readonly name: string;
  readonly commandLine: string;
  readonly stdout = new KeptOutput();
  readonly stderr = new KeptOutput();
  /** What it wrote to descriptor 3. */
  readonly result = new KeptOutput();
  /** What both said, in the order in which it arrived. */
  readonly output = new KeptOutput();
  /** The ports it was told to listen on, when it is a server. */
  ports: number[] = [];
  /** The one of them that clients of the check connect to when they name none. */
  port = 0;
  exit: Exit | undefined;
  /** Why the grader ended it before its time, as a sentence. */
  stopped: string | undefined;
  /** Signals that the check sent. */
  readonly sent = new Set<NodeJS.Signals>();
  readonly #child: ChildProcess;
  readonly #options: ProgramOptions;
  readonly #onChange = new Set<() => void>();

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.commandLine = [options.name, ...options.displayArgs].join(" ");
    this.#options = options;
    const [file, ...args] = options.command;
    this.#child = spawn(file!, args, {
      cwd: options.cwd,
      env: { ...options.env, [markName]: options.mark },
      detached: true,
      stdio: options.tellsResult ? ["pipe", "pipe", "pipe", "pipe"] : ["pipe", "pipe", "pipe"],
    });
    if (this.#child.pid !== undefined) options.tree.noteSpawned(this.#child.pid);
    this.#child.stdin!.on("error", () => {}); // EPIPE: a program may end without reading its input
    this.#child.stdout!.on("data", (bytes: Buffer) => this.#keep(this.stdout, bytes));
    this.#child.stderr!.on("data", (bytes: Buffer) => this.#keep(this.stderr, bytes));
    (this.#child.stdio[resultDescriptor] as Readable | undefined)?.on("data", (bytes: Buffer) =>
      this.result.add(bytes),
    );
    this.#child.once("error", (error) => this.#end({ code: 127, signal: null }, error.message));
    this.#child.once("exit", (code, signal) => this.#end({ code, signal }));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  #keep(stream: KeptOutput, bytes: Buffer): void {
    stream.add(bytes);
    this.output.add(bytes);
    if (this.output.total > outputLimit) {
      this.stop(`wrote more than ${outputLimit / 1024 / 1024} MiB to stdout and stderr`);
    }
    this.#changed();
  }

  /**
   * Ends it before its time, with everything that its check started: it may have left its group.
   * @param reason what it did, to go behind "it"
   */
  stop(reason: string): void {
    if (this.stopped !== undefined) return;
    this.stopped = reason;
    this.#options.tree.kill();
  }

  #end(exit: Exit, problem?: string): void {
    if (this.exit !== undefined) return;
    this.exit = exit;
    if (problem !== undefined) this.stderr.add(Buffer.from(`could not be started: ${problem}\n`));
    this.#options.tree.noteEnded(this.pid);
    this.#changed();
  }

  #changed(): void {
    for (const callback of [...this.#onChange]) callback();
  }

  /** How it ended, in words, or `undefined` while it runs. */
  death(): string | undefined {
    return describeDeath(this);
  }

  /** The message of an error that nobody caught, as Node prints it above a stack trace: `Error: no such thing`. */
  uncaughtError(): string | undefined {
    const lines = this.stderr.text().split("\n");
    const trace = lines.findIndex((line) => /^\s+at .*(:\d+:\d+\)?|\(native\)|<anonymous>\)?)$/.test(line));
    if (trace === -1) return undefined;
    const message = lines.slice(0, trace).findLast((line) => /^[\w.]*(Error|Exception)\b/.test(line));
    return message ?? "an error without a message";
  }

  /** Registers for news: output or the end. */
  wakeUp = (callback: () => void): (() => void) => {
    this.#onChange.add(callback);
    return () => this.#onChange.delete(callback);
  };

  /** Sends a signal to the program's process group (`man 2 kill`). */
  kill(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    // Also after its own end: what it left behind in its group may be a process that nothing else catches.
    if (this.exit === undefined) this.sent.add(signal);
    try {
      process.kill(-this.#child.pid, constants.signals[signal]);
    } catch {
      // It has ended: that is what was wanted.
    }
  }

  /** Writes to its standard input. */
  write(bytes: string | Uint8Array): void {
    this.#child.stdin!.write(bytes);
  }

  /** Ends its standard input. */
  endInput(): void {
    this.#child.stdin!.end();
  }

  /** The first of its ports on which it does not listen. */
  #missingPort(): number | undefined {
    // The first look is cheap; only when somebody listens there it is worth asking who.
    const open = new Set(listeningSockets().map(({ port }) => port));
    const missing = this.ports.find((port) => !open.has(port));
    if (missing !== undefined) return missing;
    const own = listeningPorts(this.#options.tree.alive());
    return this.ports.find((port) => !own.includes(port));
  }

  /**
   * Waits until it listens on all its ports, watching for its end meanwhile. Asks the kernel's socket
   * table: a trial connection would use up the only one that some programs accept, and a printed line
   * may still be in the program's buffer.
   * @throws CheckFailure when it ends first or does not listen in time
   */
  async listening(withinMs = 10_000): Promise<void> {
    if (this.ports.length === 0) throw new Error(`nobody has said on which ports ${this.name} should listen`);
    const deadline = this.#options.deadline(withinMs);
    const ready = await deadline.until(() => this.exit !== undefined || this.#missingPort() === undefined, {
      wakeUp: this.wakeUp,
      pollMs: 5,
    });
    if (ready && this.exit === undefined) return;
    const missing = this.#missingPort() ?? this.port;
    const elsewhere = listeningPorts(this.#options.tree.alive());
    throw new CheckFailure({
      summary: this.exit
        ? `${this.name} ended before it listened on port ${missing}`
        : `${this.name} does not listen on port ${missing}`,
      expected: `a listening socket on port ${missing} within ${describeMs(deadline.limitMs)}`,
      observed:
        this.death() !== undefined
          ? `the program ${this.death()}`
          : elsewhere.length > 0
            ? `the program runs and listens on port ${elsewhere.join(", ")} ${this.ports.length > 1 ? "only" : "instead"}`
            : "the program runs and listens on no port",
    });
  }

  /**
   * Waits until it has ended, with everything it started.
   * @returns how it ended, or `undefined` when it still runs at the deadline
   */
  async ended(withinMs: number): Promise<Exit | undefined> {
    const deadline = this.#options.deadline(withinMs);
    const exit = await deadline.until(() => this.exit, { wakeUp: this.wakeUp });
    if (exit !== undefined) await Promise.all([this.output.settled(), this.result.settled()]);
    return exit;
  }

  /** Waits until a text stands in its standard output. */
  async printed(text: string | RegExp, withinMs: number): Promise<boolean> {
    const deadline = this.#options.deadline(withinMs);
    const found = () =>
      typeof text === "string" ? this.stdout.text().includes(text) : text.test(this.stdout.text());
    return (await deadline.until(() => found() || this.exit !== undefined, { wakeUp: this.wakeUp }))
      ? found()
      : false;
  }

  /** Lets go of pipes that a surviving descendant might hold. */
  release(): void {
    this.#child.stdin!.destroy();
    this.#child.stdout!.destroy();
    this.#child.stderr!.destroy();
    (this.#child.stdio[resultDescriptor] as Readable | undefined)?.destroy();
    this.#child.unref();
  }
}
