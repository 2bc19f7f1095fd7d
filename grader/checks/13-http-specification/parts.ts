/** Parts of files, and conditions. */
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, describeBytes, quote } from "../../engine/evidence.ts";
import type { HttpResponse } from "../../engine/http-response.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { expectField, expectStatusOf, serve } from "../general/configured.ts";
import { exchange } from "./site.ts";

const size = 1000;
const text = Array.from({ length: size / 10 }, (_, index) => `line ${String(index).padStart(4, "0")}\n`).join(
  "",
);
/** When the file was changed: long ago, so that its date is a strong validator. */
const changedAt = new Date("2020-02-03T04:05:06Z");

/** A server with one file of 1,000 bytes, of a known date, and a client. */
async function serveText(
  context: CheckContext,
): Promise<{ client: TcpPeer; etag: string; lastModified: string }> {
  const { ports, folder } = await serve(
    context,
    ([port]) => ({
      servers: [
        {
          listeners: [{ host: "127.0.0.1", port }],
          routes: [{ req_path: "/", type: "file_serve", dir_path: "public" }],
        },
      ],
    }),
    { files: { "public/text.txt": text, "public/empty.txt": "" } },
  );
  utimesSync(join(folder, "public/text.txt"), changedAt, changedAt);
  const client = await context.connect({ port: ports[0]! });
  const response = await exchange(client, "GET /text.txt");
  expectStatusOf(response, 200, "GET /text.txt");
  const [etag, lastModified] = [response.field("ETag") ?? "", response.field("Last-Modified") ?? ""];
  assert(/^"[^"]+"$/.test(etag) && lastModified === changedAt.toUTCString(), {
    summary: "the answer to GET /text.txt has no strong ETag, or not the file's time",
    expected: `an ETag in quotes, and Last-Modified: ${changedAt.toUTCString()}`,
    observed: quote(Buffer.from(response.head), 400),
  });
  return { client, etag, lastModified };
}

/** Fails unless a response has exactly these bytes of the file. */
function expectPart(response: HttpResponse, start: number, end: number, request: string): void {
  expectStatusOf(response, 206, request);
  expectField(response, "Content-Range", `bytes ${start}-${end - 1}/${size}`, request);
  const expected = Buffer.from(text.slice(start, end));
  assert(response.body.equals(expected), {
    summary: `the answer to ${request} has other bytes than those of its Content-Range`,
    expected: describeBytes(expected),
    observed: describeBytes(response.body),
  });
}

function expectWhole(response: HttpResponse, request: string): void {
  expectStatusOf(response, 200, request);
  assert(response.body.toString() === text, {
    summary: `the answer to ${request} is not the whole file`,
    expected: describeBytes(Buffer.from(text)),
    observed: describeBytes(response.body),
  });
}

/** The parts of a body of multipart/byteranges (RFC 9110 §14.6), or what is wrong with it. */
function readParts(response: HttpResponse): { range: string; body: Buffer }[] | string {
  const type = response.field("Content-Type") ?? "";
  const boundary = /^multipart\/byteranges; *boundary=(?:"([^"]+)"|([^\s";]+))$/i.exec(type);
  if (boundary === null) return `Content-Type: ${type}`;
  const delimiter = `\r\n--${boundary[1] ?? boundary[2]}`;
  const pieces = `\r\n${response.body.toString("latin1")}`.split(delimiter);
  // What stands before the first delimiter is a preamble: nothing, or one more line end.
  if (pieces.shift()!.trim() !== "") return "something stands before the first delimiter";
  if (!/^--[ \t]*(\r\n|$)/.test(pieces.pop() ?? "")) return "the last delimiter does not end in two hyphens";
  const parts: { range: string; body: Buffer }[] = [];
  for (const piece of pieces) {
    const end = piece.indexOf("\r\n\r\n");
    const head = piece.slice(0, end);
    const range = /\r\nContent-Range: *bytes (\d+-\d+\/\d+)/i.exec(head)?.[1];
    if (end === -1 || range === undefined)
      return `a part has no Content-Range: ${quote(Buffer.from(piece), 100)}`;
    parts.push({ range, body: Buffer.from(piece.slice(end + 4), "latin1") });
  }
  return parts;
}

const get = "GET /text.txt";

export const parts: Check[] = [
  check(
    "range",
    {
      title: "serves the part of a file that is asked for",
      points: 3,
      after: ["keeps-connection"],
      why: "A film is not watched from its first byte, and a download that broke off need not begin again.",
      see: ["RFC 9110 §14", "docs/guides/ranges-and-conditionals.md"],
      byHand: "curl -si -r 0-9 http://127.0.0.1:8001/hello.txt",
    },
    async (context) => {
      const { client } = await serveText(context);
      const ranges: [value: string, start: number, end: number][] = [
        ["bytes=0-0", 0, 1],
        ["bytes=0-9", 0, 10],
        ["bytes=500-599", 500, 600],
        ["bytes=990-", 990, 1000],
        ["bytes=999-5000", 999, 1000],
        ["bytes=-1", 999, 1000],
        ["bytes=-5", 995, 1000],
        ["bytes=-5000", 0, 1000],
        ["BYTES=0-9", 0, 10],
      ];
      for (const [value, start, end] of ranges) {
        const what = `${get} with Range: ${value}`;
        expectPart(await exchange(client, get, { what, headers: [`Range: ${value}`] }), start, end, what);
      }
      const head = await exchange(client, "HEAD /text.txt", { headers: ["Range: bytes=0-9"] });
      expectStatusOf(head, 200, "HEAD /text.txt with Range, which is for GET alone,");
      expectField(head, "Accept-Ranges", "bytes", "HEAD /text.txt");
    },
  ),
  check(
    "several-ranges",
    {
      title: "serves several parts at once, as multipart/byteranges",
      points: 2,
      after: ["range"],
      why: "Readers of PDF ask for the end and the middle of a file at once. Where one part ends and the next begins is told by a delimiter that stands in none of them.",
      see: ["RFC 9110 §14.6", "docs/guides/ranges-and-conditionals.md"],
      byHand: "curl -si -r 0-4,10-14 http://127.0.0.1:8001/hello.txt",
    },
    async (context) => {
      const { client } = await serveText(context);
      for (const [value, expected] of [
        [
          "bytes=0-9,500-509",
          [
            [0, 10],
            [500, 510],
          ],
        ],
        [
          "bytes=100-109, 300-309 ,-10",
          [
            [100, 110],
            [300, 310],
            [990, 1000],
          ],
        ],
        [
          "bytes=0-9,5000-,20-29",
          [
            [0, 10],
            [20, 30],
          ],
        ],
      ] as [string, [number, number][]][]) {
        const what = `${get} with Range: ${value}`;
        const response = await exchange(client, get, { what, headers: [`Range: ${value}`] });
        expectStatusOf(response, 206, what);
        const parts = readParts(response);
        const observed =
          typeof parts === "string"
            ? parts
            : parts.map(({ range, body }) => `${range}: ${quote(body)}`).join("\n");
        const wanted = expected
          .map(([start, end]) => `${start}-${end - 1}/${size}: ${quote(Buffer.from(text.slice(start, end)))}`)
          .join("\n");
        assert(observed === wanted, {
          summary: `the answer to ${what} is not the parts that were asked for`,
          expected: wanted,
          observed,
        });
        expectField(response, "Content-Range", undefined, what);
      }
      // Parts that overlap are joined: one part then, by itself or as the only one of several.
      const what = `${get} with Range: bytes=0-99,50-149`;
      const response = await exchange(client, get, { what, headers: ["Range: bytes=0-99,50-149"] });
      expectPart(response, 0, 150, what);
    },
  ),
  check(
    "bad-ranges",
    {
      title: "answers 416 for parts that are not there, and ignores a Range that makes no sense",
      points: 2,
      after: ["range"],
      why: "416 tells how long the file is, so that a client can ask again. A field that nobody understands is no reason to refuse: the whole file is right, too.",
      see: ["RFC 9110 §14.2", "RFC 9110 §15.5.17"],
    },
    async (context) => {
      const { client } = await serveText(context);
      for (const value of ["bytes=1000-", "bytes=5000-6000", "bytes=-0", "bytes=1000-,2000-3000"]) {
        const what = `${get} with Range: ${value}`;
        const response = await exchange(client, get, { what, headers: [`Range: ${value}`] });
        expectStatusOf(response, 416, what);
        expectField(response, "Content-Range", `bytes */${size}`, what);
      }
      const many = Array.from({ length: 17 }, (_, index) => `${index * 20}-${index * 20}`).join(",");
      const ignored = [
        "bytes=5-2",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=0-9;",
        "bytes 0-9",
        "bytes=0 - 9",
        "bytes=--5",
        "bytes=0x0-9",
        "bytes=+0-9",
        "bytes=0-9,5-2",
        "lines=0-9",
        "bytes",
        `bytes=${many}`,
        "bytes=0-,0-,0-",
      ];
      for (const value of ignored) {
        const what = `${get} with Range: ${value.slice(0, 60)}`;
        expectWhole(await exchange(client, get, { what, headers: [`Range: ${value}`] }), what);
      }
      const empty = await exchange(client, "GET /empty.txt", { headers: ["Range: bytes=0-9"] });
      assert(empty.status === 416 || empty.status === 200, {
        summary: `GET /empty.txt with a Range is answered by ${empty.status}`,
        expected: "416 with Content-Range: bytes */0, or 200",
        observed: quote(Buffer.from(empty.head), 400),
      });
    },
  ),
  check(
    "if-range",
    {
      title: "serves a part only of the file that the client knows, where it says so by If-Range",
      points: 2,
      after: ["range"],
      why: "The first half of yesterday's file and the second half of today's are no file at all.",
      see: ["RFC 9110 §13.1.5", "docs/guides/ranges-and-conditionals.md"],
    },
    async (context) => {
      const { client, etag, lastModified } = await serveText(context);
      const later = new Date(changedAt.getTime() + 60_000).toUTCString();
      for (const [value, isPart] of [
        [etag, true],
        [lastModified, true],
        ['"another"', false],
        [`W/${etag}`, false],
        [later, false],
        ["nonsense", false],
      ] as const) {
        const what = `${get} with a Range and If-Range: ${value}`;
        const headers = ["Range: bytes=0-9", `If-Range: ${value}`];
        const response = await exchange(client, get, { what, headers });
        if (isPart) expectPart(response, 0, 10, what);
        else expectWhole(response, what);
      }
    },
  ),
  check(
    "not-modified",
    {
      title: "answers 304 to a client that has the file already",
      points: 3,
      after: ["keeps-connection"],
      why: "Most of what browsers ask for they have. 304 is the answer without the file.",
      see: ["RFC 9110 §13.1.2", "RFC 9110 §13.1.3", "docs/guides/ranges-and-conditionals.md"],
      byHand: "curl -si -H 'If-None-Match: *' http://127.0.0.1:8001/hello.txt",
    },
    async (context) => {
      const { client, etag, lastModified } = await serveText(context);
      const ahead = new Date(Date.now() + 86_400_000).toUTCString();
      const before = new Date(changedAt.getTime() - 1000).toUTCString();
      const after = new Date(changedAt.getTime() + 1000).toUTCString();
      const cases: [headers: string[], isKnown: boolean][] = [
        [[`If-None-Match: ${etag}`], true],
        [[`If-None-Match: W/${etag}`], true],
        [[`If-None-Match: "a,b" , ${etag}`], true],
        [['If-None-Match: "one"', `If-None-Match: ${etag}`], true],
        [["If-None-Match: *"], true],
        [['If-None-Match: "another"'], false],
        [[`If-None-Match: "x${etag.slice(1)}`], false],
        [[`If-Modified-Since: ${lastModified}`], true],
        [[`If-Modified-Since: ${after}`], true],
        [["If-Modified-Since: Monday, 03-Feb-20 04:05:06 GMT"], true],
        [["If-Modified-Since: Mon Feb  3 04:05:06 2020"], true],
        [[`If-Modified-Since: ${before}`], false],
        [[`If-Modified-Since: ${ahead}`], false],
        [["If-Modified-Since: yesterday"], false],
        // If-None-Match knows better than a date of whole seconds.
        [['If-None-Match: "another"', `If-Modified-Since: ${lastModified}`], false],
        [[`If-None-Match: ${etag}`, `If-Modified-Since: ${before}`], true],
      ];
      for (const [headers, isKnown] of cases) {
        for (const line of [get, "HEAD /text.txt"]) {
          const what = `${line} with ${headers.join(" and ")}`;
          const response = await exchange(client, line, { what, headers });
          expectStatusOf(response, isKnown ? 304 : 200, what);
          expectField(response, "ETag", etag, what);
          if (!isKnown && line === get) expectWhole(response, what);
        }
      }
      const both = [`If-None-Match: ${etag}`, "Range: bytes=0-9"];
      expectStatusOf(
        await exchange(client, get, { headers: both }),
        304,
        `${get} with ${both.join(" and ")}`,
      );
    },
  ),
  check(
    "preconditions",
    {
      title: "answers 412 where If-Match or If-Unmodified-Since does not hold",
      points: 1,
      after: ["keeps-connection"],
      why: "By these a client says: only if it is still what I know. An answer about something else would do harm.",
      see: ["RFC 9110 §13.1.1", "RFC 9110 §13.2.2"],
    },
    async (context) => {
      const { client, etag, lastModified } = await serveText(context);
      const before = new Date(changedAt.getTime() - 1000).toUTCString();
      const cases: [headers: string[], status: number][] = [
        [[`If-Match: ${etag}`], 200],
        [["If-Match: *"], 200],
        [[`If-Match: "x", ${etag}`], 200],
        [['If-Match: "another"'], 412],
        [[`If-Match: W/${etag}`], 412],
        [[`If-Unmodified-Since: ${lastModified}`], 200],
        [[`If-Unmodified-Since: ${before}`], 412],
        [["If-Unmodified-Since: nonsense"], 200],
        [[`If-Match: ${etag}`, `If-Unmodified-Since: ${before}`], 200],
        [['If-Match: "another"', `If-None-Match: ${etag}`], 412],
      ];
      for (const [headers, status] of cases) {
        const what = `${get} with ${headers.join(" and ")}`;
        expectStatusOf(await exchange(client, get, { what, headers }), status, what);
      }
    },
  ),
];
