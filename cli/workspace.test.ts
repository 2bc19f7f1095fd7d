import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../stages/package-root.ts";
import { contents, recordedSession, temporaryFolder, temporaryWorkspace } from "./testing.ts";
import { createWorkspace, findWorkspace, openWorkspace } from "./workspace.ts";

describe("making one", () => {
  test("brings settings, the first skeleton and the progress", () => {
    const folder = join(temporaryFolder(), "My Server 1");
    const { stage } = createWorkspace(folder);
    const files = Object.keys(contents(folder));
    expect(files).toEqual([
      ".expserver/state.json",
      ".gitignore",
      "AGENTS.md",
      "README.md",
      "course.json",
      "package.json",
      "src/phase-0/hello.ts",
      "tsconfig.json",
    ]);
    expect(stage.number).toBe(0);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    expect(manifest.name).toBe("my-server-1");
    expect(manifest.devDependencies["expserver-course"]).toMatch(/^\^\d/);
    expect(manifest.scripts).toMatchObject({
      grade: "expserver-course grade",
      next: "expserver-course next",
    });
  });

  test("links the package, the compiler and Node's types, so that nothing has to be installed", () => {
    const folder = temporaryWorkspace();
    const modules = join(folder, "node_modules");
    expect(realpathSync(join(modules, "expserver-course", "docs"))).toBe(
      realpathSync(join(packageRoot, "docs")),
    );
    expect(existsSync(join(modules, "@types", "node", "package.json"))).toBe(true);
    expect(existsSync(join(modules, ".bin", "tsc"))).toBe(true);
  });

  test("refuses a folder that has one of its files, and touches nothing", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "src/phase-0"), { recursive: true });
    writeFileSync(join(folder, "src/phase-0/hello.ts"), "mine");
    writeFileSync(join(folder, "package.json"), "{}");
    const before = contents(folder);
    expect(() => createWorkspace(folder)).toThrow(
      /already has package\.json, src\/phase-0\/hello\.ts, .*Choose another/s,
    );
    expect(contents(folder)).toEqual(before);
    expect(existsSync(join(folder, "node_modules"))).toBe(false);
  });

  test("refuses when a file or a dangling link stands where something is needed", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "src"), "a file");
    symlinkSync("nowhere", join(folder, "course.json"));
    expect(() => createWorkspace(folder)).toThrow("already has course.json, src,");
    expect(existsSync(join(folder, "nowhere"))).toBe(false);
  });

  test("keeps README, AGENTS and .gitignore of a fresh repository, and other files", () => {
    const folder = temporaryFolder();
    for (const name of ["README.md", ".gitignore", "LICENSE"]) writeFileSync(join(folder, name), name);
    const { kept } = createWorkspace(folder);
    expect(kept.sort()).toEqual([".gitignore", "README.md"]);
    expect(readFileSync(join(folder, "README.md"), "utf8")).toBe("README.md");
    expect(readFileSync(join(folder, "LICENSE"), "utf8")).toBe("LICENSE");
  });

  test("refuses to make one where or inside of which one is", () => {
    const folder = temporaryWorkspace();
    expect(() => createWorkspace(folder)).toThrow("is a workspace already");
    expect(() => createWorkspace(join(folder, "src", "x"))).toThrow("inside the workspace");
  });

  test("refuses a name that is a file", () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    expect(() => createWorkspace(file)).toThrow("is a file");
  });

  test("makes no second repository inside one", () => {
    const folder = temporaryFolder();
    const outer = createWorkspace(join(folder, "outer"));
    if (outer.git === "none") return; // a machine without git
    rmSync(join(outer.folder, ".expserver"), { recursive: true });
    rmSync(join(outer.folder, "course.json"));
    expect(createWorkspace(join(outer.folder, "inner")).git).toBe("inside another repository");
    expect(existsSync(join(outer.folder, "inner", ".git"))).toBe(false);
  });
});

describe("finding one", () => {
  test("works from any folder inside", () => {
    const folder = temporaryWorkspace();
    expect(findWorkspace(join(folder, "src", "phase-0"))).toBe(folder);
  });

  test("works when the progress file is gone", () => {
    const folder = temporaryWorkspace();
    rmSync(join(folder, ".expserver"), { recursive: true });
    expect(findWorkspace(folder)).toBe(folder);
  });

  test("outside says how to make one", () => {
    const session = recordedSession(temporaryFolder());
    expect(() => openWorkspace(session)).toThrow(/is not inside a workspace.*npx expserver-course init$/s);
  });

  test("mends links that lead nowhere, and leaves an installed package alone", () => {
    const folder = temporaryWorkspace();
    const installed = join(folder, "node_modules", "expserver-course");
    const docs = join(installed, "docs");
    rmSync(docs);
    symlinkSync(join(folder, "gone"), docs);
    openWorkspace(recordedSession(folder));
    expect(realpathSync(docs)).toBe(realpathSync(join(packageRoot, "docs")));

    rmSync(installed, { recursive: true });
    symlinkSync(join(folder, "gone"), installed);
    openWorkspace(recordedSession(folder));
    expect(existsSync(docs)).toBe(true);

    rmSync(installed, { recursive: true });
    mkdirSync(installed);
    writeFileSync(join(installed, "package.json"), '{ "version": "0.1.0" }');
    openWorkspace(recordedSession(folder));
    expect(readdirSync(installed)).toEqual(["package.json"]);
  });
});
