import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadHints } from "../stages/hints.ts";
import { packageRoot } from "../stages/package-root.ts";
import { allStages, findStage, lessonFile } from "../stages/stage.ts";
import { skeletonFiles, solutionFiles, solutionSource } from "../stages/tree.ts";
import { loadChecks } from "./checks.ts";

const headings = [
  "Where you are",
  "What you build",
  "The ideas",
  "Experiments",
  "Steps",
  "The checks and how to try them by hand",
  "Pitfalls",
  "Going further",
  "Quiz",
];

describe.each(allStages())("stage $number", (stage) => {
  const lesson = readFileSync(lessonFile(stage), "utf8");

  test("has a lesson of the fixed shape", () => {
    expect(lesson.split("\n")[0]).toBe(`# Stage ${stage.number}: ${stage.title}`);
    const outsideOfCode = lesson.replace(/^```[\s\S]*?^```/gm, "");
    expect([...outsideOfCode.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual(headings);
  });

  test("has a lesson of 1,500 to 3,300 words beside code and tables", () => {
    const prose = lesson.replace(/^```[\s\S]*?^```/gm, "").replace(/^\|.*$/gm, "");
    const words = prose.split(/\s+/).filter((word) => /\w/.test(word)).length;
    expect(words).toBeGreaterThan(1500);
    expect(words).toBeLessThan(3300);
  });

  test("has a quiz whose answers are folded", () => {
    const quiz = lesson.slice(lesson.indexOf("\n## Quiz"));
    const folded = quiz.match(/<details>/g)?.length ?? 0;
    expect(folded).toBeGreaterThanOrEqual(4);
    expect(quiz.match(/<\/details>/g)?.length).toBe(folded);
  });

  test("has one to three hints for every check, and for no other", async () => {
    const hints = loadHints(stage);
    const ids = (await loadChecks(stage)).map(({ id }) => id);
    expect([...hints.keys()].sort()).toEqual([...ids].sort());
    for (const rungs of hints.values()) {
      expect(rungs.length).toBeGreaterThanOrEqual(1);
      expect(rungs.length).toBeLessThanOrEqual(3);
    }
  });

  test("tells of every check in the lesson", async () => {
    const ids = (await loadChecks(stage)).map(({ id }) => id);
    expect(ids.filter((id) => !lesson.includes(`\`${id}\``))).toEqual([]);
  });

  test("sends readers only to pages that exist", async () => {
    const named = (await loadChecks(stage)).flatMap(({ see }) => see).filter((each) => each.includes("/"));
    const linked = [...lesson.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) =>
      join("docs", "roadmap", `phase-${stage.phase}`, target!),
    );
    expect([...named, ...linked].filter((page) => !existsSync(join(packageRoot, page)))).toEqual([]);
  });

  test("has a skeleton for every file of the stage's own that the reference has", () => {
    const { entry } = stage.program;
    // From stage 12 on the entry is the same: it came with that stage.
    const brought = allStages()
      .filter(({ number }) => number <= stage.number)
      .flatMap(skeletonFiles);
    expect(brought.map(({ path }) => path)).toContain(entry);
    expect(solutionSource(stage, entry)).toBeDefined();
  });

  test("brings no file that an earlier stage has brought: it is the learner's own by now", () => {
    const earlier = allStages().filter((other) => other.number < stage.number);
    const brought = new Set(earlier.flatMap(skeletonFiles).map(({ path }) => path));
    expect(
      skeletonFiles(stage)
        .map(({ path }) => path)
        .filter((path) => brought.has(path)),
    ).toEqual([]);
  });

  test("gives whole what it gives: a file of the skeleton without a gap is the reference's", () => {
    const given = skeletonFiles(stage).filter(
      ({ path, source }) => path.startsWith("src/") && !readFileSync(source, "utf8").includes("TODO"),
    );
    const differing = given.filter(({ path, source }) => {
      const reference = solutionSource(stage, path);
      return reference !== undefined && readFileSync(reference, "utf8") !== readFileSync(source, "utf8");
    });
    expect(differing.map(({ path }) => path)).toEqual([]);
  });
});

test("no unit test is part of a stage's tree", () => {
  const paths = allStages().flatMap((stage) => [...solutionFiles(stage), ...skeletonFiles(stage)]);
  expect(paths.filter(({ path }) => path.includes(".test."))).toEqual([]);
});

describe("a stage's name", () => {
  test.each(["1", "01", "stage-1", "Stage 1", "01-tcp-server", "tcp-server"])("%s means stage 1", (name) => {
    expect(findStage(name)?.slug).toBe("01-tcp-server");
  });

  test.each(["", "x", "99", "stage-", "1.5", "-1", "tcp"])("%j means none", (name) => {
    expect(findStage(name)).toBeUndefined();
  });
});
