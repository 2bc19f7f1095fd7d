import { expect, test } from "vitest";
import { platformProblem } from "./platform.ts";

const linux = { platform: "linux", arch: "x64", nodeVersion: "20.19.0" };

test.each(["20.19.0", "20.20.2", "22.0.0", "24.1.0"])("Linux with Node %s is fit", (nodeVersion) => {
  expect(platformProblem({ ...linux, nodeVersion })).toBeUndefined();
});

test.each(["18.20.0", "20.18.9"])(
  "Node %s is too old, and the message says which one to install",
  (nodeVersion) => {
    expect(platformProblem({ ...linux, nodeVersion })).toMatch(
      /20\.19 or newer; this is Node .*npx expserver-course doctor$/s,
    );
  },
);

test("Windows is told about WSL", () => {
  expect(platformProblem({ ...linux, platform: "win32" })).toMatch(
    /This is Windows\.\n.*wsl --install.*doctor$/s,
  );
});

test("macOS is told about a container", () => {
  expect(platformProblem({ ...linux, platform: "darwin" })).toMatch(
    /This is macOS\.\n.*docker run.*doctor$/s,
  );
});

test("a 32-bit processor is refused", () => {
  expect(platformProblem({ ...linux, arch: "arm" })).toContain("built for arm");
});
