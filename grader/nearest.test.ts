import { expect, test } from "vitest";
import { didYouMean, nearest } from "./nearest.ts";

const names = ["tcp-server", "tcp-client", "epoll-server", "src/core/loop.ts"];

test.each([
  ["tcp-sever", "tcp-server"],
  ["tpc-client", "tcp-client"],
  ["EPOLL-SERVER", "epoll-server"],
  ["loop", "src/core/loop.ts"],
  ["gzip", undefined],
  ["x", undefined],
])("nearest to %s is %s", (word, expected) => {
  expect(nearest(word, names)).toBe(expected);
});

test("a suggestion is a sentence, or nothing", () => {
  expect(didYouMean("tcp-sever", names)).toBe(" Did you mean tcp-server?");
  expect(didYouMean("gzip", names)).toBe("");
});
