import { expect, test } from "vitest";
import { cpuFrames, heapFrames } from "./profile.ts";

function callFrame(functionName: string, lineNumber = 0) {
  return { functionName, url: "node:net", lineNumber, columnNumber: 0 };
}

test("a function that was reached on two paths is one frame, with its share of the samples", () => {
  const nodes = [
    { callFrame: callFrame("read"), hitCount: 1 },
    { callFrame: callFrame("write", 7), hitCount: 2 },
    { callFrame: callFrame("read"), hitCount: 5 },
    { callFrame: callFrame("(root)") },
  ];
  expect(cpuFrames({ nodes })).toEqual([
    { name: "read", place: "node:net:1", self: 0.75 },
    { name: "write", place: "node:net:8", self: 0.25 },
  ]);
});

test("bytes count for the function that allocated them, at any depth", () => {
  const leaf = { callFrame: callFrame("concat", 3), selfSize: 64, children: [] };
  const head = { callFrame: callFrame("(root)"), selfSize: 0, children: [{ ...leaf, children: [leaf] }] };
  expect(heapFrames({ head })).toEqual([{ name: "concat", place: "node:net:4", self: 128 }]);
});
