/** Which file a target means. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Check, check } from "../../checks.ts";
import { assert, quote } from "../../engine/evidence.ts";
import { expectField, expectStatusOf } from "../general/configured.ts";
import { surroundWithSecrets } from "../general/served-files.ts";
import { expectContent, type FolderServer, serveFolder } from "./folder.ts";

/** Fails when a request is answered by a file, or not at all: every refusal is right. */
async function expectRefused({ ask }: FolderServer, path: string, because: string): Promise<void> {
  const response = await ask(`GET ${path}`);
  assert(
    response.status >= 400 && response.status < 500 && !/outside|secret\n/.test(response.body.toString()),
    {
      summary: `GET ${path} is answered by ${response.status}, ${because}`,
      expected: "a refusal, such as 400, 403 or 404",
      observed: quote(Buffer.concat([Buffer.from(response.head), response.body]), 400),
    },
  );
}

export const paths: Check[] = [
  check(
    "query",
    {
      title: "takes the file of the path, whatever the query says",
      points: 1,
      after: ["serves-files"],
      why: "The query is a matter of programs; a file has none. It is cut off before anything else is done with the path.",
      see: ["RFC 3986 §3.4"],
      byHand: "curl -si 'http://127.0.0.1:8001/hello.txt?x=1'",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => writeFileSync(join(root, "a.txt"), "a\n"));
      for (const target of ["/a.txt?", "/a.txt?x=1", "/a.txt?x=/../b?c", "http://localhost/a.txt?x"]) {
        await expectContent(site, `GET ${target}`, "a\n");
      }
    },
  ),
  check(
    "decoding",
    {
      title: "decodes the path, once, and merges slashes",
      points: 2,
      after: ["serves-files"],
      why: "A space or an umlaut cannot stand in a target as it is. What is decoded twice lets two different names mean one file, or a way out.",
      see: ["RFC 3986 §2.1", "RFC 3986 §6.2.2"],
      byHand: "curl -si http://127.0.0.1:8001/%68ello.txt",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => {
        mkdirSync(join(root, "below"));
        for (const name of ["a b.txt", "größe.txt", "%41.txt", "100%.txt", "below/a+b&c;d=e.txt"]) {
          writeFileSync(join(root, name), name);
        }
      });
      for (const [path, name] of [
        ["/a%20b.txt", "a b.txt"],
        ["/%61%20b.txt", "a b.txt"],
        ["/gr%C3%B6%c3%9fe.txt", "größe.txt"],
        ["/%2541.txt", "%41.txt"],
        ["/100%25.txt", "100%.txt"],
        ["/below/a+b&c;d=e.txt", "below/a+b&c;d=e.txt"],
        ["//below///a+b&c;d=e.txt", "below/a+b&c;d=e.txt"],
        ["/below/../a%20b.txt", "a b.txt"],
        ["/./below/%2e%2e/a%20b.txt", "a b.txt"],
      ] as const) {
        await expectContent(site, `GET ${path}`, name);
      }
    },
  ),
  check(
    "refused-paths",
    {
      title: "refuses paths that lead above the root, and escapes that mean nothing good",
      points: 2,
      after: ["serves-files"],
      why: "`%00` ends a name for the kernel and not for you; `%2F` would be a separator that the client never sent; `%zz` is nobody's character. Whoever guesses what was meant will be wrong about somebody who meant harm.",
      see: ["RFC 3986 §2.1", "RFC 3986 §5.2.4"],
      byHand: "curl -si --path-as-is http://127.0.0.1:8001/../package.json",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => {
        mkdirSync(join(root, "below"));
        writeFileSync(join(root, "below/secret"), "secret\n");
        writeFileSync(join(root, "..", "secret"), "secret\n");
      });
      for (const [path, because] of [
        ["/../secret", "which leads above the root"],
        ["/below/../../secret", "which leads above the root"],
        ["/%2e%2e/secret", "which leads above the root when it is decoded"],
        ["/below/.%2e/%2E%2e/secret", "which leads above the root when it is decoded"],
        [
          "/%252e%252e/secret",
          "which is a name that does not exist, and leads above the root only when it is decoded twice",
        ],
        ["/below%2Fsecret", "an encoded slash is no separator"],
        ["/below/..%2f..%2fsecret", "which leads above the root when it is decoded"],
        ["/below/secret%00", "an encoded NUL"],
        ["/below/secret%00.txt", "an encoded NUL"],
        ["/below/secret%", "an escape without digits"],
        ["/below/secret%zz", "an escape without digits"],
      ] as const) {
        await expectRefused(site, path, because);
      }
    },
  ),
  check(
    "index",
    {
      title: "answers for a folder by its index.html",
      points: 2,
      after: ["serves-files"],
      why: "Nobody types a file's name. The folder's address is the page's.",
      byHand: "curl -si http://127.0.0.1:8001/",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => {
        mkdirSync(join(root, "below"));
        mkdirSync(join(root, "empty"));
        writeFileSync(join(root, "index.html"), "<p>root\n");
        writeFileSync(join(root, "below/index.html"), "<p>below\n");
      });
      expectField(await expectContent(site, "GET /", "<p>root\n"), "Content-Type", /^text\/html/i, "GET /");
      await expectContent(site, "GET /below/", "<p>below\n");
      await expectContent(site, "GET /below/?x=1", "<p>below\n");
      expectStatusOf(await site.ask("GET /empty/"), 403, "GET /empty/, a folder without an index.html,");
    },
  ),
  check(
    "folder-redirect",
    {
      title: "redirects to a folder's address, with its slash, and never to another host",
      points: 2,
      after: ["index"],
      why: "Relative links of the page count from the last slash. And a Location that begins with two slashes names a host: who follows a link to your server would end up with somebody else.",
      see: ["RFC 9110 §15.4.2", "RFC 3986 §4.2"],
      byHand: "curl -si http://127.0.0.1:8001/folder",
    },
    async (context) => {
      const site = await serveFolder(context, (root) => {
        mkdirSync(join(root, "below/a b"), { recursive: true });
        mkdirSync(join(root, "example.org"));
        for (const folder of ["below", "below/a b", "example.org"]) {
          writeFileSync(join(root, folder, "index.html"), `<p>${folder}\n`);
        }
      });
      for (const [target, path] of [
        ["/below", "/below/"],
        ["/below?x=1&y=/z", "/below/?x=1&y=/z"],
        ["/below/a%20b", "/below/a%20b/"],
        ["/./below/../below", "/below/"],
        ["//example.org", "/example.org/"],
        ["///example.org", "/example.org/"],
        ["//below/..//example.org", "/example.org/"],
      ] as const) {
        const request = `GET ${target}`;
        const response = await site.ask(request);
        expectStatusOf(response, 301, request);
        const location = response.field("Location") ?? "";
        const base = `http://localhost:${site.server.port}${target.startsWith("//") ? "/" : target}`;
        const url = URL.canParse(location, base) ? new URL(location, base) : undefined;
        const isRight =
          url !== undefined &&
          ["localhost", "127.0.0.1"].includes(url.hostname) &&
          url.pathname.replace(/\/{2,}/g, "/") + url.search === path;
        assert(isRight, {
          summary: `the answer to ${request} leads to ${url?.hostname === "example.org" ? "another host" : "another place"}`,
          expected: `Location: ${path}`,
          observed: quote(Buffer.from(response.head), 400),
        });
      }
      expectStatusOf(await site.ask("GET /missing/folder"), 404, "GET /missing/folder");
    },
  ),
  check(
    "nothing-outside",
    {
      title: "lets nothing outside the folder leave, by any path or link",
      points: 3,
      after: ["serves-files"],
      why: "What the file module of stage 9 keeps inside has to stay inside behind decoding and caching too.",
      see: ["openat2(2)"],
    },
    async (context) => {
      const site = await serveFolder(context, surroundWithSecrets);
      const secret = join(site.root, "..", "outside", "secret.txt");
      for (const [path, because] of [
        ["/absolute-link", "a link that leads out"],
        ["/relative-link", "a link that leads out"],
        ["/folder-link/secret.txt", "through a link that leads out"],
        ["/folder-link/", "a link to a folder outside"],
        [`/root-link${secret}`, "through a link to the root"],
        [`/${secret}`, "an absolute path of a file outside"],
        [secret.replaceAll("/", "%2F"), "an absolute path, encoded"],
        ["/../public-evil/secret.txt", "a folder whose name begins like the served one's"],
      ] as const) {
        await expectRefused(site, path.startsWith("/") ? path : `/${path}`, because);
      }
      await expectContent(site, "GET /inside/ok.txt", "inside\n");
    },
  ),
];
