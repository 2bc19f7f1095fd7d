import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { compiled } from "./engine/testing.ts";
import { GradingProcess, workspace } from "./grading-process.ts";
import { gradeRecord } from "./record.ts";

const refused = spawnSync("unshare", ["--map-root-user", "--net", "true"]).status !== 0;

test.skipIf(refused)(
  "--isolate gives programs with fixed ports a network of their own (needs unshare)",
  async () => {
    const busy = createServer();
    const free = await new Promise<boolean>((resolve) => {
      busy.once("error", () => resolve(true)); // somebody else has it: as good
      busy.listen(8080, "0.0.0.0", () => resolve(true));
    });
    expect(free).toBe(true);
    const server = `require("net").createServer().listen(8080, "0.0.0.0", () => console.log("listening on 0.0.0.0:8080"))`;
    const target = workspace({
      "program.cjs": server,
      "course.json": { run: { "tcp-server": `'${process.execPath}' program.cjs` }, ports: "fixed" },
    });
    const args = [
      compiled("cli/main.js"),
      "grade",
      "1",
      "--target",
      target,
      "--only",
      "announces",
      "--format",
      "json",
    ];
    const grading = new GradingProcess(target, { command: args.concat("--isolate") });
    expect(await grading.ended()).toEqual({ code: 0, signal: null });
    busy.close();
    const record = gradeRecord.parse(JSON.parse(grading.output));
    expect(record.stages[0]!.checks.map(({ id, outcome }) => `${id}: ${outcome}`)).toEqual([
      "builds: pass",
      "announces: pass",
    ]);
    expect(grading.leftovers()).toEqual([]);
  },
  60_000,
);
