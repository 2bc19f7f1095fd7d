import { expect, test } from "vitest";
import { Lanes, type Place } from "./lanes.ts";

/** Work that goes on until it is told to end, and a record of what was at work at once. */
function recorded(lanes: Lanes) {
  const begun: string[] = [];
  const active = new Set<string>();
  const seen: string[][] = [];
  const ends = new Map<string, () => void>();
  const add = (name: string, place: Place = "lane") =>
    lanes.run(place, async () => {
      begun.push(name);
      active.add(name);
      seen.push([...active]);
      await new Promise<void>((end) => ends.set(name, end));
      active.delete(name);
      return name;
    });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const end = async (name: string) => {
    await settled();
    ends.get(name)!();
    await settled();
  };
  return { begun, seen, settled, add, end };
}

test("as many pieces run at once as there are lanes, in the order of asking", async () => {
  const { begun, settled, add, end } = recorded(new Lanes(2));
  const results = ["a", "b", "c", "d"].map((name) => add(name));
  await settled();
  expect(begun).toEqual(["a", "b"]);
  await end("a");
  expect(begun).toEqual(["a", "b", "c"]);
  await end("c");
  expect(begun).toEqual(["a", "b", "c", "d"]);
  await end("b");
  await end("d");
  expect(await Promise.all(results)).toEqual(["a", "b", "c", "d"]);
});

test("what runs alone waits for the others, and the others for it", async () => {
  const { begun, seen, settled, add, end } = recorded(new Lanes(2));
  const results = [add("a"), add("alone", "alone"), add("b"), add("c")];
  await settled();
  expect(begun).toEqual(["a"]); // b has a free lane, and still does not overtake
  await end("a");
  expect(begun).toEqual(["a", "alone"]);
  await end("alone");
  expect(begun).toEqual(["a", "alone", "b", "c"]);
  await end("b");
  await end("c");
  await Promise.all(results);
  expect(seen).toEqual([["a"], ["alone"], ["b"], ["b", "c"]]);
});

test("a piece that fails frees its lane and passes its error on", async () => {
  const lanes = new Lanes(1);
  const failing = lanes.run("lane", async () => {
    throw new Error("broken");
  });
  const next = lanes.run("lane", async () => "went on");
  await expect(failing).rejects.toThrow("broken");
  expect(await next).toBe("went on");
});

test("in a single lane everything is alone", async () => {
  const { begun, settled, add, end } = recorded(new Lanes(1));
  const results = [add("a"), add("alone", "alone"), add("b")];
  for (const name of ["a", "alone", "b"]) {
    await settled();
    expect(begun.at(-1)).toBe(name);
    await end(name);
  }
  await Promise.all(results);
});

test("what runs beside the lanes takes none, and begins at once", async () => {
  const { begun, settled, add, end } = recorded(new Lanes(2));
  const names = ["a", "b", "c", "long"];
  const results = names.map((name) => add(name, name === "long" ? "beside" : "lane"));
  await settled();
  expect(begun).toEqual(["a", "b", "long"]);
  await end("a");
  expect(begun).toEqual(["a", "b", "long", "c"]);
  for (const name of ["long", "b", "c"]) await end(name);
  await Promise.all(results);
});

test("nothing is beside what runs alone; until what is beside has ended, the lanes go on", async () => {
  const { begun, settled, add, end } = recorded(new Lanes(2));
  const results = [
    add("long", "beside"),
    add("alone", "alone"),
    add("a"),
    add("longer", "beside"),
    add("b"),
    add("c"),
  ];
  await settled();
  expect(begun).toEqual(["long", "a", "b"]);
  await end("long");
  await end("a");
  expect(begun).toEqual(["long", "a", "b"]); // c and the longer one wait for the one that wants to be alone
  await end("b");
  expect(begun).toEqual(["long", "a", "b", "alone"]);
  await end("alone");
  expect(begun).toEqual(["long", "a", "b", "alone", "longer", "c"]);
  for (const name of ["longer", "c"]) await end(name);
  await Promise.all(results);
});

test("in a single lane nothing is beside it", async () => {
  const { begun, settled, add, end } = recorded(new Lanes(1));
  const results = [add("long", "beside"), add("a")];
  await settled();
  expect(begun).toEqual(["long"]);
  for (const name of ["long", "a"]) await end(name);
  await Promise.all(results);
});
