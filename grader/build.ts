import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../stages/package-root.ts";
import type { Stage } from "../stages/stage.ts";
import type { Course } from "./course.ts";

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
        setup({ onResolve }) {
          onResolve({ filter: /^expserver-course\/(linux|zod)$/ }, ({ path }) => ({
            path: join(packageRoot, "dist", "linux", path.endsWith("zod") ? "zod.js" : "index.js"),
            external: true,
          }));
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
  }).catch((error: unknown) => error as { errors?: Parameters<typeof formatMessages>[0]; message: string });
  const base = { language: "typescript" as const, ports: "argument" as const, forbiddenImports };
  if (result.errors === undefined || result.errors.length > 0) {
    const log = result.errors
      ? (await formatMessages(result.errors, { kind: "error", color: false })).join("\n").trimEnd()
      : (result as { message: string }).message;
    return { ...base, ok: false, log, command: [] };
  }
  return { ...base, ok: true, command: [process.execPath, "--enable-source-maps", outfile] };
}

/** Runs the build command of `course.json` in the workspace. Returns its output when it fails. */
export async function runBuildCommand(target: string, command: string): Promise<string | undefined> {
  try {
    await promisify(execFile)("/bin/sh", ["-c", command], {
      cwd: target,
      timeout: buildTimeLimitMs,
      maxBuffer: 16 * 1024 * 1024,
    });
    return undefined;
  } catch (error) {
    const { stdout, stderr, killed } = error as { stdout: string; stderr: string; killed: boolean };
    const end = killed
      ? `stopped after ${buildTimeLimitMs / 1000} s`
      : (error as Error).message.split("\n")[0];
    return [`$ ${command}`, stdout.trim(), stderr.trim(), end].filter(Boolean).join("\n");
  }
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
  return ["/bin/sh", "-c", /[;&|\n]/.test(line) ? line : `exec ${line}`];
}

/**
 * Type errors of a workspace as `src/x.ts:12: text`. They are advice: a program that runs is graded, and
 * where they can't be looked for (no compiler, no settings, a cancelled run) there are none.
 * @param folder for a settings file that lets `expserver-course` and Node's types resolve anywhere
 */
export async function findTypeErrors(
  target: string,
  folder: string,
  signal?: AbortSignal,
): Promise<string[]> {
  try {
    const output = await runTypeCheck(target, folder, signal);
    return [...output.matchAll(/^([^\s(][^(\n]*)\((\d+),\d+\): error TS\d+: (.*)$/gm)].map(
      ([, file, line, text]) => `${file}:${line}: ${text}`,
    );
  } catch {
    return [];
  }
}

/** What `tsc` prints about a workspace. */
async function runTypeCheck(target: string, folder: string, signal?: AbortSignal): Promise<string> {
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
    signal,
    maxBuffer: 16 * 1024 * 1024,
  }).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? "", // it ends with status 2 where it finds errors
  );
}
