import { expect, test } from "vitest";
import { cpuFrames, heapFrames } from "./profile.ts";

function callFrame(functionName: string, lineNumber = 0) {
  return { functionName, url: "node:net", lineNumber, columnNumber: 0 };
}

test("a function that was reached on two paths is one frame, with its share of the samples", () => {
  const nodes = [
    { id: 1, callFrame: callFrame("(root)"), children: [2, 3, 4] },
    { id: 2, callFrame: callFrame("read"), hitCount: 1 },
    { id: 3, callFrame: callFrame("write", 7), hitCount: 2 },
    { id: 4, callFrame: callFrame("read"), hitCount: 5 },
  ];
  expect(cpuFrames({ nodes })).toEqual([
    { name: "read", place: "node:net:1", self: 0.75 },
    { name: "write", place: "node:net:8", self: 0.25 },
  ]);
});

test("a C function is named by its caller, as V8 does not know which one it was", () => {
  const native = { functionName: "uv_now", url: "", lineNumber: -1, columnNumber: -1 };
  const nodes = [
    { id: 1, callFrame: callFrame("send", 4), children: [2] },
    { id: 2, callFrame: native, hitCount: 3 },
    { id: 3, callFrame: { ...native, functionName: "(program)" }, hitCount: 1 },
  ];
  expect(cpuFrames({ nodes })).toEqual([
    { name: "C of send", place: "node:net:5", self: 0.75 },
    { name: "(program)", place: "", self: 0.25 },
  ]);
});

test("bytes count for the function that allocated them, at any depth", () => {
  const leaf = { callFrame: callFrame("concat", 3), selfSize: 64, children: [] };
  const head = { callFrame: callFrame("(root)"), selfSize: 0, children: [{ ...leaf, children: [leaf] }] };
  expect(heapFrames({ head })).toEqual([{ name: "concat", place: "node:net:4", self: 128 }]);
});
