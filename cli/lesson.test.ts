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
