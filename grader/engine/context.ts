import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { programCommand } from "../build.ts";
import type { StagePlan } from "../plan.ts";
import { CheckFailure, CheckSkipped, describeMs } from "./evidence.ts";
import { markName, markOf } from "./leftovers.ts";
import { Limits } from "./limits.ts";
import { Deadline, runQueueClock } from "./machine.ts";
import { type ReservedPort, reservePort, whoHolds } from "./ports.ts";
import { readResult } from "./probe-process.ts";
import { Program } from "./program.ts";
import { ProgramTree } from "./program-tree.ts";
import { Random } from "./random.ts";
import { RawListener } from "./raw-listener.ts";
import { RawPeer } from "./raw-peer.ts";
import { connectTcp, type TcpPeer } from "./tcp-client.ts";
import { TcpListener } from "./tcp-listener.ts";
import { Terminal } from "./terminal.ts";
import { runTool, type ToolResult } from "./tool.ts";
import { Transcript } from "./transcript.ts";

/** The grader could not do its part; never the learner's fault: the outcome is `error`. */
export class GraderTrouble extends Error {
  override name = "GraderTrouble";
}

/** How a program is started as a server. */
export type StartOptions = {
  ports?: number[];
  args?: string[];
  /** All arguments, where the program reads its ports elsewhere, such as in a configuration that these name. */
  allArgs?: string[];
  talkTo?: number;
  env?: NodeJS.ProcessEnv;
  /** The working directory; the workspace by default. */
  cwd?: string;
};

/** What a check works with. All members can be taken apart: `async ({ start, connect }) => …`. */
export class CheckContext {
  readonly plan: StagePlan;
  /** This check's own random stream. */
  readonly random: Random;
  readonly transcript = new Transcript();
  readonly programs: Program[] = [];
  readonly terminals: Terminal[] = [];
  /** The processes of this check. */
  readonly tree: ProgramTree;
  readonly #mark: string;
  readonly #peers: TcpPeer[] = [];
  readonly #rawPeers: RawPeer[] = [];
  #connects = 0;
  readonly #listeners: TcpListener[] = [];
  readonly #rawListeners: RawListener[] = [];
  readonly #ports: ReservedPort[] = [];
  readonly #folders: string[] = [];
  readonly #limits: Limits;
  #closed = false;

  constructor(plan: StagePlan, id: string) {
    this.plan = plan;
    this.random = new Random(plan.seed, id);
    this.#mark = markOf(plan.mark, id);
    this.tree = new ProgramTree(this.#mark);
    this.#limits = new Limits(this.tree, (excess) => {
      // Of several programs the running ones are meant; of none running, the last one left something behind.
      const running = [...this.programs, ...this.terminals].filter(({ exit }) => exit === undefined);
      for (const each of running.length > 0 ? running : this.programs.slice(-1)) each.stop(excess);
      this.tree.kill();
    });
  }

  /** Called before anything is made that `close` has to end: a check that was given up may still be at it. */
  #requireOpen(): void {
    if (this.#closed) throw new GraderTrouble("the check is over");
  }

  /** A time limit in milliseconds on the reference machine. */
  deadline = (ms: number): Deadline => new Deadline(ms, this.plan.factor, this.#waitedMs);

  readonly #waitedMs = runQueueClock(() => this.programs.map(({ pid }) => pid));

  /** A new empty folder, outside the workspace, which goes with the check. */
  folder = (): string => {
    this.#requireOpen();
    const folder = realpathSync(mkdtempSync(join(this.plan.scratch, "check-")));
    this.#folders.push(folder);
    return folder;
  };

  /** Tells a step for the report. */
  step = (text: string): void => this.transcript.step(text);

  /** The check does not apply here. */
  skip = (reason: string): never => {
    throw new CheckSkipped(reason);
  };

  /** A free port that nobody else takes until the check is over. */
  freePort = async (): Promise<number> => {
    this.#requireOpen();
    const reserved = await reservePort(this.random);
    this.#ports.push(reserved);
    return reserved.port;
  };

  /**
   * Runs the stage's program and does not wait for anything.
   * @param args its arguments
   * @param options.env variables besides the usual ones
   * @param options.cwd the working directory; the workspace by default
   */
  launch = (args: string[], { env, cwd }: Pick<StartOptions, "env" | "cwd"> = {}): Program => {
    this.#requireOpen();
    this.#limits.begin();
    this.step(`started ${[this.plan.programName, ...args].join(" ")}`);
    const program = new Program({
      name: this.plan.programName,
      displayArgs: args,
      command: programCommand(this.plan.program, args),
      cwd: cwd ?? this.plan.target,
      env: { ...this.plan.env, ...env },
      mark: this.#mark,
      tree: this.tree,
      deadline: this.deadline,
    });
    this.programs.push(program);
    return program;
  };

  /**
   * Runs the stage's program as a server and waits until it listens on all its ports.
   * @param options.ports the ports to give it; by default as many free ones as it has (`stage.json`), or its own where
   * ports are fixed
   * @param options.args further arguments behind the ports; a program with fixed ports gets none at all
   * @param options.allArgs in the place of ports and further arguments, also where ports are fixed
   * @param options.talkTo which of the ports clients connect to when they name none, counted from 0
   * @throws CheckFailure when it ends or does not listen in time
   */
  start = async (options: StartOptions = {}): Promise<Program> => {
    const ports = options.ports ?? (await this.portsForProgram());
    for (const holder of ports.map(whoHolds)) {
      if (holder === undefined) continue;
      throw new GraderTrouble(
        `${holder}. End it, or grade with --isolate, which gives the programs a network of their own.`,
      );
    }
    const fixed = this.plan.program.ports === "fixed";
    const args = options.allArgs ?? (fixed ? [] : [...ports.map(String), ...(options.args ?? [])]);
    const program = this.launch(args, options);
    program.ports = ports;
    program.port = ports[options.talkTo ?? 0]!;
    await program.listening();
    return program;
  };

  /** The ports for one run of the program: as many free ones as it has, or its own where ports are fixed. */
  portsForProgram = async (): Promise<number[]> => {
    const { ownPorts, program } = this.plan;
    if (program.ports === "fixed") return ownPorts;
    return Promise.all(ownPorts.map(() => this.freePort()));
  };

  /**
   * Runs one of the stage's probes (`grader/probes/`), which call modules of the workspace, in a process of its own.
   * Skips the check where the workspace has no such modules.
   * @param name the probe's name
   * @param withinMs how long it may take, start included
   * @throws CheckFailure what the probe found wrong, or that it did not get to its end
   */
  probe = async (name: string, { withinMs = 20_000 } = {}): Promise<void> => {
    const { probes } = this.plan;
    if (probes === undefined) throw new GraderTrouble(`this stage has no probes, and ${name} is none`);
    if ("skip" in probes) return this.skip(probes.skip);
    if ("problem" in probes) {
      throw new CheckFailure({
        summary: "the modules cannot be called as the stage's contract says",
        expected: "modules that build, with the exports of the contract",
        observed: probes.problem,
      });
    }
    this.#requireOpen();
    this.#limits.begin();
    this.step(`called the modules in a process of their own: the probe ${name}`);
    const process = new Program({
      name: "the modules' process",
      displayArgs: [],
      command: [...probes.command, name],
      cwd: this.plan.target,
      env: this.plan.env,
      mark: this.#mark,
      tree: this.tree,
      deadline: this.deadline,
      tellsResult: true,
    });
    this.programs.push(process);
    const deadline = this.deadline(withinMs);
    const exit = await process.ended(withinMs);
    const result = exit === undefined ? undefined : readResult(process.result.text());
    if (result?.unknown) throw new GraderTrouble(`there is no probe ${name} at this stage`);
    if (result?.failure !== undefined) throw new CheckFailure(result.failure);
    if (result !== undefined) return;
    throw new CheckFailure({
      summary:
        exit === undefined
          ? "the modules' process does not come to its end"
          : "the modules' process ended too early",
      expected: `the end of the probe within ${describeMs(deadline.limitMs)}`,
      observed: `${exit === undefined ? "it still runs" : `it ${process.death()}`}${lastWords(process)}`,
    });
  };

  /** Runs the stage's program in a terminal. */
  terminal = (args: string[]): Terminal => {
    this.#requireOpen();
    this.#limits.begin();
    this.step(`started ${[this.plan.programName, ...args].join(" ")} in a terminal`);
    const terminal = new Terminal({
      commandLine: `${[this.plan.programName, ...args].join(" ")} (in a terminal)`,
      command: programCommand(this.plan.program, args),
      cwd: this.plan.target,
      env: { ...this.plan.env, TERM: "xterm" },
      mark: this.#mark,
      tree: this.tree,
      deadline: this.deadline,
    });
    this.terminals.push(terminal);
    return terminal;
  };

  /**
   * Runs another program to its end, such as curl, as a client that nobody here wrote. It goes with the
   * check, however the check ends.
   * @throws Error when it cannot be started
   */
  runTool = async (
    command: string,
    args: string[],
    options: { input?: Uint8Array; withinMs?: number } = {},
  ): Promise<ToolResult> => {
    this.#requireOpen();
    this.#limits.begin();
    this.step(`ran ${[command, ...args].join(" ")}`);
    return runTool(command, args, {
      input: options.input,
      env: { ...this.plan.env, [markName]: this.#mark },
      tree: this.tree,
      deadline: this.deadline(options.withinMs ?? 10_000),
    });
  };

  /** Connects a client to a server. Clients are counted in the order of connecting. */
  connect = async (
    to: { port: number; host?: string },
    options: { withinMs?: number } = {},
  ): Promise<TcpPeer> => {
    this.#requireOpen();
    const peer = await connectTcp(
      { host: to.host ?? "127.0.0.1", port: to.port },
      {
        name: `client ${++this.#connects}`,
        transcript: this.transcript,
        deadline: this.deadline,
        ...options,
      },
    );
    this.#peers.push(peer);
    return peer;
  };

  /**
   * Connects a client made of system calls, for checks that must know what the kernel has taken.
   * @param options.receiveBuffer,options.sendBuffer sizes of the kernel's buffers, in bytes
   */
  connectRaw = async (
    to: { port: number },
    options: { receiveBuffer?: number; sendBuffer?: number } = {},
  ): Promise<RawPeer> => {
    this.#requireOpen();
    const peer = await RawPeer.connect(to.port, {
      name: `client ${++this.#connects}`,
      transcript: this.transcript,
      deadline: this.deadline,
      ...options,
    });
    this.#rawPeers.push(peer);
    return peer;
  };

  /** A free port, or the one that is asked for if nobody holds it. */
  async #portToListenOn(port: number | undefined): Promise<number> {
    this.#requireOpen();
    if (port === undefined) return this.freePort();
    const holder = whoHolds(port);
    if (holder === undefined) return port;
    throw new GraderTrouble(
      `${holder}, and the check needs this port itself. End it, or grade with --isolate.`,
    );
  }

  /**
   * A server of the check's own.
   * @param onConnection answers each connection as it comes
   */
  listen = async (
    address: { host?: string; port?: number } = {},
    onConnection?: (peer: TcpPeer) => void,
  ): Promise<TcpListener> => {
    const port = await this.#portToListenOn(address.port);
    const listener = await TcpListener.listen(
      { host: address.host ?? "127.0.0.1", port },
      this,
      onConnection,
    );
    this.#listeners.push(listener);
    return listener;
  };

  /** A server of the check's own that is made of system calls, and accepts only when it is told to. */
  listenRaw = async (options: { port?: number } = {}): Promise<RawListener> => {
    const listener = RawListener.listen(await this.#portToListenOn(options.port), this);
    this.#rawListeners.push(listener);
    return listener;
  };

  /**
   * Waits until something holds that nothing announces, such as a figure in `/proc`.
   * @returns its value, or `undefined` when it does not hold at the deadline
   */
  waitFor = <T>(
    condition: () => T | undefined | false,
    withinMs: number,
    pollMs = 10,
  ): Promise<T | undefined> => this.deadline(withinMs).until(condition, { pollMs });

  /** After a check's own steps: no client may hold bytes that nobody asked for. */
  expectNothingMore(): void {
    for (const peer of this.#peers) peer.expectNothing();
  }

  /**
   * After a failure with a connection over: waits until the ends of programs are known. When a program
   * crashes, the kernel closes its connections first, and its parent hears of the end a little later.
   */
  async settlePrograms(): Promise<void> {
    const listeners = [...this.#listeners, ...this.#rawListeners];
    const peers = [...this.#peers, ...this.#rawPeers, ...listeners.flatMap(({ accepted }) => [...accepted])];
    if (!peers.some(({ over }) => over)) return;
    await Promise.all(this.programs.map((program) => program.ended(500)));
  }

  /** What ran, how it ended and what it printed last, for the report. */
  describePrograms(): { command: string; death?: string; output: string }[] {
    return [
      ...this.programs.map((program) => ({
        command: program.commandLine,
        death: program.death(),
        output: firstAndLastLines(program.output.text()),
      })),
      ...this.terminals.map((terminal) => ({
        command: terminal.commandLine,
        death: terminal.death(),
        output: firstAndLastLines(terminal.screen.text()),
      })),
    ];
  }

  /** Ends everything that the check started. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#limits.end();
    for (const peer of [...this.#peers, ...this.#rawPeers]) peer.close();
    for (const listener of this.#listeners) listener.destroy();
    for (const listener of this.#rawListeners) listener.close();
    for (const terminal of this.terminals) terminal.release();
    for (const program of this.programs) program.kill("SIGKILL");
    try {
      await Promise.all(this.programs.map((program) => program.ended(1000)));
      await this.tree.killAll();
    } finally {
      for (const program of this.programs) program.release();
      for (const reserved of this.#ports) reserved.release();
      for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
    }
  }

  /** A duration for texts, scaled as deadlines are. */
  describeLimit = (ms: number): string => describeMs(ms * this.plan.factor);
}

/** What a probe printed last, which may tell what it was waiting for. */
function lastWords({ stdout }: Program): string {
  const last = stdout.text().trimEnd().split("\n").at(-1)!;
  return last === "" ? "" : `; the last that it printed: ${last.slice(0, shownOfLine)}`;
}

const shownAtStart = 4;
const shownAtEnd = 40;
const shownOfLine = 240;

/** How a program's output begins and ends; the report chooses among these lines. */
function firstAndLastLines(text: string): string {
  const lines = text.trimEnd().split("\n");
  const left = lines.length - shownAtStart - shownAtEnd;
  const shown =
    left <= 0 ? lines : [...lines.slice(0, shownAtStart), `… ${left} lines …`, ...lines.slice(-shownAtEnd)];
  return shown.map((line) => line.slice(0, shownOfLine)).join("\n");
}
