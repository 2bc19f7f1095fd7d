import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { packageRoot } from "../../stages/package-root.ts";
import { findStage } from "../../stages/stage.ts";
import { solutionFiles, writeWorkspace } from "../../stages/tree.ts";
import { buildProgram, programCommand } from "../build.ts";
import { stopBuilder } from "../bundle.ts";
import { loadCourse } from "../course.ts";
import { KeptOutput } from "../engine/kept-output.ts";
import { beginRun, endMarked, endRun, markName, type Run, removeLeftovers } from "../engine/leftovers.ts";
import { listenersOn } from "../engine/listeners.ts";
import { type ReservedPort, reservePort } from "../engine/ports.ts";
import { describeExit, type Exit } from "../engine/program.ts";
import { Random } from "../engine/random.ts";
import { findTool } from "../engine/tool.ts";
import { startWatchdog, type Watchdog } from "../engine/watchdog.ts";
import { type Running, Stopped, Unavailable } from "./contender.ts";
import { type Cores, coresHere } from "./cores.ts";

const listeningWithinMs = 20_000;
const answerWithinMs = 20_000;

/** What is on which side of a measurement. */
export type Side = "server" | "load" | "anywhere";

/** A server that this benchmark started. */
export type StartedServer = Running & {
  /** Sends it a signal and gives the line that `meter.ts` answers. */
  askMeter(): Promise<unknown>;
};

/**
 * Where everything is built and run that a benchmark needs. It has a folder of its own, and each process a
 * mark and a group of its own: `close` ends and removes all, and where this process is killed itself, its
 * watchdog does.
 */
export class Workbench {
  readonly cores: Cores = coresHere();
  readonly folder: string;
  readonly #run: Run;
  readonly #watchdog: Watchdog;
  readonly #ports: ReservedPort[] = [];
  readonly #random: Random;
  readonly #built = new Map<string, Promise<string[]>>();
  #interrupted = false;

  constructor() {
    removeLeftovers();
    this.#run = beginRun();
    this.folder = this.#run.folder;
    this.#watchdog = startWatchdog(this.folder);
    this.#random = new Random(this.#run.mark, "ports");
  }

  /** Ends all processes; whoever waits for one gets {@link Stopped}, and nothing is started any more. */
  interrupt(): void {
    this.#interrupted = true;
    endMarked(this.#run.mark);
  }

  async close(): Promise<void> {
    await stopBuilder();
    endRun(this.#run);
    for (const port of this.#ports) port.release();
    await this.#watchdog.dismiss();
  }

  /** A free port of 127.0.0.1 that nobody else takes. */
  async port(): Promise<number> {
    const reserved = await reservePort(this.#random);
    this.#ports.push(reserved);
    return reserved.port;
  }

  /**
   * Compiles a C program of `programs/`, once.
   * @returns the executable file
   * @throws Unavailable where there is no C compiler
   */
  compile(name: string): string {
    const compiler = ["gcc", "cc", "clang"].find((each) => findTool(each) !== undefined);
    if (compiler === undefined) throw new Unavailable("There is no C compiler; install gcc.");
    const executable = join(this.folder, name);
    if (existsSync(executable)) return executable;
    const source = join(packageRoot, "grader", "bench", "programs", `${name}.c`);
    const { status, stderr } = spawnSync(compiler, ["-O2", "-o", executable, source], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${source} cannot be compiled:\n${stderr}`);
    return executable;
  }

  /** The command of a program of `programs/` that runs in Node. */
  nodeProgram(name: string): string[] {
    return [process.execPath, join(packageRoot, "dist", "grader", "bench", "programs", `${name}.js`)];
  }

  /**
   * The command of the reference of a stage, built as a learner's program is.
   * @throws Unavailable where the stage does not exist
   */
  reference(number: number): Promise<string[]> {
    const name = String(number);
    if (!this.#built.has(name)) this.#built.set(name, this.#buildReference(name));
    return this.#built.get(name)!;
  }

  async #buildReference(name: string): Promise<string[]> {
    const stage = findStage(name);
    if (stage === undefined) throw new Unavailable(`There is no stage ${name} here.`);
    const workspace = join(this.folder, stage.slug);
    mkdirSync(workspace);
    writeWorkspace(solutionFiles(stage), workspace);
    const program = await buildProgram(workspace, stage, loadCourse(workspace), join(workspace, "build"));
    if (!program.ok) throw new Error(`The reference of stage ${name} cannot be built:\n${program.log}`);
    return programCommand(program, []);
  }

  #spawn(command: string[], side: Side, env: NodeJS.ProcessEnv = {}): ChildProcess {
    if (this.#interrupted) throw new Stopped();
    const core = side === "anywhere" ? undefined : this.cores[side];
    // taskset gives its place and number to the program.
    const [file, ...args] = core === undefined ? command : ["taskset", "-c", String(core), ...command];
    return spawn(file!, args, {
      cwd: this.folder,
      env: { ...process.env, NODE_OPTIONS: "", ...env, [markName]: this.#run.mark },
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
  }

  /**
   * Starts a server and waits until it listens.
   * @param command file and arguments
   * @param port on which it will listen
   * @throws Error with what it said, when it ends before
   */
  async start(
    command: string[],
    port: number,
    { side = "server", env = {} }: { side?: Side; env?: NodeJS.ProcessEnv } = {},
  ): Promise<StartedServer> {
    const server = new Server(this.#spawn(command, side, env), port);
    const giveUp = performance.now() + listeningWithinMs;
    while (listenersOn(port).length === 0) {
      const problem = server.death() ?? (performance.now() > giveUp ? "it does not listen" : undefined);
      if (this.#interrupted) throw new Stopped();
      if (problem !== undefined) throw new Error(`${command.join(" ")}: ${problem}`);
      await delay(5);
    }
    return server;
  }

  /**
   * Runs a load generator or another program to its end.
   * @returns what it wrote to its standard output
   * @throws Error with what it wrote to stderr, when its status is not 0
   */
  async runToEnd(command: string[], side: Side = "anywhere"): Promise<string> {
    const child = this.#spawn(command, side);
    const stdout = new KeptOutput();
    const stderr = new KeptOutput();
    child.stdout!.on("data", (bytes: Buffer) => stdout.add(bytes));
    child.stderr!.on("data", (bytes: Buffer) => stderr.add(bytes));
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    if (this.#interrupted) throw new Stopped();
    if (code === 0) return stdout.text();
    throw new Error(stderr.text().trim() || describeExit({ code, signal }));
  }
}

class Server implements StartedServer {
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #output = new KeptOutput();
  readonly #answers: Interface;
  readonly #ended: Promise<undefined>;
  #exit: Exit | undefined;

  constructor(child: ChildProcess, port: number) {
    this.port = port;
    this.#child = child;
    this.pid = child.pid ?? -1;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on("data", (bytes: Buffer) => this.#output.add(bytes));
    }
    this.#answers = createInterface({ input: child.stdio[3] as Readable });
    this.#ended = new Promise((resolve) => {
      const end = (exit: Exit) => {
        this.#exit ??= exit;
        this.#answers.close();
        resolve(undefined);
      };
      child.once("exit", (code, signal) => end({ code, signal }));
      child.once("error", (error) => {
        this.#output.add(Buffer.from(error.message));
        end({ code: 127, signal: null });
      });
    });
  }

  death(): string | undefined {
    if (this.#exit === undefined) return undefined;
    return [describeExit(this.#exit), this.#output.text().trim()].filter(Boolean).join(": ");
  }

  async askMeter(): Promise<unknown> {
    const line = new Promise<string>((resolve) => this.#answers.once("line", resolve));
    this.#child.kill("SIGUSR2");
    const timeLimit = new AbortController();
    const late = delay(answerWithinMs, undefined, { signal: timeLimit.signal, ref: false }).catch(
      () => undefined,
    );
    const answer = await Promise.race([line, this.#ended, late]);
    timeLimit.abort();
    if (answer === undefined)
      throw new Error(`no answer from the meter: ${this.death() ?? "the server runs"}`);
    return JSON.parse(answer);
  }

  async stop(): Promise<void> {
    if (this.#exit === undefined && this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    await this.#ended;
    for (const stream of this.#child.stdio) stream?.destroy();
  }
}
