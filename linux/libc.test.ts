import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { addressOf, libcFunction, loadKoffi } from "./libc.ts";

const platform = Object.getOwnPropertyDescriptor(process, "platform")!;
afterEach(() => {
  Object.defineProperty(process, "platform", platform);
  vi.resetModules();
});

describe("loading on the wrong system", () => {
  it("names the system and the ways to get Linux, in one sentence", () => {
    expect(() => loadKoffi("darwin", "arm64")).toThrow(/^[^.]*darwin[^.]*WSL2[^.]*container[^.]*\.$/);
  });

  it("names a processor whose structures are unknown", () => {
    expect(() => loadKoffi("linux", "riscv64")).toThrow(/^[^.]*riscv64[^.]*x64 or arm64\.$/);
  });

  it("says how to install koffi when its library is missing, and keeps the cause", () => {
    const cause = new Error("Cannot find the native Koffi module");
    const load = () =>
      loadKoffi("linux", "arm64", () => {
        throw cause;
      });
    expect(load).toThrow(/linux-arm64.*npm install.*optional dependencies/);
    expect(load).toThrow(expect.objectContaining({ cause }));
  });

  it("fails at the import, before any call can be made", async () => {
    Object.defineProperty(process, "platform", { ...platform, value: "win32" });
    vi.resetModules();
    await expect(import("./index.ts")).rejects.toThrow(/win32.*WSL2/);
  });
});

describe("libcFunction", () => {
  it("reports a symbol that the process does not have", () => {
    expect(() => libcFunction("int no_such_function_anywhere(void)")).toThrow(/no_such_function_anywhere/);
  });
});

describe("addressOf", () => {
  it("stays true for small arrays, which V8 would otherwise move", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const arrays = Array.from({ length: 200 }, (_, index) => new Uint8Array([index, 1, 2, 3]));
    const before = arrays.map((array) => addressOf(array));
    collect();
    expect(arrays.map((array) => addressOf(array))).toEqual(before);
  });
});
