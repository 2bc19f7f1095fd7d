/** The packed package, used as its users use it: in an empty folder, in a terminal, without a network. */
import { execFile, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { spawn } from "@lydell/node-pty";
import { packageRoot } from "../stages/package-root.ts";
import { allStages, type Stage } from "../stages/stage.ts";
import { addedFiles, solutionFiles, writeTree } from "../stages/tree.ts";
import { type Claim, Skipped } from "./claims.ts";

const run = promisify(execFile);

/** `nobody` on every Linux. */
const ordinaryUser = 65534;

/** Settings under which npm and npx cannot reach a registry. */
const offline = { npm_config_offline: "true", npm_config_registry: "http://127.0.0.1:9/" };

type Shell = (command: string) => Promise<{ status: number; screen: string }>;

/** Runs shell commands in a terminal of 80 columns and 24 lines. */
function terminalIn(cwd: string, env: NodeJS.ProcessEnv, prefix: string[] = []): Shell {
  return (command) =>
    new Promise((resolve) => {
      const [file, ...args] = [...prefix, "/bin/sh", "-c", command];
      const terminal = spawn(file!, args, { name: "xterm-256color", cols: 80, rows: 24, cwd, env });
      let screen = "";
      terminal.onData((text) => {
        screen += text;
      });
      terminal.onExit(({ exitCode }) => resolve({ status: exitCode, screen }));
    });
}

/** Runs a command that must end with a status, and whose screen must hold a text. */
async function expectCommand(
  shell: Shell,
  command: string,
  status: number,
  text: string | RegExp,
): Promise<string> {
  const result = await shell(command);
  const found = typeof text === "string" ? result.screen.includes(text) : text.test(result.screen);
  if (result.status === status && found) return result.screen;
  throw new Error(
    `${command}\nended with ${result.status}, not ${status}, or does not say ${text}:\n${result.screen}`,
  );
}

/** Who takes the course where, and how. */
type Learner = { name: string; folder: string; env: NodeJS.ProcessEnv; prefix: string[] };

/**
 * A learner's way through some stages: the finished program passes, and `next` brings the next stage. Of all
 * commands only `next` is used, which grades: the proof grades the untouched skeletons.
 */
function tour({ name, folder, env, prefix }: Learner, stages: Stage[]): Claim[] {
  const workspace = join(folder, "my server");
  const shell = terminalIn(workspace, env, prefix);
  return stages.map((stage) => ({
    title: `package: ${name} gets through stage ${stage.number}: the reference passes every check, next goes on`,
    async prove() {
      writeTree(addedFiles(stage), workspace);
      for (const { path, source } of solutionFiles(stage)) {
        if (!readFileSync(join(workspace, path)).equals(readFileSync(source)))
          throw new Error(`${path} is not the reference's: next changed it`);
      }
      await expectCommand(shell, "npx expserver-course next", 0, /: done\./);
      const done = `${stage.number + 1} of ${allStages().length}`;
      await expectCommand(shell, "cd src && npx expserver-course status", 0, done);
    },
  }));
}

/**
 * The first steps, with all commands of a learner's day: the untouched skeleton fails and does not let on,
 * the finished program passes, `next` brings the next stage.
 */
async function takeFirstSteps({ folder, env, prefix }: Learner, stages: Stage[]): Promise<void> {
  const workspace = join(folder, "my server");
  await expectCommand(terminalIn(folder, env, prefix), 'npx expserver-course init "my server"', 0, "Stage 0");
  const shell = terminalIn(workspace, env, prefix);
  for (const stage of stages) {
    await expectCommand(shell, "npx expserver-course grade", 1, `grade ${stage.number} --only`);
    await expectCommand(shell, "npx expserver-course hint", 0, /\w/);
    await expectCommand(shell, "npx expserver-course next", 1, /hint/);
    writeTree(addedFiles(stage), workspace);
    await expectCommand(shell, `npx grade stage-${stage.number}`, 0, "passed");
    await expectCommand(shell, "npx expserver-course next", 0, /\w/);
  }
  // npm itself may warn on the terminal, in colour.
  const piped = await expectCommand(shell, "npx expserver-course grade 0 2>/dev/null | cat", 0, "passed");
  if (piped.includes("\x1b")) throw new Error(`colours reach a pipe:\n${piped}`);
}

/** All claims about the package. They build on each other, so they run in order. */
export function packageClaims(): Claim[] {
  const folder = mkdtempSync(join(tmpdir(), "expserver package "));
  const home = join(folder, "home");
  const installed = join(folder, "empty folder");
  const temporary = join(folder, "tmp");
  const env = { ...process.env, HOME: home, TMPDIR: temporary, CI: "", ...offline };
  /** Without it npm installs into the next folder above that has packages, should the temporary one have some. */
  const here = ["--prefix", installed];
  let tarball = "";
  const isRoot = process.getuid!() === 0;
  const firstStages = allStages().slice(0, 2);
  const self: Learner = { name: "a learner", folder: installed, env, prefix: [] };
  const ordinary: Learner = {
    name: "an ordinary user",
    folder: join(folder, "ordinary user"),
    env: { ...env, USER: "nobody", LOGNAME: "nobody" },
    prefix: ["setpriv", `--reuid=${ordinaryUser}`, `--regid=${ordinaryUser}`, "--clear-groups"],
  };

  /** Where the tests run as root, the whole course is taken as somebody else. */
  const moveToOrdinaryUser: Claim = {
    title: "package: an ordinary user begins the course, and is not let on with an untouched skeleton",
    async prove() {
      const withoutTool = spawnSync("setpriv", ["--version"]).status !== 0;
      if (withoutTool) ordinary.prefix.length = 0; // the tour proves the references all the same
      mkdirSync(ordinary.folder);
      cpSync(join(installed, "node_modules"), join(ordinary.folder, "node_modules"), {
        recursive: true,
        verbatimSymlinks: true,
      });
      chmodSync(folder, 0o755);
      for (const each of withoutTool ? [] : [ordinary.folder, home, temporary]) {
        chmodSync(each, 0o755);
        chownSync(each, ordinaryUser, ordinaryUser);
      }
      const shell = terminalIn(ordinary.folder, ordinary.env, ordinary.prefix);
      await expectCommand(shell, 'npx expserver-course init "my server"', 0, "Stage 0");
      const workspace = join(ordinary.folder, "my server");
      const inside = terminalIn(workspace, ordinary.env, ordinary.prefix);
      await expectCommand(inside, "npx expserver-course grade", 1, "grade 0 --only");
      await expectCommand(inside, "npx expserver-course next", 1, /hint/);
      if (withoutTool) throw new Skipped("setpriv is not installed: root takes the course instead");
    },
  };

  return [
    {
      title: "package: the tarball holds what users need, and no tests",
      async prove() {
        for (const each of [home, installed, temporary]) mkdirSync(each);
        const { stdout } = await run(
          "npm",
          ["pack", "--ignore-scripts", "--json", "--pack-destination", folder],
          {
            cwd: packageRoot,
          },
        );
        const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
        tarball = join(folder, packed.filename);
        const paths = packed.files.map(({ path }) => path);
        for (const needed of [
          "dist/cli/main.js",
          "dist/expserver/main.js",
          "dist/linux/index.d.ts",
          "dist/stages/trees.json",
          "README.md",
          "LICENSE",
        ]) {
          if (!paths.includes(needed)) throw new Error(`${needed} is missing`);
        }
        const surplus = paths.filter((path) =>
          /\.test\.|^dist\/tests|mutants|\.map$|^node_modules/.test(path),
        );
        if (surplus.length > 0) throw new Error(`should not be in it: ${surplus.join(", ")}`);
      },
    },
    {
      title: "package: installs with --ignore-scripts in an empty folder",
      async prove() {
        await run(
          "npm",
          ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", ...here, tarball],
          {
            cwd: installed,
          },
        );
        const { stdout } = await run("npx", ["expserver-course", "--version"], { cwd: installed, env });
        const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
        if (stdout.trim() !== version) throw new Error(`--version says ${stdout}`);
      },
    },
    {
      title: "package: the command expserver looks at a configuration, and prints the schema of its own",
      async prove() {
        const servers = [
          {
            listeners: [{ host: "127.0.0.1", port: 8001 }],
            routes: [{ req_path: "/", type: "file_serve", dir_path: "." }],
          },
        ];
        writeFileSync(join(installed, "xps.json"), JSON.stringify({ servers }));
        const { stdout } = await run("npx", ["expserver", "--check", "xps.json"], { cwd: installed, env });
        if (stdout.trim() !== "xps.json is good") throw new Error(`--check says ${stdout}`);
        const schema = await run("npx", ["expserver", "--schema"], { cwd: installed, env });
        if (!("properties" in JSON.parse(schema.stdout))) throw new Error(`--schema prints ${schema.stdout}`);
      },
    },
    {
      title: "package: a learner gets through the first stages, without a network, in a path with spaces",
      prove: () => takeFirstSteps(self, firstStages),
    },
    ...(isRoot ? [moveToOrdinaryUser] : []),
    ...tour(isRoot ? ordinary : self, isRoot ? allStages() : allStages().slice(firstStages.length)),
    {
      title: "package: npm install in the workspace puts the package in the place of the link",
      async prove() {
        const workspace = join(installed, "my server");
        await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], {
          cwd: workspace,
        });
        rmSync(join(installed, "node_modules"), { recursive: true });
        await expectCommand(terminalIn(workspace, env), "npx expserver-course grade 0", 0, "passed");
      },
    },
    {
      title: "package: nothing of all this is left in the temporary folder",
      async prove() {
        const left = readdirSync(temporary, { recursive: true, encoding: "utf8" });
        rmSync(folder, { recursive: true, force: true });
        // The folder in which gradings note themselves may stay; it has to be empty.
        const runs = left.filter((name) => name.includes("/") || !name.startsWith("expserver-course-"));
        if (runs.length > 0) throw new Error(runs.join("\n"));
        if (existsSync(folder)) throw new Error(`${folder} could not be removed`);
      },
    },
  ];
}
