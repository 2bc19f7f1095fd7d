import { isBuiltin } from "node:module";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../stages/package-root.ts";
import { UserError } from "./user-error.ts";

/** An import of a module that would do the stage's work: `node:net` in `src/x.ts`, or in a package. */
export type ForbiddenImport = { module: string; importer: string };

/** Where a bundle begins: a file, or a text that imports what it needs. */
export type Entry = { file: string } | { text: string };

/** What came of bundling. */
export type Bundle = {
  /** What the compiler said; `undefined` when there is a bundle. */
  log?: string;
  forbiddenImports: ForbiddenImport[];
};

/** Node's modules that do what the course teaches. */
const forbiddenModules = new Set(
  ["net", "http", "https", "http2", "tls", "dgram", "cluster"].flatMap((name) => [name, `node:${name}`]),
);

const compilerTrouble = (message: string) =>
  `The compiler, esbuild, did not work (${message.split("\n")[0]}). Install the course again, with optional dependencies: npm install`;

/** The package name of a file below `node_modules`, or `undefined` for a file of the learner's. */
function packageOf(file: string): string | undefined {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

/**
 * Bundles a TypeScript program into one file, so that it starts fast. Source maps are on, so that a
 * stack trace names the learner's lines. `expserver-course/…` stays outside and is always this package.
 * @param target the workspace
 * @param outfile it must resolve the workspace's packages, so below the workspace
 * @param resolve gives the file of a specifier that is no path
 */
export async function bundle(
  target: string,
  entry: Entry,
  outfile: string,
  resolve: (path: string) => string | undefined = () => undefined,
): Promise<Bundle> {
  const { build, formatMessages } = await import("esbuild");
  const forbiddenImports: ForbiddenImport[] = [];
  const result = await build({
    absWorkingDir: target,
    ...("file" in entry
      ? { entryPoints: [entry.file] }
      : { stdin: { contents: entry.text, resolveDir: target } }),
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
            const file = resolve(path);
            if (file !== undefined) return { path: file };
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
  if (result.errors.length === 0) return { forbiddenImports };
  const log = (await formatMessages(result.errors, { kind: "error", color: false })).join("\n").trimEnd();
  return { log, forbiddenImports };
}

/** Ends the compiler's helper process. */
export async function stopBuilder(): Promise<void> {
  const { stop } = await import("esbuild");
  await stop();
}
