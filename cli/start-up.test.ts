import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../stages/package-root.ts";

/** The modules that a module imports when it is loaded: no types, and nothing that waits for a command. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, "utf8");
  return [...source.matchAll(/^import (?!type\b)(?:[^;]*? from )?"([^"]+)";/gms)].map(([, name]) => name!);
}

/** Everything that is loaded before a command is known. */
function loadedAtStart(): Set<string> {
  const seen = new Set<string>();
  // start.ts loads program.ts itself, after it has looked at the platform.
  const open = ["main.ts", "program.ts"].map((name) => join(packageRoot, "cli", name));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const name of importsOf(file)) {
      const module = name.startsWith(".") ? join(dirname(file), name) : name;
      if (seen.has(module)) continue;
      seen.add(module);
      if (name.startsWith(".")) open.push(module);
    }
  }
  return seen;
}

test("help loads commander and nothing else that takes time", () => {
  const packages = [...loadedAtStart()].filter((name) => !name.startsWith("/") && !name.startsWith("node:"));
  expect(packages).toEqual(["commander"]);
});

test("what speaks of the wrong system loads nothing that could fail there", () => {
  expect(importsOf(join(packageRoot, "cli", "platform.ts"))).toEqual([]);
  expect(importsOf(join(packageRoot, "cli", "start.ts"))).toEqual([
    "node:os",
    "../grader/user-error.ts",
    "./platform.ts",
  ]);
});
