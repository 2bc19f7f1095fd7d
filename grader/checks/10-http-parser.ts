import { type Check, type CheckOptions, check } from "../checks.ts";
import { invalidByteRequests, validByteRequests } from "../corpora/http/requests-every-byte.ts";
import { invalidRequests, invalidRequestsByTopic } from "../corpora/http/requests-invalid.ts";
import { validRequests, validRequestsByTopic } from "../corpora/http/requests-valid.ts";
import { assert } from "../engine/evidence.ts";
import { readResponse } from "../engine/http-response.ts";
import {
  byteByByte,
  type Cut,
  type Entry,
  expectUnderstood,
  inPieces,
  parseAnswer,
  whole,
} from "./10-http-parser/corpus.ts";
import { expectExit, expectNoStackTrace, expectStatus, inTurnOrTogether } from "./general/endings.ts";
import { sleepsWhenIdle } from "./general/idle.ts";
import { letCome } from "./general/lines.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";
import { nothingAround } from "./general/surroundings.ts";

const valid = validRequestsByTopic;
const invalid = invalidRequestsByTopic;
/** What is delivered byte by byte; the longer ones are cut. */
const isShort = ({ bytes }: Entry) => bytes.length <= 300;

/** A check whose whole work is to deliver a part of the corpus. */
function corpus(id: string, options: CheckOptions, entries: readonly Entry[], cut: Cut = whole): Check {
  return check(id, { after: ["simple-request"], ...options }, (context) =>
    expectUnderstood(context, entries, cut),
  );
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

export const checks: Check[] = [
  builds("stage-10"),
  announces(),
  check(
    "simple-request",
    {
      title: "answers a plain request by what it has understood",
      points: 2,
      after: ["announces"],
      why: "Each part of the JSON answer is a part of the head: the request line's three words, the target's two halves, the fields in their order.",
      see: ["RFC 9112 §3", "docs/guides/http-messages.md"],
      byHand: "curl -s 'http://127.0.0.1:8001/path?query'",
    },
    (context) => expectUnderstood(context, [valid.requestLines[0]!]),
  ),
  corpus(
    "request-lines",
    {
      title: "reads methods and versions, and refuses every line that is none",
      points: 3,
      why: "A method, one space, a target, one space, a version. What is tolerant here reads another request than the next server in the chain.",
      see: ["RFC 9112 §3", "RFC 9110 §9.1", "RFC 9112 §2.3"],
      byHand: "printf 'GET  / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc 127.0.0.1 8001",
    },
    [...valid.requestLines, ...invalid.requestLines, ...invalid.versions],
  ),
  corpus(
    "targets",
    {
      title: "knows the four forms of a target",
      points: 3,
      why: "A path, a URL, host and port for CONNECT, and * for OPTIONS: each means something else, and only in its place.",
      see: ["RFC 9112 §3.2"],
      byHand: "curl -s --request-target http://other/path http://127.0.0.1:8001/",
    },
    [...valid.originForms, ...valid.otherForms, ...invalid.targets],
  ),
  corpus(
    "fields",
    {
      title: "reads fields and line ends, and refuses what is almost a field",
      points: 4,
      why: "A space before the colon, a line that goes on in the next, a CR alone: each of them is read differently by some server, and so hides a field from one of two.",
      see: ["RFC 9112 §5", "RFC 9112 §2.2", "RFC 9110 §5.5"],
      byHand: "printf 'GET / HTTP/1.1\\r\\nHost : a\\r\\n\\r\\n' | nc 127.0.0.1 8001",
    },
    [...valid.lineEnds, ...valid.fields, ...invalid.fields, ...invalid.lines],
  ),
  corpus(
    "hosts",
    {
      title: "wants one good Host in HTTP/1.1",
      points: 2,
      why: "The host decides which site answers. Missing, doubled or malformed, it lets two servers choose two different ones.",
      see: ["RFC 9112 §3.2", "RFC 9110 §7.2"],
      byHand: "printf 'GET / HTTP/1.1\\r\\n\\r\\n' | nc 127.0.0.1 8001",
    },
    [...valid.hosts, ...invalid.hosts],
  ),
  corpus(
    "framing",
    {
      title: "refuses a body whose length could be read in two ways",
      points: 4,
      why: "Where two readers see the end of a body in different places, the rest is a request for one of them that the other has never seen: request smuggling.",
      see: ["RFC 9112 §6.3", "RFC 9112 §6.1", "RFC 9110 §8.6", "RFC 9112 §11.2"],
      byHand:
        "printf 'POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n' | nc 127.0.0.1 8001",
    },
    [...valid.framings, ...invalid.framings],
  ),
  corpus(
    "limits",
    {
      title: "takes long heads, and refuses endless ones",
      points: 3,
      why: "What is kept for a stranger has to have a limit, and the limit a status that says which it was: 414, 431, 501.",
      see: ["RFC 9110 §15.5.15", "RFC 6585 §5", "RFC 9112 §3"],
      byHand: "(printf 'GET /'; head -c 20000 /dev/zero | tr '\\0' a) | nc 127.0.0.1 8001",
    },
    [...valid.longer, ...invalid.limits],
  ),
  check(
    "every-byte",
    {
      title: "takes each byte where the grammar has it, and nowhere else",
      points: 2,
      after: ["simple-request"],
      why: "A table of what may stand where has no forgotten case. A list of what may not always has.",
      see: ["RFC 9110 §5.6.2", "RFC 9110 §5.5", "RFC 3986 §2"],
    },
    async (context) => {
      // Bytes from 0x80 on are all alike to the grammar: some of them, by the run's seed, are enough.
      const isTried = ({ name }: Entry) =>
        !/0x[89A-F][0-9A-F]\b/.test(name) || context.random.integer(1, 8) === 1;
      await expectUnderstood(context, [...validByteRequests, ...invalidByteRequests].filter(isTried));
    },
  ),
  corpus(
    "byte-by-byte",
    {
      title: "understands a request that comes byte by byte as if it had come whole",
      points: 4,
      why: "TCP keeps the bytes, not the pieces. Between any two bytes your parser may have to stop, and to go on in the same place.",
      see: ["docs/guides/tcp-is-a-byte-stream.md"],
      byHand: "telnet 127.0.0.1 8001   (and type slowly)",
    },
    [...validRequests, ...invalidRequests].filter(isShort),
    byteByByte,
  ),
  corpus(
    "in-pieces",
    {
      title: "understands a request in 21 pieces, cut anywhere",
      points: 3,
      why: "What is kept of the pieces before, and what still lies in the buffer, must fit together, for long heads too.",
      see: ["docs/guides/tcp-is-a-byte-stream.md"],
    },
    [...validRequests, ...invalidRequests],
    inPieces,
  ),
  check(
    "pipelined",
    {
      title: "answers requests that come together, each and in order",
      points: 3,
      after: ["simple-request"],
      why: "Behind a head the next one may begin at once, in the same bytes. Who forgets them lets a client wait for ever.",
      see: ["RFC 9112 §9.3.2"],
      byHand:
        "printf 'GET /1 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\nGET /2 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' | nc -N 127.0.0.1 8001",
    },
    async (context) => {
      const client = await context.connect(await context.start());
      const expectPath = async (path: string, how: string) => {
        const response = await readResponse(client, { what: `GET ${path}` });
        const seen = parseAnswer(response.body.toString())?.path;
        assert(response.status === 200 && seen === path, {
          summary: `a request ${how} is not answered in its turn`,
          expected: `200 and the path ${path}`,
          observed: `${response.status} and ${response.body.toString().trim().slice(0, 300)}`,
        });
      };
      client.send(`${get("/1")}${get("/2")}`);
      await expectPath("/1", "that came together with another");
      await expectPath("/2", "that came behind another");
      client.send(`${get("/3")}GET /4 HT`);
      await expectPath("/3", "with a part of the next behind it");
      client.send(`TP/1.1\r\nHost: a\r\n\r\n`);
      await expectPath("/4", "whose first part came with the one before");
      client.send(Array.from({ length: 500 }, (_, index) => get(`/n${index}`)).join(""));
      for (let index = 0; index < 500; index++)
        await expectPath(`/n${index}`, "among 500 that came together");
      client.send(`${get("/good")}bad\r\n\r\n${get("/never")}`);
      await expectPath("/good", "before a malformed one");
      const { status } = await readResponse(client, { what: "a malformed request behind a good one" });
      assert(status === 400, {
        summary: "a malformed request behind a good one is not refused",
        expected: "400, and the end",
        observed: `${status}`,
      });
      await client.expectEnd({ reset: true, why: "although a request was refused" });
    },
  ),
  check(
    "bodies",
    {
      title: "does not take a body for the next request",
      points: 2,
      after: ["pipelined"],
      why: "This stage reads no bodies, so behind a request that announces one the connection ends. To parse the body as a head would let whoever fills in a form write requests.",
      see: ["RFC 9112 §6.3", "RFC 9112 §11.2"],
      byHand: "curl -s -d 'GET / HTTP/1.1' http://127.0.0.1:8001/",
    },
    async (context) => {
      const server = await context.start();
      const inside = get("/inside");
      for (const [framing, body] of [
        [`Content-Length: ${inside.length}`, inside],
        ["Transfer-Encoding: chunked", `${inside.length.toString(16)}\r\n${inside}\r\n0\r\n\r\n`],
      ] as const) {
        const client = await context.connect(server);
        client.send(`POST /form HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}${get("/after")}`);
        const { status } = await readResponse(client, { what: "POST /form" });
        assert(status === 200, {
          summary: `a good head with ${framing} is not answered by 200`,
          expected: "200",
          observed: `${status}`,
        });
        // Who ends the connection here does what the lesson says; who reads the body to its end does no harm either.
        const hasMore = () => client.unread().length > 0;
        await context.waitFor(() => client.over || hasMore(), 5000);
        const next = hasMore() ? await readResponse(client, { what: "what follows POST /form" }) : undefined;
        const path = next && parseAnswer(next.body.toString())?.path;
        assert(next === undefined ? client.over : next.status === 200 && path === "/after", {
          summary: `what follows a head with ${framing} is not left alone`,
          expected:
            "the end of the connection behind the first answer (or the answer to GET /after, which stands behind the body)",
          observed:
            next === undefined
              ? "neither an end nor an answer"
              : `${next.status} and ${next.body.toString().trim().slice(0, 300)}: a part of the body was taken for a request`,
        });
        client.close();
      }
    },
  ),
  sleepsWhenIdle(
    nothingAround,
    [
      {
        when: "50 clients are connected and silent",
        async arrange(context, server) {
          await letCome(50, async () => void (await context.connect(server)));
        },
      },
      {
        when: "3 clients have left",
        async arrange(context, server) {
          const leave = async () => {
            const client = await context.connect(server);
            client.send(get("/"));
            await readResponse(client);
            return client;
          };
          (await leave()).close();
          (await leave()).end();
          (await leave()).reset();
        },
      },
      {
        when: "3 requests are unfinished",
        async arrange(context, server) {
          for (const part of ["GE", "GET / HTTP/1.1\r\nHo", "GET / HTTP/1.1\r\nHost: a\r\n\r"]) {
            const client = await context.connect(server);
            client.send(part);
            await client.wasRead();
          }
        },
      },
    ],
    { title: "sleeps while clients are idle and requests unfinished", after: ["simple-request"] },
  ),
  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["8001", "8002"], names: "8002" },
    { args: ["70000"], names: "70000" },
    { args: ["--port", "8001"], names: "--port" },
  ]),
  portTaken(),
  check(
    "ends-cleanly",
    {
      title: "ends with status 0 on SIGINT and SIGTERM, with a request unfinished",
      points: 1,
      after: ["simple-request"],
      why: "A client that never finishes its request must not keep the program.",
      see: ["signal(7)"],
    },
    async (context) => {
      const ends = async (signal: NodeJS.Signals) => {
        const server = await context.start();
        const begun = await context.connect(server);
        begun.send("GET / HTTP/1.1\r\nHost: ");
        await begun.wasRead();
        server.kill(signal);
        expectStatus(server, await expectExit(server, 1000, signal), [0], `after ${signal}`);
        expectNoStackTrace(server);
      };
      await inTurnOrTogether([() => ends("SIGINT"), () => ends("SIGTERM")]);
    },
  ),
  onlySystemCalls(),
];
