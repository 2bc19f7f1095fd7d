import { expect, test } from "vitest";
import { chooseCores, parseCpuList } from "./cores.ts";

test("the kernel's list of processors is read", () => {
  expect(parseCpuList("0-2,5\n")).toEqual([0, 1, 2, 5]);
});

test("server and load get different processors", () => {
  expect(chooseCores([0, 1], (processor) => [processor])).toMatchObject({ server: 1, load: 0 });
});

test("the load is not put on the other thread of the server's core", () => {
  expect(chooseCores([1, 2, 3], () => [1, 3])).toMatchObject({ server: 3, load: 2 });
});

test("two threads of one core are better than one, and it is said", () => {
  const cores = chooseCores([0, 1], () => [0, 1]);
  expect(cores).toMatchObject({ server: 1, load: 0 });
  expect(cores.note).toContain("same core");
});

test("with one processor nothing is pinned, and it is said", () => {
  const cores = chooseCores([3], () => [3]);
  expect(cores.server).toBeUndefined();
  expect(cores.note).toContain("one processor only");
});
