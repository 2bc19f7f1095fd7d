import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { allStages, lessonFile } from "../stages/stage.ts";
import { plainMarkdown, renderMarkdown } from "./lesson.ts";

const render = (markdown: string, columns = 60) =>
  stripVTControlCharacters(renderMarkdown(markdown, columns));

test("front matter, comments and boxes of the web pages become plain Markdown", () => {
  const source = `---
title: x
---
<!-- for authors -->
# One

::: tip Try it
Type \`ls\`.
:::

::: code-group
\`\`\`sh
::: not a box
\`\`\`
:::
`;
  expect(plainMarkdown(source)).toBe(`# One

> **Try it**
>
> Type \`ls\`.

\`\`\`sh
::: not a box
\`\`\`
`);
});

test("an answer stands indented below its question, marked", () => {
  const source =
    "**1. Why?**\n\n<details>\n<summary>Answer</summary>\n\nBecause it is so.\n\n</details>\n\nOn.\n";
  expect(render(plainMarkdown(source))).toMatch(
    /^1\. Why\?\n\n {2}Answer:\n\s*\n {2}Because it is so\.\n\nOn\./,
  );
});

test("quotations fit too, for all their indent", () => {
  const lines = render(`> ${"word ".repeat(40)}\n`, 41).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(41);
});

describe("tables", () => {
  const source =
    "| check | what | by hand |\n| - | - | - |\n| `one` | sends *a* long line | `a \\| b:c <&3` |\n| `two` | | ls |\n";

  test("that fit have borders", () => {
    expect(render(source, 60)).toMatch(/│ one +│ sends a long line │ a \| b:c <&3 │/);
  });

  test("that are too wide become a list, in which a row's cells stand below its first", () => {
    expect(render(source, 40)).toBe(
      "  one\n    what     sends a long line\n    by hand  a | b:c <&3\n  two\n    by hand  ls\n\n",
    );
  });

  test("of the lessons fit a usual terminal", () => {
    for (const stage of allStages()) {
      const text = render(plainMarkdown(readFileSync(lessonFile(stage), "utf8")), 80);
      const tables = text.split("\n").filter((line) => /^[│┌├└]/.test(line));
      expect(Math.max(0, ...tables.map((line) => line.length))).toBeLessThanOrEqual(80);
      expect(text).not.toMatch(/<\/?(details|summary)>/);
    }
  });
});

test("what stands in lists is rendered, not only what stands in paragraphs", () => {
  const text = render("- call `recv` **once**\n\n1. *then* `send`\n");
  expect(text).toContain("call recv once");
  expect(text).toContain("then send");
});

test("text that looks like an emoji code stays", () => {
  expect(render("listening on 0.0.0.0:8080: ready :bug:")).toContain(":bug:");
});

test("code keeps its lines", () => {
  expect(render("```ts\nconst fd = socket(AF_INET, SOCK_STREAM);\n\nlisten(fd, 1);\n```")).toMatch(
    /const fd = socket\(AF_INET, SOCK_STREAM\);\n\s*\n\s*listen\(fd, 1\);/,
  );
});

test("links to other pages of the course become the command that shows them", () => {
  expect(render("See [the guide](../../guides/backpressure.md#why).", 90)).toContain(
    "npx expserver-course read backpressure)",
  );
  expect(render("See [before](./stage-1.md).", 90)).toContain("npx expserver-course read 1)");
  expect(render("See [it](https://example.org/stage-1.md).", 90)).toContain("https://example.org/stage-1.md");
});

test("a paragraph is set anew, whatever its lines were", () => {
  expect(render("one\ntwo\n*three\nfour*\n")).toContain("one two three four");
});

test("long list items are wrapped below their text", () => {
  expect(render(`- ${"word ".repeat(20)}\n`, 60)).toMatch(/^ {2}\* word .{10,}\n {4}word /m);
});
