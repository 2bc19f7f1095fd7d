import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseConfig } from "../config/config.ts";
import { HttpServer } from "../http/http-server.ts";
import { request, responses, TestClient } from "../http/test-session.ts";
import { SteppedLoop } from "../network/test-loop.ts";
import { fileServe } from "./file-serve.ts";

/** A function that asks a server with such routes. The folders of the routes are relative to a folder with these files. */
function serving(routes: object[], files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "expserver-file-serve-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const servers = [
    {
      listeners: [{ host: "127.0.0.1", port: 80 }],
      routes: routes.map((route) => ({ type: "file_serve", ...route })),
    },
  ];
  const config = parseConfig(join(folder, "xps.json"), JSON.stringify({ servers }), [fileServe()]);
  const server = new HttpServer(new SteppedLoop().asLoop, config, [fileServe()]);
  onTestFinished(() => server.destroy());
  return (path: string) => {
    const [response] = responses(new TestClient(server.listeners[0]!.site).ask(request(`GET ${path}`)));
    return response!.fields.location ?? (response!.status === 200 ? response!.body : response!.status);
  };
}

test("a route's path stands for its folder, with and without a slash, and in any spelling", () => {
  const ask = serving(
    [
      { req_path: "/docs", dir_path: "manual" },
      { req_path: "/slash/", dir_path: "manual" },
      { req_path: "/caf%C3%A9%20x", dir_path: "manual" },
      { req_path: "/", dir_path: "public" },
    ],
    { "manual/index.html": "the start", "manual/a/b.txt": "deep", "public/slash": "a file" },
  );
  expect(["/docs/", "/docs/a/b.txt", "/docs//a/b.txt", "/do%63s/a/b.txt", "/docs/none"].map(ask)).toEqual([
    "the start",
    "deep",
    "deep",
    "deep",
    404,
  ]);
  expect(["/slash/", "/slash/a/b.txt", "/slash"].map(ask)).toEqual(["the start", "deep", "a file"]);
  expect(["/caf%c3%a9%20x/", "/caf%C3%A9%20x/a/b.txt"].map(ask)).toEqual(["the start", "deep"]);
});

test("a route's path without its slash leads to the one with it, from which the page's links count", () => {
  const ask = serving([{ req_path: "/docs", dir_path: "manual" }], { "manual/index.html": "the start" });
  expect(["/docs", "/docs?x=1"].map(ask)).toEqual(["/docs/", "/docs/?x=1"]);
});

test("the names in index are looked for in their order", () => {
  const ask = serving([{ req_path: "/", dir_path: "public", index: ["a.html", "b.txt"] }], {
    "public/b.txt": "b",
    "public/both/a.html": "a",
    "public/both/b.txt": "b",
    "public/index.html": "none of them",
  });
  expect(["/", "/both/"].map(ask)).toEqual(["b", "a"]);
});

test("a folder that is not there is told by its key", () => {
  expect(() => serving([{ req_path: "/", dir_path: "none" }], {})).toThrow(
    /servers\[0\]\.routes\[0\]\.dir_path: open .*none: no such file or directory \(ENOENT\)/,
  );
  expect(() => serving([{ req_path: "/", dir_path: "a" }], { a: "a file" })).toThrow(/dir_path: .*ENOTDIR/);
});

test("an index is the name of a file, not a path", () => {
  expect(() => serving([{ req_path: "/", dir_path: ".", index: ["../x"] }], {})).toThrow(
    'index[0]: has to be the name of a file, not "../x"',
  );
});
