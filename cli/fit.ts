import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { type Course, moduleName } from "../grader/course.ts";
import { allStages, type Stage } from "../stages/stage.ts";
import { skeletonFiles, workspaceFiles, writeTree } from "../stages/tree.ts";

/** Something that a new skeleton relies on and the learner's tree does not have. */
export type Misfit =
  | { kind: "file"; file: string; neededBy: string }
  | { kind: "export"; file: string; name: string; neededBy: string }
  /** What the compiler says about the skeleton itself, as `src/x.ts:12: text`. */
  | { kind: "type"; text: string };

/** A module that a skeleton imports, as a path in the workspace, and what it must export. */
type Need = { file: string; exports: string[]; neededBy: string };

/** The contracts of earlier stages that the skeleton's imports touch. */
function needsOf(stage: Stage, stages: Stage[]): Need[] {
  const contracts = stages
    .filter(({ number }) => number < stage.number)
    .flatMap(({ contracts }) => contracts);
  return skeletonFiles(stage)
    .filter(({ path }) => path.endsWith(".ts"))
    .flatMap(({ path, source }) => {
      const specifiers = [...readFileSync(source, "utf8").matchAll(/\bfrom\s+"(\.{1,2}\/[^"]+)"/g)];
      return specifiers.flatMap(([, specifier]) => {
        const file = posix.join(posix.dirname(path), specifier!);
        return contracts
          .filter((contract) => contract.file === file)
          .map((contract) => ({ ...contract, neededBy: path }));
      });
    });
}

/** The file that stands for a module's file in a workspace. */
function mappedFile(course: Course, file: string): string {
  return course.modules[moduleName(file)] ?? file;
}

function runTsc(folder: string): Promise<string> {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const args = [tsc, "--pretty", "false", "-p", "tsconfig.fit.json"];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 1 << 24 }, (_error, stdout) =>
      resolve(stdout),
    );
  });
}

/** A module that compiles only when every needed export exists; one line for each need. */
function probeSource(needs: Need[], course: Course): string {
  return needs
    .map(({ file, exports }, index) => {
      const names = exports.map((name) => `${name} as ${name}_${index}`).join(", ");
      return `export type { ${names} } from "./${mappedFile(course, file)}";\n`;
    })
    .join("");
}

/**
 * Type-checks a stage's skeleton against the learner's tree, in a copy, before it comes into the
 * workspace: what it needs from earlier stages and does not find.
 * @param stages the course; a parameter for tests
 */
export async function findMisfits(
  workspace: string,
  course: Course,
  stage: Stage,
  stages = allStages(),
): Promise<Misfit[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "expserver-fit-")));
  try {
    if (existsSync(join(workspace, "src")))
      cpSync(join(workspace, "src"), join(folder, "src"), { recursive: true });
    writeTree(
      [
        ...workspaceFiles().filter(({ path }) => path === "tsconfig.json" || path === "package.json"),
        ...skeletonFiles(stage),
      ],
      folder,
    );
    symlinkSync(join(workspace, "node_modules"), join(folder, "node_modules"));
    const needs = needsOf(stage, stages);
    const skeletons = skeletonFiles(stage)
      .map(({ path }) => path)
      .filter((path) => path.endsWith(".ts"));
    writeFileSync(join(folder, "needs.ts"), probeSource(needs, course));
    const settings = { extends: "./tsconfig.json", include: [], files: [...skeletons, "needs.ts"] };
    writeFileSync(join(folder, "tsconfig.fit.json"), JSON.stringify(settings));
    return readMisfits(await runTsc(folder), needs, skeletons);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `file(line,column): error TS1234: text`, as tsc prints it without colours. */
const errorLine = /^([^\s(][^(\n]*)\((\d+),\d+\): error TS(\d+): (.*)$/gm;

function readMisfits(output: string, needs: Need[], skeletons: string[]): Misfit[] {
  const misfits = new Map<string, Misfit>();
  const errors = [...output.matchAll(errorLine)].map(([, file, line, code, text]) => {
    return { file: file!, line: Number(line), code: Number(code), text: text! };
  });
  for (const { file, line, code, text } of errors.filter((error) => error.file === "needs.ts")) {
    const { neededBy, ...need } = needs[line - 1]!;
    const name = need.exports.find((each) => text.includes(`'${each}'`));
    const misfit: Misfit =
      code === 2307 || name === undefined
        ? { kind: "file", file: need.file, neededBy }
        : { kind: "export", file: need.file, name, neededBy };
    misfits.set(`${misfit.file} ${file} ${name ?? ""}`, misfit);
  }
  // The skeleton's own errors would say the same again in the compiler's words.
  if (misfits.size > 0) return [...misfits.values()];
  return errors
    .filter(({ file }) => skeletons.includes(file))
    .map(({ file, line, text }) => ({ kind: "type", text: `${file}:${line}: ${text}` }));
}

/** What to tell a learner whose tree a skeleton does not fit, and the ways to bridge it. */
export function explainMisfits(stage: Stage, misfits: Misfit[]): string[] {
  const lines = misfits.map((misfit) => {
    if (misfit.kind === "type") return `  ${misfit.text}`;
    const what =
      misfit.kind === "file" ? `the file ${misfit.file}` : `the export ${misfit.name} of ${misfit.file}`;
    return `  ${misfit.neededBy} needs ${what}, which your workspace does not have.`;
  });
  const missing = misfits.find((misfit) => misfit.kind !== "type")?.file;
  const heading = `The skeleton of stage ${stage.number} does not fit your sources yet:`;
  if (missing === undefined) return [heading, ...lines, "  Your program runs anyway; mend these as you go."];
  const module = moduleName(missing);
  return [
    heading,
    ...lines,
    "Bridge it in one of these ways:",
    `  - write ${missing} as an adapter that exports these names from the file where you have them;`,
    `  - for the grader: name your own file in course.json, "modules": { "${module}": "src/your-file.ts" };`,
    `  - take that module from the reference (a snapshot is kept): npx expserver-course goto ${stage.number} --only ${module}`,
  ];
}
