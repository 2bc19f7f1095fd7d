import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { onTestFinished } from "vitest";

const here = dirname(fileURLToPath(import.meta.url));

/** An empty folder that is removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "expserver-linux-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/**
 * A program that the test can start as a process of its own.
 * @param source TypeScript; `./index.ts` is the module under test
 * @returns the file to give to `node`
 */
export function program(source: string): string {
  const folder = temporaryFolder();
  const outfile = join(folder, "program.mjs");
  buildSync({
    stdin: { contents: source, resolveDir: here, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["koffi"],
    outfile,
    logLevel: "silent",
  });
  symlinkSync(join(here, "../node_modules"), join(folder, "node_modules"));
  return outfile;
}
