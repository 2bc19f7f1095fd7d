import { type IPty, spawn } from "@lydell/node-pty";
import { KeptOutput } from "./kept-output.ts";
import { markName } from "./leftovers.ts";
import type { Deadline } from "./machine.ts";
import { describeDeath, type Exit } from "./program.ts";
import type { ProgramTree } from "./program-tree.ts";
import { signalName } from "./signals.ts";

/** A program of the learner's in a terminal of its own: 80 columns, 24 lines, echo on, line by line. */
export class Terminal {
  readonly commandLine: string;
  /** All that the screen got: the program's output and the echo of what was typed. */
  readonly screen = new KeptOutput();
  exit: Exit | undefined;
  /** Why the grader ended it before its time, as a sentence. */
  stopped: string | undefined;
  readonly #pty: IPty;
  readonly #tree: ProgramTree;
  readonly #deadline: (ms: number) => Deadline;
  readonly #onChange = new Set<() => void>();

  constructor(options: {
    commandLine: string;
    command: string[];
    cwd: string;
    env: NodeJS.ProcessEnv;
    mark: string;
    tree: ProgramTree;
    deadline: (ms: number) => Deadline;
  }) {
    const [file, ...args] = options.command;
    this.commandLine = options.commandLine;
    this.#deadline = options.deadline;
    this.#tree = options.tree;
    this.#pty = spawn(file!, args, {
      name: "xterm",
      cols: 80,
      rows: 24,
      cwd: options.cwd,
      env: { ...options.env, [markName]: options.mark },
      encoding: null,
    });
    options.tree.noteSpawned(this.#pty.pid);
    // With `encoding: null` the data are buffers, whatever the declaration says.
    this.#pty.onData((data) => {
      this.screen.add(data as unknown as Buffer);
      this.#changed();
    });
    this.#pty.onExit(({ exitCode, signal }) => {
      this.exit = signal ? { code: null, signal: signalName(signal) } : { code: exitCode, signal: null };
      options.tree.noteEnded(this.#pty.pid);
      this.#changed();
    });
  }

  /**
   * Ends it before its time, with everything that its check started.
   * @param reason what it did, to go behind "it"
   */
  stop(reason: string): void {
    this.stopped ??= reason;
    this.#tree.kill();
  }

  /** How it ended, in words, or `undefined` while it runs. */
  death(): string | undefined {
    return describeDeath(this);
  }

  #changed(): void {
    for (const callback of [...this.#onChange]) callback();
  }

  readonly #wakeUp = (callback: () => void): (() => void) => {
    this.#onChange.add(callback);
    return () => this.#onChange.delete(callback);
  };

  /** Types keys: `\r` for Enter, `\x04` for Ctrl-D, `\x03` for Ctrl-C. */
  type(keys: string): void {
    this.#pty.write(keys);
  }

  /** Waits until a text stands on the screen. Returns whether it came before the deadline and the program's end. */
  async shows(text: string, withinMs = 5000): Promise<boolean> {
    const found = () => this.screen.text().includes(text);
    await this.#deadline(withinMs).until(() => found() || this.exit !== undefined, { wakeUp: this.#wakeUp });
    return found();
  }

  /** Waits for the program's end. */
  async ended(withinMs: number): Promise<Exit | undefined> {
    return this.#deadline(withinMs).until(() => this.exit, { wakeUp: this.#wakeUp });
  }

  /** Lets go of the terminal. */
  release(): void {
    this.#pty.kill("SIGKILL");
  }
}
