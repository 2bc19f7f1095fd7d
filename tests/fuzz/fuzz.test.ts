import fc from "fast-check";
import { expect, test } from "vitest";
import { targets } from "./targets.ts";

/** The same in every run, so that a failure is somebody's change; `npm run fuzz` takes new ones. */
const seed = Number(process.env.EXPSERVER_FUZZ_SEED ?? 9112);
/** A second or two, all together. */
const numRuns = 1_500;

test.each(targets)("$name is understood in one way only", ({ property }) => {
  const details = fc.check(property, { seed, numRuns });
  expect(details.failed, fc.defaultReportMessage(details)).toBe(false);
});
