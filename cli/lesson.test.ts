import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
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
