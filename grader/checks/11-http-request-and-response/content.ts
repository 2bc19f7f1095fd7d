/** What a file is sent as. */
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../stages/package-root.ts";
import { type Check, check } from "../../checks.ts";
import { assert, CheckFailure, quote } from "../../engine/evidence.ts";
import { readResponse } from "../../engine/http-response.ts";
import { findTool } from "../../engine/tool.ts";
import { ask, expectField, expectStatusOf } from "../general/configured.ts";
import { eventually, expectContent, serveFolder } from "./folder.ts";

const KiB = 1024;
const past = "Sun, 06 Nov 1994 08:49:37 GMT";
const pastSeconds = 784111777;
const imfFixdate =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

export const content: Check[] = [
  check(
    "serves-files",
    {
      title: "answers GET by 200 and the file's bytes",
      points: 3,
      after: ["announces"],
      why: "This is what a web server is for. The length is told before the first byte, so that the client knows when it has the whole.",
      see: ["RFC 9112 §6", "RFC 9110 §8.6"],
      byHand: "curl -si http://127.0.0.1:8001/hello.txt",
    },
    async (context) => {
      const picture = readFileSync(join(packageRoot, "stages/09-file-module/skeleton/public/logo.png"));
      const files = new Map<string, Uint8Array>([
        ["/empty.txt", new Uint8Array(0)],
        ["/one.bin", Uint8Array.of(0)],
        ["/page.html", Buffer.from("<h1>hello</h1>\n")],
        ["/logo.png", picture],
        ["/64k.bin", context.random.bytes(64 * KiB)],
        ["/large.bin", context.random.bytes(3 * 1024 * KiB + 1)],
        ["/folder/below/deep.css", Buffer.from("p {}\n")],
      ]);
      const site = await serveFolder(context, (root) => {
        mkdirSync(join(root, "folder/below"), { recursive: true });
        for (const [path, bytes] of files) writeFileSync(join(root, path), bytes);
      });
      for (const [path, bytes] of files) {
        const response = await expectContent(site, `GET ${path}`, bytes);
        expectField(response, "Content-Length", String(bytes.length), `GET ${path}`);
      }
      // Once more: what was opened before may be kept, and must not have changed by being sent.
      for (const [path, bytes] of files) await expectContent(site, `GET ${path}`, bytes);
    },
  ),
  check(
    "default-root",
    {
      title: "serves the folder public of its working directory",
      points: 1,
      after: ["serves-files"],
      why: "A program without options should do what one expects: serve the folder that lies beside it, and nothing around it.",
    },
    async (context) => {
      if (context.plan.program.language === "other") {
        context.skip("a program of course.json runs in the workspace, whose files a check leaves alone");
      }
      const cwd = context.folder();
      mkdirSync(join(cwd, "public"));
      writeFileSync(join(cwd, "public/here.txt"), "in public\n");
      writeFileSync(join(cwd, "around.txt"), "beside public\n");
      const server = await context.start({ cwd });
      expectStatusOf(await ask(context, server.port, "GET /here.txt"), 200, "GET /here.txt");
      expectStatusOf(await ask(context, server.port, "GET /around.txt"), 404, "GET /around.txt");
    },
  ),
  check(
    "in-pieces",
    {
      title: "takes a request in pieces, while it serves others",
      points: 2,
      after: ["serves-files"],
      why: "A head comes in as many segments as the network likes, and the next client does not wait for it. One that gives up in the middle must not cost a descriptor for ever.",
      see: ["tcp(7)"],
      byHand: "nc -C 127.0.0.1 8001, and type the request line by line",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => {
        for (const name of ["one", "two", "three"]) writeFileSync(join(root, `${name}.txt`), `${name}\n`);
      });
      const clients = await Promise.all(
        ["one", "two"].map(async (name) => ({
          name,
          client: await context.connect(site.server),
          pieces: ["G", `ET /${name}`, ".txt HTTP/1", ".1\r", "\nHo", "st: localhost\r\n\r", "\n"],
        })),
      );
      while (clients[0]!.pieces.length > 1) {
        for (const { client, pieces } of clients) {
          client.send(pieces.shift()!);
          await client.wasRead();
        }
      }
      await expectContent(site, "GET /three.txt", "three\n");
      for (const { client } of clients) client.expectNothing();
      for (const { client, pieces } of clients) client.send(pieces[0]!);
      for (const { name, client } of clients) {
        const what = `GET /${name}.txt, sent in pieces beside another one`;
        const { body } = await readResponse(client, { what });
        assert(body.toString() === `${name}\n`, {
          summary: `${what} is answered by something else`,
          expected: quote(Buffer.from(`${name}\n`)),
          observed: quote(body, 200),
        });
      }
      const unfinished = await context.connect(site.server);
      unfinished.send("GET /one.txt HTTP/1.1\r\nHost: loc");
      unfinished.end();
      await unfinished.readAll(5000); // a server may answer by 400
      assert(unfinished.over, {
        summary: "the connection of a client that ended in the middle of its request stays open",
        expected: "the end of the connection, with or without a 400: nothing can come any more",
        observed: "the connection is open",
      });
    },
  ),
  check(
    "content-type",
    {
      title: "says what the file is",
      points: 1,
      after: ["serves-files"],
      why: "By this one line a browser shows a page, plays a film, runs a script or offers to save a file.",
      see: ["RFC 9110 §8.3"],
      byHand: "curl -sI http://127.0.0.1:8001/logo.png",
    },
    async (context) => {
      const types: [name: string, type: RegExp][] = [
        ["page.html", /^text\/html(;|$)/i],
        ["style.css", /^text\/css(;|$)/i],
        ["app.js", /^(text|application)\/javascript(;|$)/i],
        ["picture.PNG", /^image\/png$/i],
        ["data.json", /^application\/json(;|$)/i],
        ["what.unheard-of", /^application\/octet-stream$/i],
      ];
      const site = await serveFolder(context, (root) => {
        for (const [name] of types) writeFileSync(join(root, name), "x");
      });
      for (const [name, type] of types) {
        expectField(await site.ask(`GET /${name}`), "Content-Type", type, `GET /${name}`);
      }
    },
  ),
  check(
    "fields",
    {
      title: "sends Server and Date, and the date moves",
      points: 2,
      waits: true,
      after: ["serves-files"],
      why: "Caches compute ages with the Date. One that was rendered once and never again makes every answer look old.",
      see: ["RFC 9110 §6.6.1", "RFC 9110 §5.6.7"],
      byHand: "curl -sI http://127.0.0.1:8001/hello.txt",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => writeFileSync(join(root, "a.txt"), "a\n"));
      const dateOf = async (line: string) => {
        const before = Math.floor(Date.now() / 1000);
        const response = await site.ask(line);
        const after = Math.floor(Date.now() / 1000);
        expectField(response, "Server", "eXpServer", line);
        expectField(response, "Date", imfFixdate, line);
        const seconds = Date.parse(response.field("Date")!) / 1000;
        assert(seconds >= before - 3 && seconds <= after + 1, {
          summary: `the Date of the answer to ${line} is not the time at which it was made`,
          expected: `a time from ${new Date(1000 * before).toUTCString()} to ${new Date(1000 * after).toUTCString()}`,
          observed: `Date: ${response.field("Date")}`,
        });
        return seconds;
      };
      const first = await dateOf("GET /a.txt");
      await dateOf("GET /missing");
      let last = first;
      const hasMoved = await eventually(context, 6000, async () => {
        last = await dateOf("GET /a.txt");
        return last > first;
      });
      assert(hasMoved, {
        summary: "the Date does not move",
        expected: `a later Date than ${new Date(1000 * first).toUTCString()}`,
        observed: `Date: ${new Date(1000 * last).toUTCString()}`,
      });
    },
  ),
  check(
    "validators",
    {
      title: "names the version of a file by Last-Modified and ETag",
      points: 2,
      waits: true,
      after: ["serves-files"],
      why: "By these two a client can ask later whether its copy is still good. Another content needs another tag, also when it is as long and came in the same second.",
      see: ["RFC 9110 §8.8"],
      byHand: "curl -sI http://127.0.0.1:8001/hello.txt",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => {
        writeFileSync(join(root, "old.txt"), "old\n");
        utimesSync(join(root, "old.txt"), pastSeconds, pastSeconds);
        writeFileSync(join(root, "future.txt"), "from a wrong clock\n");
        utimesSync(join(root, "future.txt"), 4e9, 4e9);
        writeFileSync(join(root, "changing.txt"), "first\n");
      });
      const old = await site.ask("GET /old.txt");
      expectField(old, "Last-Modified", past, "GET /old.txt");
      expectField(old, "ETag", /^(W\/)?"[\x21\x23-\x7e]+"$/, "GET /old.txt");
      expectField(await site.ask("GET /old.txt"), "ETag", old.field("ETag")!, "GET /old.txt, once more,");
      const future = await site.ask("GET /future.txt");
      const [date, modified] = ["Date", "Last-Modified"].map((name) =>
        Date.parse(future.field(name) ?? past),
      );
      assert(modified! <= date!, {
        summary: "a Last-Modified lies after the Date of its own response",
        expected: "the time of the file, or no later one than that of the response (RFC 9110 §8.8.2.1)",
        observed: quote(Buffer.from(future.head), 600),
      });
      const before = (await expectContent(site, "GET /changing.txt", "first\n")).field("ETag");
      const file = join(site.root, "changing.txt");
      writeFileSync(file, "other\n"); // as long as before
      const hasChanged = await eventually(
        context,
        5000,
        async () => (await site.ask("GET /changing.txt")).body.toString() === "other\n",
      );
      assert(hasChanged, {
        summary: "a file that has changed is sent as it was",
        expected: '"other\\n", at most 5 seconds after the change',
        observed: '"first\\n"',
      });
      const after = (await site.ask("GET /changing.txt")).field("ETag");
      assert(after !== before, {
        summary: "a file has another content and the same ETag",
        expected: `another tag than ${before}`,
        observed: `ETag: ${after}`,
      });
    },
  ),
  check(
    "head",
    {
      title: "answers HEAD by the head of GET and no body",
      points: 2,
      after: ["serves-files"],
      why: "A client asks by HEAD how large a file is before it fetches it. A body behind that head would be taken for the next answer.",
      see: ["RFC 9110 §9.3.2"],
      byHand: "curl -sI http://127.0.0.1:8001/hello.txt",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => {
        writeFileSync(join(root, "a.txt"), "ten bytes.");
        writeFileSync(join(root, "large.bin"), context.random.bytes(200 * KiB));
      });
      for (const path of ["/a.txt", "/large.bin", "/missing"]) {
        const got = await site.ask(`GET ${path}`);
        const client = await context.connect(site.server);
        client.send(`HEAD ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
        const head = await readResponse(client, { what: `HEAD ${path}`, toHead: true });
        await client.expectEnd({ why: `although HEAD ${path} has been answered` });
        expectStatusOf(head, got.status, `HEAD ${path}`);
        for (const name of ["Content-Length", "Content-Type", "ETag", "Last-Modified"]) {
          if (got.field(name) !== undefined) expectField(head, name, got.field(name)!, `HEAD ${path}`);
        }
      }
    },
  ),
  check(
    "one-request",
    {
      title: "says how the connection goes on, and does as it says",
      points: 1,
      after: ["serves-files"],
      why: "HTTP/1.1 connections persist unless somebody says close. A server that closes without saying so loses the request that a client sends next.",
      see: ["RFC 9112 §9.3", "RFC 9112 §9.6"],
    },
    async (context) => {
      const site = await serveFolder(context, (root) => writeFileSync(join(root, "a.txt"), "a\n"));
      const client = await context.connect(site.server);
      client.send("GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
      const response = await readResponse(client, { what: "GET /a.txt" });
      if (/\bclose\b/i.test(response.field("Connection") ?? "")) {
        await client.expectEnd({ why: "although the response says Connection: close" });
        return;
      }
      client.send("GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
      expectStatusOf(
        await readResponse(client, { what: "a second request on a connection that persists" }),
        200,
        "a second request on a connection that did not say close",
      );
    },
  ),
  check(
    "http-1.0",
    {
      title: "serves a client of HTTP/1.0, without what it cannot know",
      points: 1,
      after: ["serves-files"],
      why: "Simple programs still speak it. They know no chunks, send no Host, and take the end of the connection for the end of the answer.",
      see: ["RFC 9112 §9.3", "RFC 9112 §6.1"],
      byHand: "curl -si --http1.0 http://127.0.0.1:8001/hello.txt",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => writeFileSync(join(root, "a.txt"), "a\n"));
      for (const path of ["/a.txt", "/missing"]) {
        const client = await context.connect(site.server);
        client.send(`GET ${path} HTTP/1.0\r\n\r\n`);
        const response = await readResponse(client, { what: `GET ${path} of HTTP/1.0` });
        expectStatusOf(response, path === "/a.txt" ? 200 : 404, `GET ${path} of HTTP/1.0`);
        assert(response.field("Transfer-Encoding") === undefined, {
          summary: "a client of HTTP/1.0 gets chunks",
          expected: "no Transfer-Encoding",
          observed: quote(Buffer.from(response.head), 400),
        });
        await client.expectEnd({ why: "although its one request has been answered" });
      }
    },
  ),
  check(
    "real-clients",
    {
      title: "works with curl and undici",
      points: 1,
      after: ["announces"],
      why: "Clients that nobody wrote for this course have the last word on whether a protocol is spoken.",
      byHand: "curl -s http://127.0.0.1:8001/logo.png | cmp - public/logo.png",
    },
    async (context) => {
      const body = context.random.bytes(300 * KiB);
      const { server } = await serveFolder(context, (root) => writeFileSync(join(root, "body.bin"), body));
      const url = `http://127.0.0.1:${server.port}/body.bin`;
      const got = new Map<string, Buffer>();
      const curl = findTool("curl", context.plan.env.PATH);
      if (curl !== undefined) {
        const { stdout } = await context.runTool(curl, ["-q", "--noproxy", "*", "-sS", url]);
        got.set("curl", stdout);
      }
      const { Agent, request } = await import("undici");
      const { limitMs } = context.deadline(10_000);
      const dispatcher = new Agent({ headersTimeout: limitMs, bodyTimeout: limitMs });
      try {
        const response = await request(url, { dispatcher });
        got.set("undici", Buffer.from(await response.body.arrayBuffer()));
      } catch (error) {
        throw new CheckFailure({
          summary: "undici cannot read the response",
          expected: `${body.length} bytes`,
          observed: (error as Error).message,
        });
      } finally {
        await dispatcher.destroy();
      }
      for (const [name, bytes] of got) {
        assert(bytes.equals(body), {
          summary: `${name} gets another file`,
          expected: `${body.length} bytes, the same as in the file`,
          observed: `${bytes.length} bytes`,
        });
      }
    },
  ),
];
