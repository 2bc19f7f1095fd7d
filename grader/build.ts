import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { packageRoot } from "../stages/package-root.ts";
import type { Stage } from "../stages/stage.ts";
import type { Course } from "./course.ts";
import { KeptOutput } from "./engine/kept-output.ts";
import { endMarked, markName } from "./engine/leftovers.ts";
import { describeExit, type Exit } from "./engine/program.ts";
import { UserError } from "./user-error.ts";

/** An import of a module that would do the stage's work: `node:net` in `src/x.ts`, or in a package. */
export type ForbiddenImport = { module: string; importer: string };

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

/** Node's modules that do what the course teaches. */
const forbiddenModules = new Set(
  ["net", "http", "https", "http2", "tls", "dgram", "cluster"].flatMap((name) => [name, `node:${name}`]),
);

const buildTimeLimitMs = 120_000;

const compilerTrouble = (message: string) =>
  `The compiler, esbuild, did not work (${message.split("\n")[0]}). Install the course again, with optional dependencies: npm install`;

/** The package name of a file below `node_modules`, or `undefined` for a file of the learner's. */
function packageOf(file: string): string | undefined {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

/**
 * Bundles a TypeScript program into one file, so that it starts fast. Source maps are on, so that a
 * stack trace names the learner's lines. `expserver-course/…` stays outside and is always this package.
 */
async function bundle(target: string, entry: string, outfile: string): Promise<BuiltProgram> {
  const { build, formatMessages } = await import("esbuild");
  const forbiddenImports: ForbiddenImport[] = [];
  const result = await build({
    absWorkingDir: target,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "linked",
    logLevel: "silent",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    plugins: [
      {
        name: "imports",
        setup({ onResolve, onLoad }) {
          // A stand-in that names every export, so that a misspelt import is an error here, with its line.
          onResolve({ filter: /^expserver-course\/(linux|zod)$/ }, ({ path }) => ({
            path,
            namespace: "package",
          }));
          onLoad({ filter: /.*/, namespace: "package" }, async ({ path }) => {
            const file = path.endsWith("zod") ? "zod.js" : "index.js";
            // A URL, as a folder's name may hold what an import takes for the end of a path.
            const url = pathToFileURL(join(packageRoot, "dist", "linux", file)).href;
            const names = Object.keys(await import(url));
            return { contents: `export { ${names.join(", ")} } from ${JSON.stringify(url)};` };
          });
          onResolve({ filter: /^file:/, namespace: "package" }, ({ path }) => ({ path, external: true }));
          onResolve({ filter: /\.node$/ }, ({ path }) => ({ path, external: true }));
          onResolve({ filter: /.*/ }, ({ path, importer }) => {
            if (!isBuiltin(path)) return undefined;
            if (forbiddenModules.has(path)) {
              const from = packageOf(importer);
              forbiddenImports.push({
                module: path.replace(/^(?!node:)/, "node:"),
                importer: from === undefined ? relative(target, importer) : `the package ${from}`,
              });
            }
            return { path, external: true };
          });
        },
      },
    ],
  }).catch((error: unknown) => error as Error & { errors?: Parameters<typeof formatMessages>[0] });
  if (result.errors === undefined) throw new UserError(compilerTrouble((result as Error).message));
  const base = { language: "typescript" as const, ports: "argument" as const, forbiddenImports };
  if (result.errors.length > 0) {
    const log = (await formatMessages(result.errors, { kind: "error", color: false })).join("\n").trimEnd();
    return { ...base, ok: false, log, command: [] };
  }
  return { ...base, ok: true, command: [process.execPath, "--enable-source-maps", outfile] };
}

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
  return bundle(target, entry, join(folder, `${name}.mjs`));
}

/** Ends the compiler's helper process. */
export async function stopBuilder(): Promise<void> {
  const { stop } = await import("esbuild");
  await stop();
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
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  return promisify(execFile)(process.execPath, [tsc, "--pretty", "false", "-p", project], {
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
