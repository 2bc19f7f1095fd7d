import { expect, test } from "vitest";
import {
  type Contender,
  compare,
  comparisonTable,
  type Measurement,
  type Running,
  Stopped,
  Unavailable,
} from "./contender.ts";

const order: string[] = [];

function contender(name: string, start?: () => Promise<Running>): Contender {
  const running = {
    port: 1,
    pid: 1,
    name,
    death: () => undefined,
    stop: async () => void order.push(`${name} ends`),
  };
  return { name, start: start ?? (async () => running) };
}

function measurement(changes: Partial<Measurement> = {}): Measurement {
  return { perSecond: 100, cpuMicroseconds: 10, busy: 1, loadBusy: 0.5, ...changes };
}

const quietly = () => {};

test("contenders take turns, after a round that is not counted, and all are stopped", async () => {
  order.length = 0;
  const measure = async (server: Running) => {
    order.push((server as Running & { name: string }).name);
    return measurement();
  };
  const scenario = { name: "1 connection", unit: "round trips", measure };
  const { comparisons } = await compare([scenario], [contender("A"), contender("B")], 2, quietly);
  expect(order).toEqual(["A", "B", "A", "B", "A", "B", "A ends", "B ends"]);
  expect(comparisons[0]!.results.map(({ rounds }) => rounds.length)).toEqual([2, 2]);
});

test("a contender that this machine does not have is named with the reason, and the others are measured", async () => {
  const missing = contender("nginx", () => Promise.reject(new Unavailable("nginx is not installed.")));
  const scenario = { name: "1 connection", unit: "round trips", measure: async () => measurement() };
  const { comparisons, skipped } = await compare([scenario], [missing, contender("A")], 1, quietly);
  expect(skipped).toEqual(["nginx is left out: nginx is not installed."]);
  expect(comparisons[0]!.results.map(({ contender }) => contender)).toEqual(["A"]);
});

test("a contender that fails is a failure, and is not asked again", async () => {
  let asked = 0;
  const measure = async () => {
    asked++;
    throw new Error("a reply is wrong");
  };
  const scenarios = ["first", "second"].map((name) => ({ name, unit: "MiB", measure }));
  const { failures } = await compare(scenarios, [contender("A")], 3, quietly);
  expect(failures).toEqual(['A failed under the load "first": a reply is wrong.']);
  expect(asked).toBe(1);
});

test("to be stopped is nobody's failure", async () => {
  const measure = () => Promise.reject(new Stopped());
  const scenario = { name: "1 connection", unit: "MiB", measure };
  await expect(compare([scenario], [contender("A")], 3, quietly)).rejects.toThrow(Stopped);
});

test("a table has medians, and what they are of the baseline's round by round", () => {
  const table = comparisonTable(
    {
      scenario: "1 connection",
      unit: "MiB",
      results: [
        { contender: "ours", rounds: [100, 300, 200].map((perSecond) => measurement({ perSecond })) },
        { contender: "C", rounds: [200, 300, 400].map((perSecond) => measurement({ perSecond })) },
      ],
    },
    ["C"],
  );
  expect(table.columns).toEqual(["", "MiB/s", "× C", "CPU µs each", "× C", "server busy", "load busy"]);
  expect(table.rows).toEqual([
    ["ours", "200", "0.50 ±100%", "10.0", "1.00", "100 %", "50 %"],
    ["C", "300", "1", "10.0", "1", "100 %", "50 %"],
  ]);
});
