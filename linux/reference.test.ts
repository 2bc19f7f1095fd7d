import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as linux from "./index.ts";
import { program } from "./test-programs.ts";

const text = readFileSync(new URL("../docs/reference/linux.md", import.meta.url), "utf8");
const examples = [...text.matchAll(/^## (.+)$|^```ts\n([\s\S]*?)^```$/gm)].reduce<[string, string][]>(
  (found, [, heading, code]) => {
    if (heading !== undefined) found.push([heading, ""]);
    else if (found.length > 0) found.at(-1)![1] += code;
    return found;
  },
  [],
);

describe("the reference", () => {
  it.each(examples.filter(([, code]) => code !== ""))(
    "has an example of %s that prints what it says",
    (_, code) => {
      const file = program(code.replaceAll("expserver-course/linux", "./index.ts"));
      const expected = [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line]) => `${line}\n`).join("");
      expect(expected).not.toBe("");
      expect(execFileSync(process.execPath, [file], { encoding: "utf8" })).toBe(expected);
    },
  );

  it("names every function and class that the package exports", () => {
    const exported = Object.entries(linux).filter(([, value]) => typeof value === "function");
    expect(exported.length).toBeGreaterThan(50);
    expect(exported.map(([name]) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual(
      [],
    );
  });

  it("names no call that does not exist", () => {
    const named = [...text.matchAll(/^\| `(\w+)\(/gm)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !(name in linux))).toEqual([]);
  });
});
