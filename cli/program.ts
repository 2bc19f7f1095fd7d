import { Command, CommanderError, Option } from "commander";
import { packageVersion } from "../stages/package-root.ts";
import { type Session, terminalSession } from "./session.ts";

/** What a command's action gives: its exit status. */
type Action<Args extends unknown[]> = (session: Session, ...args: Args) => Promise<number>;

const work = "Working on a stage:";
const help = "When you are stuck:";
const around = "Moving around:";
const tools = "Tools:";

/** `--only a,b --only c` → `["a", "b", "c"]`. */
function collectIds(value: string, before: string[] = []): string[] {
  return [
    ...before,
    ...value
      .split(",")
      .map((id) => id.trim())
      .filter((id) => id !== ""),
  ];
}

/**
 * The command line: names, options and help only. What a command does is imported when it is called,
 * so that `--help` and a mistyped name are answered at once.
 * @param session makes the session, after the options that change it are known
 * @param done takes the exit status
 */
export function buildProgram(session: () => Session, done: (status: number) => void): Command {
  /** Calls a command's function with commander's arguments and without the command object at their end. */
  const call =
    <Args extends unknown[]>(load: () => Promise<Action<Args>>) =>
    async (...args: unknown[]) => {
      const action = await load();
      done(await action(session(), ...(args.slice(0, -1) as Args)));
    };

  const program = new Command("expserver-course")
    .description("Write a web server on Linux's own system calls, stage by stage, checked by real clients.")
    .usage("<command> [options]")
    .version(packageVersion, "-V, --version", "print the version")
    .helpOption("-h, --help", "show this help, or that of a command")
    .addHelpCommand(
      new Command("help").argument("[command]").description("show the help of a command").helpGroup(tools),
    )
    .configureHelp({ subcommandTerm: termWithoutOptions })
    // Commands made below inherit these.
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({ outputError: (text, write) => write(asSentence(text)) })
    .addHelpText("after", `\n${footer}`);

  program
    .command("init")
    .helpGroup(work)
    .argument("[folder]", "where the workspace is made (default: my-expserver)")
    .description("make a workspace with the first stage in it")
    .action(call(async () => (await import("./commands/init.ts")).init));

  program
    .command("read")
    .helpGroup(work)
    .argument(
      "[page]",
      "a stage: 1, tcp-server, … (default: the current one), a guide's name, or linux: the calls",
    )
    .option("--path", "print where the page's file is")
    .description("read a stage's lesson, a guide or the reference")
    .action(call(async () => (await import("./commands/read.ts")).read));

  program
    .command("grade")
    .helpGroup(work)
    .argument("[stages...]", "stages, phase-0 or all (default: the current stage)")
    .option(
      "--only <check>",
      "only this check and what it builds on; repeatable, or separated by commas",
      collectIds,
    )
    .option("--seed <seed>", "the random values of an earlier grading")
    .option("--bail", "stop after the first failed check")
    .option("--thorough", "also run the checks that are due at other stages only")
    .addOption(
      new Option(
        "--format <format>",
        "how the report is written (default: pretty in a terminal, else plain)",
      ).choices(["pretty", "plain", "json", "junit"]),
    )
    .option("--out <file>", "write the report to a file (format by its name, or --format)")
    .option("--target <folder>", "grade this folder; nothing is recorded")
    .option("--solution", "grade the reference solution instead; nothing is recorded")
    .option("--isolate", "grade in a private network, for programs whose ports are fixed")
    .option("--no-color", "no colours")
    .description("run the checks (status 0: all passed, 1: something failed, 2: could not grade)")
    .action(call(async () => (await import("./commands/grade.ts")).grade));

  program
    .command("next")
    .helpGroup(work)
    .option("--anyway", "go on with failing checks; that is recorded")
    .description("grade the stage and, when it is done, begin the next one")
    .action(call(async () => (await import("./commands/next.ts")).next));

  program
    .command("run")
    .helpGroup(work)
    .argument("<program>", "a program or its stage: tcp-server, 1, …")
    .argument("[args...]", "the program's own arguments")
    .passThroughOptions()
    .description("build and run one of your programs")
    .action(call(async () => (await import("./commands/run.ts")).run));

  program
    .command("hint")
    .helpGroup(help)
    .argument("[check]", "a check of the stage (default: the first that failed)")
    .option("--stage <stage>", "a stage other than the current one")
    .option("--all", "all hints of the check")
    .option("--level <number>", "the hint of this number")
    .description("show the next hint for a failed check")
    .action(call(async () => (await import("./commands/hint.ts")).hint));

  program
    .command("diff")
    .helpGroup(help)
    .argument("[stage]", "default: the current stage")
    .option("--yes", "show it although the stage is not done")
    .description("compare your files with the reference solution's")
    .action(call(async () => (await import("./commands/diff.ts")).diff));

  program
    .command("solution")
    .helpGroup(help)
    .argument("[stage]", "default: the current stage")
    .option("--file <path>", "print this file")
    .option("--out <folder>", "write the files to a new folder")
    .option("--yes", "show it although the stage is not done")
    .description("show the reference solution of a stage")
    .action(call(async () => (await import("./commands/solution.ts")).solution));

  program
    .command("status")
    .helpGroup(around)
    .option("--json", "as JSON")
    .description("show where you are, and your snapshots")
    .action(call(async () => (await import("./commands/status.ts")).status));

  program
    .command("list")
    .helpGroup(around)
    .argument("[stage]", "a stage whose checks are listed")
    .option("--json", "as JSON")
    .description("list the stages, or the checks of one")
    .action(call(async () => (await import("./commands/list.ts")).list));

  program
    .command("goto")
    .helpGroup(around)
    .argument("<stage>", "the stage to begin")
    .option(
      "--only <module>",
      "take only this module of the reference, such as core/loop; repeatable",
      collectIds,
    )
    .description("begin a stage from the reference of the stage before it")
    .action(call(async () => (await import("./commands/goto.ts")).goto));

  program
    .command("reset")
    .helpGroup(around)
    .option("--to <snapshot>", "put a snapshot back (a name from `status`, or latest)")
    .description("put the stage's skeleton back, or a snapshot")
    .action(call(async () => (await import("./commands/reset.ts")).reset));

  program
    .command("doctor")
    .helpGroup(tools)
    .option("--json", "as JSON")
    .description("look whether this machine has what the course needs")
    .action(call(async () => (await import("./commands/doctor.ts")).doctor));

  for (const command of [program, ...program.commands]) {
    const words = command === program ? "" : `${command.name()} `;
    command.showHelpAfterError(`Type: npx expserver-course ${words}--help`);
  }
  return program;
}

/** `grade [stages...]`: commander would write `[options]` into nearly every line. */
function termWithoutOptions(command: Command): string {
  const names = command.registeredArguments.map((argument) => {
    const name = argument.name() + (argument.variadic ? "..." : "");
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...names].join(" ");
}

/** commander's `error: unknown option '--x'` as a sentence of ours. */
function asSentence(text: string): string {
  const plain = text.replace(/^error: /, "");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/**
 * Runs a command line.
 * @returns the exit status
 * @throws UserError and whatever a command throws
 */
export async function runProgram(args: string[]): Promise<number> {
  let status = 0;
  const session = () => {
    const terminal = terminalSession();
    return args[0] === "grade" && args.includes("--no-color") ? { ...terminal, color: false } : terminal;
  };
  const program = buildProgram(session, (result) => {
    status = result;
  });
  if (args.length === 0 || (args.length === 1 && args[0] === "help")) {
    program.outputHelp();
    return 0;
  }
  try {
    // `help grad` is answered like `grad`: with the name that was meant.
    const isMistyped = args[0] === "help" && !program.commands.some((command) => command.name() === args[1]);
    await program.parseAsync(isMistyped ? args.slice(1) : args, { from: "user" });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has said what there is to say; help and version end with status 0.
    return error.exitCode === 0 ? 0 : 2;
  }
}

const footer = `Begin with:  npx expserver-course init
Go on with:  npx expserver-course next`;
