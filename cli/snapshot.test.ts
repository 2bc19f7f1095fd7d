import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findSnapshot, listSnapshots, restoreSnapshot, takeSnapshot } from "./snapshot.ts";
import { contents, temporaryWorkspace } from "./testing.ts";

function sources(workspace: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(contents(workspace)).filter(([path]) => !path.startsWith(".expserver")),
  );
}

test("restoring brings back what was changed, removed, and linked, and removes what came later", () => {
  const workspace = temporaryWorkspace();
  mkdirSync(join(workspace, "public"));
  writeFileSync(join(workspace, "public", "index.html"), "<h1>mine</h1>");
  symlinkSync("../public/index.html", join(workspace, "src", "page"));
  const before = sources(workspace);
  const snapshot = takeSnapshot(workspace, "goto 3", "00-setup");

  writeFileSync(join(workspace, "src", "phase-0", "hello.ts"), "changed");
  writeFileSync(join(workspace, "src", "later.ts"), "new");
  rmSync(join(workspace, "public"), { recursive: true });
  writeFileSync(join(workspace, "xps-config.json"), "{}");
  restoreSnapshot(workspace, snapshot);

  expect(sources(workspace)).toEqual(before);
});

test("a file outside of src is kept when it is named", () => {
  const workspace = temporaryWorkspace();
  writeFileSync(join(workspace, "notes.txt"), "mine");
  const snapshot = takeSnapshot(workspace, "goto 3", "00-setup", ["notes.txt", "src/x.ts"]);
  writeFileSync(join(workspace, "notes.txt"), "theirs");
  restoreSnapshot(workspace, snapshot);
  expect(readFileSync(join(workspace, "notes.txt"), "utf8")).toBe("mine");
  expect(snapshot.paths).not.toContain("src/x.ts");
});

test("two snapshots in one second have different names", () => {
  const workspace = temporaryWorkspace();
  const names = [1, 2, 3].map(() => takeSnapshot(workspace, "reset", "00-setup").name);
  expect(new Set(names).size).toBe(3);
  expect(listSnapshots(workspace).map(({ name }) => name)).toEqual(names);
});

test("a snapshot is found by its name, a unique beginning, and latest", () => {
  const workspace = temporaryWorkspace();
  const { name } = takeSnapshot(workspace, "reset", "00-setup");
  expect(findSnapshot(workspace, name).name).toBe(name);
  expect(findSnapshot(workspace, name.slice(0, 6)).name).toBe(name);
  expect(findSnapshot(workspace, "latest").name).toBe(name);
});

test("an unknown snapshot is refused with the nearest name", () => {
  const workspace = temporaryWorkspace();
  expect(() => findSnapshot(workspace, "latest")).toThrow(/no snapshot yet/);
  const { name } = takeSnapshot(workspace, "reset", "00-setup");
  expect(() => findSnapshot(workspace, "yesterday")).toThrow(`reset --to ${name}`);
});

test("one that was interrupted is not offered", () => {
  const workspace = temporaryWorkspace();
  const { folder } = takeSnapshot(workspace, "reset", "00-setup");
  rmSync(join(folder, "snapshot.json"));
  expect(listSnapshots(workspace)).toEqual([]);
});
