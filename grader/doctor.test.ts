import { describe, expect, test } from "vitest";
import { examineMachine } from "./doctor.ts";
import { judgeFacts, machineFacts } from "./machine-facts.ts";

const good = {
  platform: "linux",
  arch: "x64",
  node: "20.19.0",
  kernel: "6.1.0",
  procVersion: "Linux version 6.1.0",
  limits: "Max open files            4096                 1048576              files     \n",
};

/** The findings of these facts that are not in order, by id. */
function troubles(facts: Partial<typeof good>): Record<string, { required: boolean; remedy?: string }> {
  const bad = judgeFacts({ ...good, ...facts }).filter(({ ok }) => !ok);
  return Object.fromEntries(bad.map((finding) => [finding.id, finding]));
}

describe("facts", () => {
  test("that are good give no remedy", () => {
    expect(troubles({})).toEqual({});
    expect(judgeFacts(good).every(({ remedy }) => remedy === undefined)).toBe(true);
  });

  test.each([
    [{ platform: "darwin" }, "system", /container/],
    [{ procVersion: "Linux version 4.4.0-19041-Microsoft (x)" }, "system", /WSL 1 .*--set-version/],
    [{ arch: "ia32" }, "processor", /64-bit/],
    [{ node: "20.18.3" }, "node", /nvm install/],
    [{ limits: "Max open files            512   512   files\n" }, "descriptors", /ulimit -n 4096/],
  ])("%j must be mended", (facts, id, remedy) => {
    expect(troubles(facts)[id]).toMatchObject({ required: true, remedy: expect.stringMatching(remedy) });
  });

  test("1,024 descriptors are few, not too few", () => {
    expect(
      troubles({ limits: "Max open files            1024   4096   files\n" }).descriptors!.required,
    ).toBe(false);
  });

  test("WSL 2 is Linux, and unlimited descriptors are enough", () => {
    expect(troubles({ procVersion: "Linux version 5.15.1-microsoft-standard-WSL2" })).toEqual({});
    expect(troubles({ limits: "Max open files            unlimited   unlimited   files\n" })).toEqual({});
  });
});

describe("this machine", () => {
  test("has all that is required", async () => {
    const findings = await examineMachine();
    expect(findings.filter(({ ok, required }) => required && !ok)).toEqual([]);
    expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);
  });

  test("every remedy belongs to something that is not in order", async () => {
    for (const { ok, remedy } of await examineMachine()) expect(remedy === undefined).toBe(ok);
  });

  test("is described by facts", () => {
    expect(machineFacts()).toMatchObject({ platform: "linux", node: process.versions.node });
    expect(machineFacts().limits).toContain("Max open files");
  });
});
