import { describe, expect, test } from "vitest";
import { mimeType } from "./mime.ts";

describe("mimeType", () => {
  test.each([
    ["index.html", "text/html; charset=utf-8"],
    ["style.css", "text/css; charset=utf-8"],
    ["app.js", "text/javascript; charset=utf-8"], // RFC 9239
    ["module.mjs", "text/javascript; charset=utf-8"],
    ["data.json", "application/json"], // UTF-8 by definition, and no parameter (RFC 8259 §11)
    ["drawing.svg", "image/svg+xml"],
    ["code.wasm", "application/wasm"],
    ["font.woff2", "font/woff2"],
  ])("names the type of %s", (name, type) => {
    expect(mimeType(name)).toBe(type);
  });

  test("looks at the name's last extension only", () => {
    expect(mimeType("/a.html/b.png")).toBe("image/png");
    expect(mimeType("archive.tar.gz")).toBe("application/gzip");
    expect(mimeType("page.html.unheard-of")).toBe("application/octet-stream");
  });

  test("does not mind the case", () => {
    expect(mimeType("PHOTO.JPG")).toBe("image/jpeg");
    expect(mimeType("Page.HtMl")).toBe(mimeType("page.html"));
  });

  test.each([
    "",
    "README",
    "html",
    ".html",
    "file.",
    "folder.html/file",
    "a.constructor",
    "a.__proto__",
    "a.html ",
  ])("takes %j for bytes", (name) => {
    expect(mimeType(name)).toBe("application/octet-stream");
  });

  test("says which charset text has, and says it of nothing else", () => {
    for (const name of ["a.html", "a.css", "a.csv", "a.txt", "a.md", "a.js"]) {
      expect(mimeType(name)).toMatch(/^text\/[a-z]+; charset=utf-8$/);
    }
    for (const name of ["a.png", "a.zip", "a.json", "a.mp4"]) expect(mimeType(name)).not.toContain(";");
  });
});
