import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { compiled } from "../grader/engine/testing.ts";
import { packageRoot } from "../stages/package-root.ts";

const bin = compiled("cli/expserver-bin.js");
const example = join(packageRoot, "docs", "reference", "xps-config.example.json");

function run(...args: string[]) {
  return spawnSync(process.execPath, [bin, ...args], { encoding: "utf8", timeout: 30_000 });
}

/** A port that nobody has now. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

test("the schema that editors read is the finished server's", () => {
  const published = readFileSync(join(packageRoot, "docs", "reference", "xps-config.schema.json"), "utf8");
  const { stdout, status } = run("--schema");
  expect(status).toBe(0);
  expect(JSON.parse(published), "out of date: npm run schema").toEqual(JSON.parse(stdout));
});

test("the documentation names every key of the schema", () => {
  const keys = new Set<string>();
  const collect = (node: { properties?: object }): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      keys.add(key);
      collect(child);
    }
    for (const inner of Object.values(node)) if (typeof inner === "object" && inner !== null) collect(inner);
  };
  collect(JSON.parse(run("--schema").stdout));
  const page = readFileSync(join(packageRoot, "docs", "reference", "configuration.md"), "utf8");
  expect([...keys].filter((key) => !page.includes(`\`${key}\``))).toEqual([]);
});

test("the documentation's example is a good configuration, as far as its folders are there", () => {
  const { stderr } = run("--check", example);
  expect(stderr.split("\n").filter((line) => line !== "" && !line.includes(".dir_path: open"))).toEqual([]);
});

test("wrong arguments end it with status 2 and its usage", () => {
  for (const args of [[], ["--no-such"], ["a", "b"]]) {
    const { status, stderr } = run(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^expserver: .*; usage: expserver \[--check\] <config\.json>.*\n$/);
  }
});

test("it serves what its configuration describes, until SIGTERM", async () => {
  const folder = mkdtempSync(join(tmpdir(), "expserver-bin-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const port = await freePort();
  const routes = [{ req_path: "/", type: "file_serve", dir_path: "." }];
  const servers = [{ listeners: [{ host: "127.0.0.1", port }], routes }];
  writeFileSync(join(folder, "xps.json"), JSON.stringify({ servers }));

  const server = spawn(process.execPath, [bin, join(folder, "xps.json")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void server.kill("SIGKILL"));
  const ended = new Promise((resolve) => server.once("exit", resolve));
  await new Promise((resolve) => server.stdout.once("data", resolve));
  const answer = await fetch(`http://127.0.0.1:${port}/xps.json`);
  expect(await answer.json()).toEqual({ servers });
  server.kill("SIGTERM");
  expect(await ended).toBe(0);
}, 30_000);
