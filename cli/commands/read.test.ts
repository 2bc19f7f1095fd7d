import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../stages/package-root.ts";
import { findStage, lessonFile } from "../../stages/stage.ts";
import { recordedSession, temporaryFolder, temporaryWorkspace } from "../testing.ts";
import { read } from "./read.ts";

const lesson = lessonFile(findStage("0")!);

test("in a pipe the lesson is Markdown", async () => {
  const session = recordedSession(temporaryWorkspace());
  expect(await read(session, undefined, {})).toBe(0);
  expect(session.output()).toContain(readFileSync(lesson, "utf8").split("\n")[0]!);
});

test("in a terminal without a pager it is coloured text", async () => {
  const session = recordedSession(temporaryFolder(), {
    isTerminal: true,
    color: true,
    env: { PAGER: "cat" },
  });
  await read(session, "0", {});
  expect(session.output()).toContain("\x1b[");
  expect(session.output()).not.toMatch(/^# /m);
});

test("--path names the file", async () => {
  const session = recordedSession(temporaryFolder());
  await read(session, "stage-0", { path: true });
  expect(session.output()).toBe(`${lesson}\n`);
});

test("guides can be read too, and mistyped ones are answered with the nearest", async () => {
  const guides = existsSync(join(packageRoot, "docs/guides"))
    ? readdirSync(join(packageRoot, "docs/guides"))
    : [];
  const name = guides.find((file) => file.endsWith(".md"))?.replace(".md", "");
  if (name === undefined) return; // no guide yet
  const session = recordedSession(temporaryFolder());
  await read(session, `guides/${name}`, { path: true });
  expect(session.output()).toContain(`${name}.md`);
  await expect(read(session, `${name}s`, {})).rejects.toThrow(`read ${name}`);
});

test("the reference of the system calls can be read too", async () => {
  const session = recordedSession(temporaryFolder());
  await read(session, "linux", { path: true });
  expect(session.output()).toBe(`${join(packageRoot, "docs/reference/linux.md")}\n`);
});

test("an unknown page is refused", async () => {
  await expect(read(recordedSession(temporaryFolder()), "99", {})).rejects.toThrow("There is no stage");
});
