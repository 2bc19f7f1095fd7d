import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EACCES, EIO, EMFILE, ENAMETOOLONG } from "expserver-course/linux";
import { beforeEach, describe, expect, test } from "vitest";
import { FileRoot } from "../disk/file.ts";
import { persistence } from "../http/persistence.ts";
import { request, responses, siteOf, TestClient } from "../http/test-session.ts";
import { SteppedLoop } from "../network/test-loop.ts";
import { conditionals } from "./conditionals.ts";
import { methods } from "./methods.ts";
import { ranges } from "./ranges.ts";
import { StaticFiles } from "./static-files.ts";

const large = "0123456789".repeat(10_000);

let folder: string;
let client: TestClient;
let files: StaticFiles;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "expserver-static-files-"));
  mkdirSync(join(folder, "public/below/.hidden"), { recursive: true });
  const texts = {
    "index.html": "<p>",
    "a b.txt": "ten bytes.",
    "below/index.html": "below",
    "below/empty": "",
    large,
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, "public", name), text);
  writeFileSync(join(folder, "secret"), "secret");
  const root = new FileRoot(join(folder, "public"));
  const loop = new SteppedLoop();
  files = new StaticFiles(root, () => loop.now);
  const site = siteOf(files.handle, [persistence(), methods(), conditionals(), ranges()]);
  client = new TestClient(site, loop);
  return () => {
    files.destroy();
    root.destroy();
    rmSync(folder, { recursive: true });
  };
});

const publicPath = (name: string) => join(folder, "public", name);
const ask = (line: string, headers?: string[]) => responses(client.ask(request(line, headers)))[0]!;
const get = (path: string, headers?: string[]) => ask(`GET ${path}`, headers);
const openFiles = () => readdirSync("/proc/self/fd").length;

describe("a file", () => {
  test("is sent with its length, type, time and tag", () => {
    utimesSync(publicPath("a b.txt"), 784111777, 784111777);
    expect(get("/a%20b.txt?x=1")).toMatchObject({
      status: 200,
      body: "ten bytes.",
      fields: {
        "content-length": "10",
        "content-type": "text/plain; charset=utf-8",
        "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT",
        etag: expect.stringMatching(/^"[0-9a-z]+-a"$/),
        "accept-ranges": "bytes",
      },
    });
  });

  test.each([
    ["/below/empty", ""],
    ["/large", large],
    ["/", "<p>"],
    ["/below/", "below"],
    ["//below//index.html", "below"],
  ])("%s arrives whole", (path, text) => expect(get(path)).toMatchObject({ status: 200, body: text }));

  test("of a time that lies ahead is said to be of now", () => {
    utimesSync(publicPath("large"), 4e9, 4e9);
    expect(Date.parse(get("/large").fields["last-modified"]!)).toBeLessThanOrEqual(Date.now());
  });

  test("that was changed is sent as it is now, a second later", () => {
    const before = get("/a%20b.txt");
    writeFileSync(publicPath("a b.txt"), "new");
    client.loop.advance(1000);
    const after = get("/a%20b.txt");
    expect(after.body).toBe("new");
    expect(after.fields.etag).not.toBe(before.fields.etag);
  });

  test("that was deleted is gone, a second later", () => {
    get("/a%20b.txt");
    unlinkSync(publicPath("a b.txt"));
    client.loop.advance(1000);
    expect(get("/a%20b.txt").status).toBe(404);
  });

  test("whose place a link out of the folder has taken stays inside", () => {
    get("/a%20b.txt");
    unlinkSync(publicPath("a b.txt"));
    symlinkSync("../secret", publicPath("a b.txt"));
    client.loop.advance(1000);
    expect(get("/a%20b.txt").status).toBe(403);
  });

  test("that becomes shorter while it is sent breaks the connection", () => {
    truncateSync(publicPath("large"), 40_000_000);
    client.say(request("GET /large"));
    truncateSync(publicPath("large"), 0);
    client.receive();
    expect(client.over).toBe("reset");
  });

  test("keeps no descriptor open once the files are closed, also when its client left half-way", () => {
    const before = openFiles();
    truncateSync(publicPath("large"), 40_000_000);
    client.say(request("GET /large"));
    expect(openFiles()).toBe(before + 1);
    files.destroy();
    expect(openFiles()).toBe(before + 1);
    client.reset();
    expect(openFiles()).toBeLessThan(before);
  });
});

describe("no file", () => {
  test.each([
    ["/missing", 404],
    ["/a%20b.txt/", 404],
    ["/a%20b.txt/x", 404],
    [`/${"x".repeat(300)}`, 404],
    ["/%FF", 404],
    ["/below%2Findex.html", 400],
    ["/a%00", 400],
    ["/../secret", 400],
    ["/below/.hidden/", 403],
  ])("%s is answered by %i", (path, status) => {
    const answer = get(path);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(`<h1>${status} `);
  });

  test("is what lies outside, or is no regular file", () => {
    symlinkSync("../secret", publicPath("link"));
    symlinkSync(join(folder, "secret"), publicPath("absolute"));
    symlinkSync("loop", publicPath("loop"));
    execFileSync("mkfifo", [publicPath("pipe")]);
    expect(["/link", "/absolute", "/loop", "/pipe"].map((path) => get(path).status)).toEqual([
      403, 403, 403, 404,
    ]);
  });

  test("is a folder without its slash: that is redirected, and never to another host", () => {
    expect(get("/below").fields.location).toBe("/below/");
    expect(get("/below?x=/y").fields.location).toBe("/below/?x=/y");
    expect(get("//below").fields.location).toBe("/below/");
  });

  test.each([
    [EACCES, 403],
    [EMFILE, 503],
    [EIO, 500],
    [ENAMETOOLONG, 404],
  ])("is one that cannot be opened for errno %i: that is %i", (errno, status) => {
    const root = { open: () => -errno } as unknown as FileRoot;
    const unopened = new StaticFiles(root, () => 0);
    const [answer] = responses(new TestClient(siteOf(unopened.handle)).ask(request("GET /a")));
    expect(answer!.status).toBe(status);
  });
});

describe("a method", () => {
  test("that reads nothing is not allowed, and which are is said", () => {
    expect(ask("DELETE /large")).toMatchObject({ status: 405, fields: { allow: "GET, HEAD, OPTIONS" } });
  });

  test("that nobody knows is not implemented", () => expect(ask("BREW /large").status).toBe(501));

  test("OPTIONS is answered by the methods", () => {
    const answer = ask("OPTIONS /large");
    expect(answer).toMatchObject({ status: 204, body: "", fields: { allow: "GET, HEAD, OPTIONS" } });
    expect(answer.fields).not.toHaveProperty("content-type");
    expect(ask("OPTIONS *").status).toBe(204);
  });

  test("TRACE is refused", () => expect(ask("TRACE /large").status).toBe(405));

  test("HEAD is answered by GET's head", () => {
    const { fields } = get("/large");
    client.say(request("HEAD /large"));
    const text = client.receive();
    expect(text.endsWith("\r\n\r\n")).toBe(true);
    expect(responses(text)[0]!.fields).toEqual(fields);
  });
});

describe("a conditional request", () => {
  const past = "Sun, 06 Nov 1994 08:49:37 GMT";
  const earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
  const future = "Fri, 31 Dec 2100 00:00:00 GMT";

  test.each([
    ["If-None-Match: ETAG", 304],
    ['If-None-Match: "x", W/ETAG', 304],
    ["If-None-Match: *", 304],
    ['If-None-Match: "x"', 200],
    [`If-Modified-Since: ${past}`, 304],
    [`If-Modified-Since: ${earlier}`, 200],
    [`If-Modified-Since: ${future}`, 200],
    ["If-Modified-Since: nonsense", 200],
    ["If-Match: ETAG", 200],
    ["If-Match: *", 200],
    ['If-Match: "x"', 412],
    ["If-Match: W/ETAG", 412],
    [`If-Unmodified-Since: ${past}`, 200],
    [`If-Unmodified-Since: ${earlier}`, 412],
    // Tags count before times.
    [`If-None-Match: "x"|If-Modified-Since: ${past}`, 200],
    [`If-Match: ETAG|If-Unmodified-Since: ${earlier}`, 200],
    ["If-Match: ETAG|If-None-Match: ETAG", 304],
  ])("with %s is answered by %i", (fields, status) => {
    utimesSync(publicPath("large"), 784111777, 784111777);
    const { etag } = get("/large").fields;
    const answer = get("/large", fields.replaceAll("ETAG", etag!).split("|"));
    expect(answer.status).toBe(status);
    if (status !== 304) return;
    expect(answer.fields).toMatchObject({ etag, "last-modified": past });
    expect(answer.fields).not.toHaveProperty("content-length");
    expect(get("/large").body).toBe(large);
  });
});

describe("a range", () => {
  test.each([
    ["/a%20b.txt", "bytes=4-8", "bytes", "bytes 4-8/10"],
    ["/a%20b.txt", "bytes=-2", "s.", "bytes 8-9/10"],
    ["/large", "bytes=99998-", "89", "bytes 99998-99999/100000"],
  ])("of %s, %s, is sent alone", (path, range, body, contentRange) => {
    const answer = get(path, [`Range: ${range}`]);
    expect(answer).toMatchObject({ status: 206, body, fields: { "content-range": contentRange } });
    expect(answer.fields["content-type"]).toBe(get(path).fields["content-type"]);
  });

  test.each(["/a%20b.txt", "/large"])("of several of %s makes a multipart answer", (path) => {
    const whole = get(path).body;
    const answer = get(path, ["Range: bytes=0-2,-3"]);
    expect(answer.status).toBe(206);
    const boundary = /^multipart\/byteranges; boundary=(.+)$/.exec(answer.fields["content-type"]!)![1];
    const [before, first, second, after] = answer.body.split(`--${boundary}`);
    expect([before, after]).toEqual(["\r\n", "--\r\n"]);
    expect(first!.endsWith(`Content-Range: bytes 0-2/${whole.length}\r\n\r\n${whole.slice(0, 3)}\r\n`)).toBe(
      true,
    );
    expect(second!.endsWith(`\r\n\r\n${whole.slice(-3)}\r\n`)).toBe(true);
  });

  test("of which there is nothing is answered by the size", () => {
    expect(get("/large", ["Range: bytes=100000-"])).toMatchObject({
      status: 416,
      fields: { "content-range": "bytes */100000" },
    });
  });

  test.each(["bytes=5-2", "lines=1-2"])("that is no range, %s, is ignored", (range) => {
    expect(get("/large", [`Range: ${range}`]).status).toBe(200);
  });

  test("counts for GET alone", () => {
    client.say(request("HEAD /large", ["Range: bytes=0-1"]));
    expect(client.receive()).toMatch(/^HTTP\/1.1 200 /);
  });

  test("is sent only of the content that the client has a part of already", () => {
    utimesSync(publicPath("large"), 784111777, 784111777);
    const { etag } = get("/large").fields;
    const statusIf = (ifRange: string) => get("/large", ["Range: bytes=0-1", `If-Range: ${ifRange}`]).status;
    expect([etag!, "Sun, 06 Nov 1994 08:49:37 GMT"].map(statusIf)).toEqual([206, 206]);
    expect([`W/${etag}`, '"x"', "*", "Sun, 06 Nov 1994 08:49:38 GMT", "nonsense"].map(statusIf)).toEqual(
      Array(5).fill(200),
    );
  });

  test("keeps no descriptor open", () => {
    const before = openFiles();
    for (const range of ["0-1", "0-1,5-6", "200000-"]) get("/large", [`Range: bytes=${range}`]);
    client.ask(request("HEAD /large", ["Range: bytes=0-1"]));
    files.destroy();
    expect(openFiles()).toBe(before);
  });
});
