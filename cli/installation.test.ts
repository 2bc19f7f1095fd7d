import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageVersion } from "../stages/package-root.ts";
import { dependencyOnThisPackage } from "./installation.ts";
import { temporaryFolder } from "./testing.ts";

/** A project in whose `node_modules` npm has installed this package from `resolved`. */
function installedFrom(resolved: string | undefined): { root: string; project: string } {
  const project = temporaryFolder();
  const modules = join(project, "a project", "node_modules");
  const root = join(modules, "expserver-course");
  mkdirSync(root, { recursive: true });
  const lock = {
    lockfileVersion: 3,
    packages: { "node_modules/expserver-course": { version: packageVersion, resolved } },
  };
  if (resolved !== undefined) writeFileSync(join(modules, ".package-lock.json"), JSON.stringify(lock));
  return { root, project };
}

test.each(["file:../the course.tgz", "file:../the%20course.tgz"])("a tarball is copied: %s", (resolved) => {
  const { root, project } = installedFrom(resolved);
  const source = join(project, "the course.tgz");
  writeFileSync(source, "tarball");
  const path = `.expserver/expserver-course-${packageVersion}.tgz`;
  expect(dependencyOnThisPackage(root)).toEqual({ specifier: `file:${path}`, tarball: { source, path } });
});

test.each([
  ["a registry", "https://registry.example/expserver-course-0.1.0.tgz"],
  ["a tarball that is gone", "file:../gone.tgz"],
  ["a folder", "file:../checkout"],
  ["who knows what", undefined],
])("an installation from %s depends on the version", (_, resolved) => {
  expect(dependencyOnThisPackage(installedFrom(resolved).root)).toEqual({ specifier: `^${packageVersion}` });
});
