import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { packageRoot } from "../stages/package-root.ts";
import type { Stage } from "../stages/stage.ts";
import { bundle, type ForbiddenImport } from "./bundle.ts";
import type { Course } from "./course.ts";
import { KeptOutput } from "./engine/kept-output.ts";
import { endMarked, markName } from "./engine/leftovers.ts";
import { describeExit, type Exit } from "./engine/program.ts";

/** A program that is ready to run, or the reason why not. */
export type BuiltProgram = {
  ok: boolean;
  /** What the compiler or the build command said, when it failed. */
  log?: string;
  /** `typescript`: bundled by us; `other`: run as `course.json` says. */
  language: "typescript" | "other";
  /** TypeScript: the program and its first arguments. Other: a shell command with `{args}` and `{port}`. */
  command: string[];
  /** Whether the program takes its ports as arguments. */
  ports: Course["ports"];
  forbiddenImports: ForbiddenImport[];
};

const buildTimeLimitMs = 120_000;

/**
 * Runs the build command of `course.json` in the workspace. What it leaves in the background is ended.
 * @param env the environment, as programs get it
 * @param mark of its processes
 * @param signal ends it early
 * @returns its output, when it fails
 */
export async function runBuildCommand(
  target: string,
  command: string,
  env: NodeJS.ProcessEnv,
  mark: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const child = spawn("/bin/sh", ["-c", command], {
    cwd: target,
    env: { ...env, [markName]: mark },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = new KeptOutput();
  child.stdout.on("data", (bytes: Buffer) => output.add(bytes));
  child.stderr.on("data", (bytes: Buffer) => output.add(bytes));
  const endAll = () => void endMarked(mark);
  signal?.addEventListener("abort", endAll, { once: true });
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    endAll();
  }, buildTimeLimitMs);
  const exit = await new Promise<Exit>((resolve) => {
    child.once("error", (error) => {
      output.add(Buffer.from(error.message));
      resolve({ code: 127, signal: null });
    });
    child.once("exit", (code, name) => resolve({ code, signal: name }));
  });
  clearTimeout(limit);
  signal?.removeEventListener("abort", endAll);
  endAll();
  await output.settled();
  // A process that threw its mark away may still hold the pipes.
  child.stdout.destroy();
  child.stderr.destroy();
  if (exit.code === 0) return undefined;
  const last = late ? `stopped after ${buildTimeLimitMs / 1000} s` : `the command ${describeExit(exit)}`;
  return [`$ ${command}`, output.text().trim(), last].filter(Boolean).join("\n");
}

/**
 * Makes a stage's program ready to run.
 * @param target the workspace
 * @param folder where the bundle goes; it must resolve the workspace's packages, so below the workspace
 */
export async function buildProgram(
  target: string,
  stage: Stage,
  course: Course,
  folder: string,
): Promise<BuiltProgram> {
  const { name, entry } = stage.program;
  const command = course.run[name];
  if (command !== undefined) {
    return { ok: true, language: "other", command: [command], ports: course.ports, forbiddenImports: [] };
  }
  if (!existsSync(join(target, entry))) {
    return {
      ok: false,
      log: `${entry} does not exist. \`npx expserver-course next\` brings a stage's files when the stage before is done; \`npx expserver-course goto ${stage.number}\` starts this stage at once.`,
      language: "typescript",
      command: [],
      ports: "argument",
      forbiddenImports: [],
    };
  }
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${name}.mjs`);
  const { log, forbiddenImports } = await bundle(target, { file: entry }, outfile);
  return {
    ok: log === undefined,
    log,
    language: "typescript",
    command: log === undefined ? nodeCommand(outfile) : [],
    ports: "argument",
    forbiddenImports,
  };
}

/** The command that runs a bundle. */
export function nodeCommand(file: string): string[] {
  return [process.execPath, "--enable-source-maps", file];
}

/**
 * The environment for a stage's program. Node reads every certificate of NODE_EXTRA_CA_CERTS each time it starts, which
 * can take it as long as all the rest of its start; only `node:tls` asks for them, which no program of ours may use.
 */
export function programEnvironment(
  { language }: Pick<BuiltProgram, "language">,
  env: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  if (language === "other") return env;
  const { NODE_EXTRA_CA_CERTS: _certificates, ...rest } = env;
  return rest;
}

/**
 * The command that runs a built program with arguments.
 * @param args the program's arguments; the first port stands for `{port}` in a command of `course.json`
 */
export function programCommand(program: BuiltProgram, args: string[]): string[] {
  if (program.language === "typescript") return [...program.command, ...args];
  const quoted = args.map((arg) => `'${arg.replaceAll("'", "'\\''")}'`);
  const line = program.command[0]!.replaceAll("{args}", quoted.join(" ")).replaceAll("{port}", args[0] ?? "");
  // A plain command takes the shell's place, so that signals and the exit status are the program's own.
  if (/[;&|\n]|^\s*[({!]/.test(line)) return ["/bin/sh", "-c", line];
  // exec takes a leading assignment for the command's name; env does not.
  return ["/bin/sh", "-c", /^\s*\w+=/.test(line) ? `exec env ${line}` : `exec ${line}`];
}

/**
 * Type errors of a workspace as `src/x.ts:12: text`. They are advice: a program that runs is graded, and
 * where they can't be looked for (no compiler, no settings, a cancelled run) there are none.
 * @param folder for a settings file that lets `expserver-course` and Node's types resolve anywhere
 * @param mark of the compiler's processes: to end the first one leaves the second
 * @param signal ends the search
 */
export async function findTypeErrors(
  target: string,
  folder: string,
  mark: string,
  signal?: AbortSignal,
): Promise<string[]> {
  try {
    const output = await runTypeCheck(target, folder, mark, signal);
    const errors = [...output.matchAll(/^([^\s(][^(\n]*)\((\d+),\d+\): error TS\d+: (.*)$/gm)].map(
      ([, file, line, text]) => `${file}:${line}: ${text}`,
    );
    return [...new Set(errors)]; // one line may have the same error several times
  } catch {
    return [];
  }
}

/** What `tsc` prints about a workspace. */
async function runTypeCheck(
  target: string,
  folder: string,
  mark: string,
  signal?: AbortSignal,
): Promise<string> {
  const settings = join(target, "tsconfig.json");
  if (!existsSync(settings)) return "";
  const require = createRequire(import.meta.url);
  const types = dirname(dirname(require.resolve("@types/node/package.json")));
  const project = join(folder, "tsconfig.json");
  writeFileSync(
    project,
    JSON.stringify({
      extends: settings,
      compilerOptions: {
        noEmit: true,
        typeRoots: [types],
        types: ["node"],
        paths: {
          "expserver-course/*": [join(packageRoot, "dist", "linux", "*.d.ts")],
          "expserver-course/linux": [join(packageRoot, "dist", "linux", "index.d.ts")],
        },
      },
      include: [join(target, "src")],
    }),
  );
  const [file, ...first] = await typeCheckCommand(dirname(require.resolve("typescript/package.json")));
  return promisify(execFile)(file, [...first, "--pretty", "false", "-p", project], {
    cwd: target,
    env: { ...process.env, [markName]: mark },
    signal,
    timeout: buildTimeLimitMs,
    maxBuffer: 16 * 1024 * 1024,
  }).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? "", // it ends with status 2 where it finds errors
  );
}

/**
 * What runs TypeScript's compiler: its executable, without the Node program before it that only looks for it; where
 * this TypeScript has none, that program.
 * @param root the folder of the package `typescript`
 */
async function typeCheckCommand(root: string): Promise<[file: string, ...args: string[]]> {
  try {
    const { default: getExePath } = await import(pathToFileURL(join(root, "lib", "getExePath.js")).href);
    return [getExePath()];
  } catch {
    return [process.execPath, join(root, "bin", "tsc")];
  }
}
