import { expect, test } from "vitest";
import { filePath, normalizePath } from "./request-path.ts";

test.each([
  ["/", "/"],
  ["/a/b", "/a/b"],
  ["/a//b/", "/a//b/"],
  ["/a/./b", "/a/b"],
  ["/a/b/.", "/a/b/"],
  ["/a/b/..", "/a/"],
  ["/a/../b", "/b"],
  ["/a/%2e%2E/b", "/b"],
  ["/a/%2e", "/a/"],
  ["/%41%7e", "/A~"],
  ["/a%2fb", "/a%2Fb"],
  ["/%c3%a9", "/%C3%A9"],
  ["/a%20b", "/a%20b"],
  ["/.well-known/x", "/.well-known/x"],
  ["/...", "/..."],
  ["/a//../b", "/a/b"],
  ["/%252e%252e/b", "/%252e%252e/b"],
])("%s is routed as %s", (path, routed) => expect(normalizePath(path)).toBe(routed));

test.each(["/..", "/../a", "/a/../..", "/%2e%2e/a", "/a/.%2e/../x", "/%", "/%2", "/%zz", "/a%00b"])(
  "%s is refused",
  (path) => expect(normalizePath(path)).toBeUndefined(),
);

test.each([
  ["/a/b", "/a/b"],
  ["//a///b", "/a/b"],
  ["/a%20b", "/a b"],
  ["/%C3%A9", "/é"],
  ["/%252e%252e", "/%2e%2e"],
  ["/a%2Fb", 400],
  ["/%FF", 404],
])("%s means the file %s", (path, file) => expect(filePath(path)).toBe(file));

test("whatever is routed is routed to the same once more", () => {
  for (const path of ["/a/./b//c/../%41%2f%7E", "/x/%2e%2e/%c3%a9/.", "/%2525"]) {
    const routed = normalizePath(path)!;
    expect(normalizePath(routed)).toBe(routed);
  }
});
