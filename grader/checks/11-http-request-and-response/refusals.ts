/** What is answered when there is nothing to send. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Check, check } from "../../checks.ts";
import { quote } from "../../engine/evidence.ts";
import { readResponse } from "../../engine/http-response.ts";
import { expectField, expectStatusOf } from "../general/configured.ts";
import { expectNoStackTrace } from "../general/endings.ts";
import { expectContent, expectErrorPage, serveFolder } from "./folder.ts";

/** Requests that the parser of stage 10 refuses, a few of each kind; its own checks have the others. */
const malformed: [name: string, bytes: string, status: number][] = [
  ["a line that is no request", "hello\r\n\r\n", 400],
  ["a request without Host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["a space before the colon", "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400],
  ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400],
  ["a later version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
  ["a very long target", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ["very many fields", `GET / HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(10_000)}\r\n`, 431],
];

export const refusals: Check[] = [
  check(
    "not-found",
    {
      title: "answers 404 for what is no file, and a page says so",
      points: 2,
      after: ["serves-files"],
      why: "The status is for programs, the page for the person in front of the browser. A named pipe in the folder would make a server wait that opens it without thinking.",
      see: ["RFC 9110 §15.5.5", "fifo(7)"],
      byHand: "curl -si http://127.0.0.1:8001/nothing",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => {
        writeFileSync(join(root, "file.txt"), "a file\n");
        symlinkSync("missing", join(root, "dangling"));
        execFileSync("mkfifo", [join(root, "pipe")]);
      });
      for (const [path, status] of [
        ["/missing", 404],
        ["/missing/deeper.html", 404],
        ["/file.txt/more", 404],
        ["/file.txt/", 404],
        ["/dangling", 404],
        ["/missing%3Cscript%3Ealert(1)%3C/script%3E", 404],
        [`/${"long".repeat(1000)}`, 404],
      ] as const) {
        expectErrorPage(await site.ask(`GET ${path}`), status, `GET ${path.slice(0, 40)}`);
      }
      const pipe = await site.ask("GET /pipe");
      expectStatusOf(pipe, pipe.status === 403 ? 403 : 404, "GET /pipe, a named pipe,");
      await expectContent(site, "GET /file.txt", "a file\n");
      expectNoStackTrace(site.server);
    },
  ),
  check(
    "forbidden",
    {
      title: "answers 403 for what may not be read",
      points: 1,
      after: ["not-found"],
      why: "The file is there, and the answer to the same question will be the same tomorrow: that is another thing than not to be there, and another than a fault of the server.",
      see: ["RFC 9110 §15.5.4"],
    },
    async (context) => {
      const site = await serveFolder(context, (root) => {
        mkdirSync(join(root, "folder"));
        writeFileSync(join(root, "secret"), "nobody may read this\n");
        chmodSync(join(root, "secret"), 0);
      });
      expectErrorPage(await site.ask("GET /folder/"), 403, "GET /folder/, which has no index.html,");
      const isRoot = process.getuid?.() === 0; // who may read everything
      if (!isRoot) expectErrorPage(await site.ask("GET /secret"), 403, "GET /secret, which may not be read,");
    },
  ),
  check(
    "methods",
    {
      title: "answers 405 with Allow for methods that are not for files, 501 for unknown ones",
      points: 2,
      after: ["serves-files"],
      why: "Allow tells the client what it could do instead. A method that nobody has ever heard of is another matter: no list would help.",
      see: ["RFC 9110 §15.5.6", "RFC 9110 §15.6.2", "RFC 9110 §9.1"],
      byHand: "curl -si -X DELETE http://127.0.0.1:8001/hello.txt",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => writeFileSync(join(root, "a.txt"), "a\n"));
      for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
        const request = `${method} /a.txt`;
        const body = method === "DELETE" ? {} : { headers: ["Content-Length: 3"], body: "abc" };
        const response = await site.ask(request, body);
        expectErrorPage(response, 405, request);
        expectField(response, "Allow", /\bGET\b.*\bHEAD\b|\bHEAD\b.*\bGET\b/, request);
      }
      expectErrorPage(await site.ask("BREW /a.txt"), 501, "BREW /a.txt");
      expectErrorPage(await site.ask("get /a.txt"), 501, "get /a.txt, whose method is not GET,");
      await expectContent(site, "GET /a.txt", "a\n");
    },
  ),
  check(
    "bad-requests",
    {
      title: "answers a malformed request by its status, and ends the connection",
      points: 2,
      after: ["serves-files"],
      why: "Your parser knows why it refuses a request; the client has to hear it. What stands behind such a request could be anything, so nothing of it is looked at.",
      see: ["RFC 9112 §3", "RFC 9110 §15.5.1"],
      byHand: "printf 'hello\\r\\n\\r\\n' | nc 127.0.0.1 8001",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => writeFileSync(join(root, "index.html"), "<p>\n"));
      for (const [name, bytes, status] of malformed) {
        const client = await context.connect(site.server);
        client.send(`${bytes}GET / HTTP/1.1\r\nHost: a\r\n\r\n`);
        const response = await readResponse(client, { what: name });
        expectErrorPage(response, status, `${name} (${quote(Buffer.from(bytes.slice(0, 60)))})`);
        await client.expectEnd({ why: `although ${name} cannot be followed by anything` });
        client.close();
      }
      await expectContent(site, "GET /", "<p>\n");
      expectNoStackTrace(site.server);
    },
  ),
];
