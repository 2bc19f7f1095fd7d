import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Check, check } from "../checks.ts";
import type { CheckContext, StartOptions } from "../engine/context.ts";
import { assert, CheckFailure, count, describeBytes } from "../engine/evidence.ts";
import { residentBytes } from "../engine/proc.ts";
import type { Program } from "../engine/program.ts";
import type { RawPeer } from "../engine/raw-peer.ts";
import type { TcpPeer } from "../engine/tcp-client.ts";
import { findTool } from "../engine/tool.ts";
import { returnsDescriptors } from "./general/descriptors.ts";
import { endsCleanly, expectNoStackTrace, restarts } from "./general/endings.ts";
import { floodStaysBounded, growthLimit } from "./general/flood.ts";
import { type IdleSituation, idleSituations, sleepsWhenIdle } from "./general/idle.ts";
import { framesLines, keepsBytes, reversesLine, servesMany } from "./general/line-server.ts";
import { exchange } from "./general/lines.ts";
import { nonBlocking } from "./general/non-blocking.ts";
import { halfClose } from "./general/proxy-ends.ts";
import { relays } from "./general/proxy-relaying.ts";
import { survivesResets } from "./general/resets.ts";
import {
  expectFilesClosed,
  makeZeroDevice,
  markedFile,
  missingRoot,
  sparseFile,
  standsAt,
  surroundWithSecrets,
} from "./general/served-files.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";
import type { Surroundings } from "./general/surroundings.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const byHand =
  "curl --http0.9 http://127.0.0.1:8002/index.html   (with the second port that you gave the program)";

/** Clients talk to the third port, which reverses lines. */
const linePorts: Surroundings = async () => ({ talkTo: 2 });

/** The program is told its upstream by an option. */
const upstreamArgs = (address: string) => ["--upstream", address];

/** A program that serves a folder, and the folder. */
type Site = { server: Program; root: string };

/**
 * Starts the program with a folder of the check's own to serve.
 * @param fill puts files into it before the start
 */
async function serve(context: CheckContext, fill: (root: string) => void): Promise<Site> {
  if (context.plan.program.ports === "fixed") {
    context.skip("course.json says that the programs take no arguments, so none can name a folder to serve");
  }
  const root = join(context.folder(), "public");
  mkdirSync(root);
  fill(root);
  const options: StartOptions = { args: ["--root", root], talkTo: 1 };
  return { server: await context.start(options), root };
}

/** Asks for a path by HTTP/0.9. Resolves to the connection, on which the answer comes. */
async function request(context: CheckContext, server: Program, path: string): Promise<TcpPeer> {
  const client = await context.connect(server);
  client.send(`GET ${path}\r\n`);
  return client;
}

/** Fails unless a path is answered by these bytes and the end of the stream. */
async function expectFile(
  context: CheckContext,
  server: Program,
  path: string,
  expected: Uint8Array,
): Promise<void> {
  const client = await request(context, server, path);
  await client.expect(expected, { withinMs: 20_000, what: `the file for ${path}` });
  await client.expectEnd({ why: `although all of ${path} has been sent` });
  client.close();
}

/** Fails unless the end of the stream is all that comes. */
async function expectEndOnly(client: TcpPeer, sent: string, because: string): Promise<void> {
  const answer = await client.readAll(5000);
  assert(client.over && answer.length === 0, {
    summary:
      answer.length > 0
        ? `bytes came for ${sent}, ${because}`
        : `the connection stays open after ${sent}, ${because}`,
    expected: "the end of the connection, and no bytes before it",
    observed: answer.length > 0 ? describeBytes(answer) : "an open connection",
  });
  client.close();
}

/** Fails unless a path is answered by the end of the stream alone. */
async function expectNothing(
  context: CheckContext,
  server: Program,
  path: string,
  because: string,
): Promise<void> {
  await expectEndOnly(await request(context, server, path), path, because);
}

/** Clients in the middle of a request or of an answer. */
const idleFileClients: IdleSituation[] = [
  {
    when: "a client has sent half of a request line",
    async arrange({ connect }, server) {
      const client = await connect({ port: server.ports[1]! });
      client.send("GET /ind");
      await client.wasRead();
    },
  },
  {
    when: "a client has got its answer and keeps the connection open",
    async arrange({ connect }, server) {
      const client = await connect({ port: server.ports[1]! });
      client.send("GET /no-such-file\r\n");
      await client.expectEnd({});
    },
  },
];

export const checks: Check[] = [
  builds("stage-09"),
  announces(),
  reversesLine(linePorts, { title: "reverses a line on the third and the fourth port" }),
  // What frames lines is the module of stage 5, which nothing here can have changed.
  ...framesLines(linePorts, { thorough: true }),
  ...servesMany(linePorts),
  keepsBytes(linePorts, { thorough: true }),
  relays(upstreamArgs, { title: "relays the first port as before", points: 1, after: ["announces"] }),
  halfClose(upstreamArgs, { points: 1 }),
  check(
    "serves-files",
    {
      title: "answers GET /path with the file's bytes and the end of the connection",
      points: 3,
      after: ["announces"],
      why: "This is all of HTTP/0.9: one line asks, the file answers, and the end of the stream says that it was all. Every later HTTP grew from it.",
      see: ["sendfile(2)", "docs/guides/sendfile.md"],
      byHand,
    },
    async (context) => {
      const files = new Map<string, Uint8Array>([
        ["/empty", new Uint8Array(0)],
        ["/one-byte.bin", Uint8Array.of(0)],
        ["/page.html", Buffer.from("<h1>hello</h1>\n")],
        ["/64k.bin", context.random.bytes(64 * KiB)],
        ["/3m.bin", context.random.bytes(3 * MiB + 1)],
        ["/folder/below/deep.txt", Buffer.from("deep\n")],
        ["/größe.txt", Buffer.from("UTF-8 in a name\n")],
      ]);
      const { server, root } = await serve(context, (folder) => {
        mkdirSync(join(folder, "folder/below"), { recursive: true });
        for (const [path, bytes] of files) writeFileSync(join(folder, path), bytes);
      });
      for (const [path, bytes] of files) await expectFile(context, server, path, bytes);
      await expectFilesClosed(context, root, "after the answers");
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
      const server = await context.start({ cwd, talkTo: 1 });
      await expectFile(context, server, "/here.txt", Buffer.from("in public\n"));
      await expectNothing(context, server, "/around.txt", "which lies beside public");
    },
  ),
  check(
    "request-line",
    {
      title: "takes the path up to the first space or line end, and ignores the rest",
      points: 2,
      after: ["serves-files"],
      why: "Clients of later versions send a version behind the path and header fields behind the line. A server that closes while such bytes are unread answers them by a reset, and the reset destroys the answer on its way.",
      see: ["tcp(7)", "docs/guides/half-close.md"],
      byHand,
    },
    async (context) => {
      const body = context.random.bytes(600 * KiB);
      const { server } = await serve(context, (root) => {
        writeFileSync(join(root, "body.bin"), body);
        writeFileSync(join(root, "a"), "short\n");
      });
      const answers = async (sent: (client: TcpPeer) => Promise<void> | void, expected: Uint8Array) => {
        const client = await context.connect(server);
        await sent(client);
        await client.expect(expected, { withinMs: 20_000 });
        await client.expectEnd({ why: "although the file has been sent" });
        client.close();
      };
      const short = Buffer.from("short\n");
      await answers((client) => client.send("GET /a\n"), short);
      await answers((client) => client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"), short);
      await answers(async (client) => {
        for (const part of ["G", "ET ", "/", "a", "\r", "\n"]) {
          client.send(part);
          await client.wasRead();
        }
      }, short);
      await answers((client) => {
        client.send("GET /a");
        client.end();
      }, short);
      await answers((client) => {
        client.send(
          Buffer.concat([Buffer.from("GET /body.bin HTTP/1.0\r\n"), Buffer.alloc(400 * KiB, "x: y\r\n")]),
        );
      }, body);
    },
  ),
  check(
    "nonsense",
    {
      title: "closes without bytes after what is no request",
      points: 1,
      after: ["serves-files"],
      why: "Whoever finds an open port sends something: a browser its TLS greeting, a scanner anything. None of it may stop the server, and none of it is a request for a file.",
      byHand: "printf 'POST /index.html\\r\\n' | nc -N 127.0.0.1 8002",
    },
    async (context) => {
      const { server } = await serve(context, (root) => writeFileSync(join(root, "a"), "a\n"));
      const sent: [bytes: string | Uint8Array, name: string][] = [
        ["\r\n", "an empty line"],
        ["hello\r\n", "a line that is no request"],
        ["GET\r\n", "a request without a path"],
        ["POST /a\r\n", "another method"],
        ["FORGET /a\r\n", "a method that ends like GET"],
        [Buffer.from("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0\xff\n", "latin1"), "a TLS greeting"],
        [Buffer.from("GET /a\0b\r\n", "latin1"), "a path with a NUL in it"],
        [Buffer.from("GET /\xff\xfe\r\n", "latin1"), "a path that is no UTF-8"],
        ["", "the end of the stream at once"],
      ];
      for (const [bytes, name] of sent) {
        const client = await context.connect(server);
        if (bytes.length > 0) client.send(bytes);
        else client.end();
        await expectEndOnly(client, name, "which is no request for a file");
      }
      await expectFile(context, server, "/a", Buffer.from("a\n"));
      expectNoStackTrace(server);
    },
  ),
  check(
    "curl",
    {
      title: "works with curl --http0.9",
      points: 1,
      after: ["serves-files"],
      why: "A client that nobody wrote for this course has the last word on whether a protocol is spoken.",
      byHand,
    },
    async (context) => {
      const curl = findTool("curl", context.plan.env.PATH);
      if (curl === undefined) return context.skip("curl is not installed here");
      const body = context.random.bytes(300 * KiB);
      const { server } = await serve(context, (root) => writeFileSync(join(root, "body.bin"), body));
      const url = `http://127.0.0.1:${server.ports[1]}/body.bin`;
      const { code, stdout, stderr } = await context.runTool(curl, [
        "-q",
        "--noproxy",
        "*",
        "-sS",
        "--http0.9",
        url,
      ]);
      assert(code === 0 && stdout.equals(body), {
        summary: "curl does not get the file",
        expected: `status 0 and ${count(body.length, "byte")}`,
        observed: `status ${code} and ${count(stdout.length, "byte")}${stderr === "" ? "" : `: ${stderr.trim()}`}`,
      });
    },
  ),
  check(
    "large-file",
    {
      title: "sends 100 MiB in little memory, and serves others meanwhile",
      points: 3,
      after: ["serves-files"],
      why: "A file that is read into memory first costs its size for each client. sendfile hands the kernel's own pages to the socket, as fast as the client takes them.",
      see: ["sendfile(2)", "docs/guides/sendfile.md", "docs/guides/backpressure.md"],
    },
    async (context) => {
      const size = 100 * MiB;
      const { server } = await serve(context, (root) => {
        markedFile(join(root, "large.bin"), size);
        writeFileSync(join(root, "small.txt"), "small\n");
      });
      await expectFile(context, server, "/small.txt", Buffer.from("small\n"));
      const before = residentBytes(context.tree.alive());
      const expectSmall = (situation: string) => {
        const grown = residentBytes(context.tree.alive()) - before;
        assert(grown < growthLimit, {
          summary: `${server.name} grows with the file that it sends`,
          expected: `less than ${growthLimit / MiB} MiB more memory than before`,
          observed: `${Math.round(grown / MiB)} MiB more ${situation}`,
        });
      };
      const clients = await Promise.all([0, 1, 2].map(() => context.connectRaw({ port: server.port })));
      let wrongAt: number | undefined;
      const receive = (client: RawPeer, length: number) => {
        let at = client.received;
        return client.receive(length, (bytes) => {
          if (!standsAt(bytes, at)) wrongAt ??= at;
          at += bytes.length;
        });
      };
      for (const client of clients) client.sendSome(Buffer.from("GET /large.bin\r\n"));
      // A byte of the answer has come, so that it is under way; nobody takes more for now.
      for (const client of clients) await receive(client, 1);
      await expectFile(context, server, "/small.txt", Buffer.from("small\n"));
      await exchange(await context.connect({ port: server.ports[2]! }), "others are served\n");
      expectSmall("while three clients read nothing");
      for (const client of clients) {
        const all = await receive(client, size - client.received);
        assert(all && wrongAt === undefined, {
          summary: "the large file did not arrive as it is",
          expected: `${count(size, "byte")}, the same as in the file`,
          observed:
            wrongAt === undefined
              ? `${count(client.received, "byte")}`
              : `wrong bytes within the 64 KiB from byte ${wrongAt} on`,
        });
        expectSmall("after a client has read it all");
      }
    },
  ),
  check(
    "fifty-at-once",
    {
      title: "serves 50 clients at once, each with its own file",
      points: 2,
      after: ["serves-files"],
      why: "Each answer has its own place in its own file: an offset that two clients share mixes their bytes.",
      see: ["sendfile(2)"],
    },
    async (context) => {
      const bodies = Array.from({ length: 10 }, () =>
        context.random.bytes(context.random.integer(1, 700 * KiB)),
      );
      const { server, root } = await serve(context, (folder) => {
        for (const [index, body] of bodies.entries()) writeFileSync(join(folder, `${index}.bin`), body);
      });
      const clients = await Promise.all(Array.from({ length: 50 }, () => context.connect(server)));
      for (const client of clients) client.pause();
      for (const [index, client] of clients.entries()) client.send(`GET /${index % bodies.length}.bin\r\n`);
      for (const [index, client] of [...clients.entries()].reverse()) {
        client.resume();
        await client.expect(bodies[index % bodies.length]!, { withinMs: 20_000 });
        await client.expectEnd({ why: "although its file has been sent" });
      }
      await expectFilesClosed(context, root, "after the answers");
    },
  ),
  check(
    "client-leaves",
    {
      title: "closes the file when its client leaves half-way",
      points: 2,
      after: ["large-file"],
      why: "A file is a second descriptor that belongs to the connection. Clients leave in the middle all the time, and each one that leaves a file open brings the limit nearer.",
      see: ["close(2)"],
    },
    async (context) => {
      const { server, root } = await serve(context, (folder) =>
        sparseFile(join(folder, "large.bin"), 100 * MiB),
      );
      for (const way of ["close", "reset"] as const) {
        const client = await context.connectRaw({ port: server.port });
        client.sendSome(Buffer.from("GET /large.bin\r\n"));
        await client.receive(1, () => {});
        client[way]();
        await expectFilesClosed(context, root, `after a client has left in the middle (${way})`);
      }
      expectNoStackTrace(server);
    },
  ),
  check(
    "no-such-file",
    {
      title: "closes without bytes for what is no readable file",
      points: 2,
      after: ["serves-files"],
      why: "HTTP/0.9 has no status: nothing but the end is left to say. And to open is not yet to serve: a named pipe makes the opener wait for its other end, and with it the whole server.",
      see: ["open(2)", "fifo(7)", "fstat(2)"],
    },
    async (context) => {
      let hasDevice = false;
      const { server, root } = await serve(context, (folder) => {
        mkdirSync(join(folder, "folder"));
        execFileSync("mkfifo", [join(folder, "pipe")]);
        hasDevice = makeZeroDevice(join(folder, "device"));
        writeFileSync(join(folder, "secret"), "nobody may read this\n");
        chmodSync(join(folder, "secret"), 0);
        symlinkSync("missing", join(folder, "dangling"));
        symlinkSync("loop", join(folder, "loop"));
        writeFileSync(join(folder, "file"), "a file\n");
      });
      await expectNothing(context, server, "/missing", "which does not exist");
      await expectNothing(context, server, "/folder", "which is a directory");
      await expectNothing(context, server, "/", "which is a directory");
      await expectNothing(context, server, "/file/more", "which goes on behind a file");
      await expectNothing(context, server, "/dangling", "which is a link to nothing");
      await expectNothing(context, server, "/loop", "which is a link to itself");
      await expectNothing(context, server, "/pipe", "which is a named pipe");
      const writer = openSync(join(root, "pipe"), constants.O_RDWR | constants.O_NONBLOCK);
      try {
        writeSync(writer, "out of the pipe\n");
        await expectNothing(context, server, "/pipe", "which is a named pipe, with bytes in it");
      } finally {
        closeSync(writer);
      }
      if (hasDevice) await expectNothing(context, server, "/device", "which is a device");
      await expectNothing(context, server, `/${"long".repeat(2000)}`, "whose name is too long");
      if (process.getuid?.() !== 0) await expectNothing(context, server, "/secret", "which may not be read");
      await expectFile(context, server, "/file", Buffer.from("a file\n"));
      await expectFilesClosed(context, root, "after requests for what is no file");
      expectNoStackTrace(server);
    },
  ),
  check(
    "nothing-outside",
    {
      title: "lets nothing outside the folder leave, by any path or link",
      points: 4,
      after: ["serves-files"],
      why: "The path comes from a stranger. `..`, a link, a folder whose name only begins alike: each has opened whole machines to the world. A comparison of texts sees none of what the file system does; the kernel, which walks the path, does.",
      see: ["openat2(2)", "path_resolution(7)", "docs/guides/sendfile.md"],
      byHand: "printf 'GET /../package.json\\r\\n' | nc -N 127.0.0.1 8002",
    },
    async (context) => {
      const { server, root } = await serve(context, (folder) => {
        surroundWithSecrets(folder);
        symlinkSync("inside/ok.txt", join(folder, "inside-link"));
      });
      const secret = join(root, "..", "outside", "secret.txt");
      for (const [path, because] of [
        ["/../outside/secret.txt", "which leads out by .."],
        ["/inside/../../outside/secret.txt", "which leads out by .."],
        ["/./../outside/secret.txt", "which leads out by .."],
        ["/../public-evil/secret.txt", "a folder whose name begins like the served one's"],
        [secret, "an absolute path of a file outside"],
        [`/${secret}`, "an absolute path behind a slash"],
        [`//${secret}`, "an absolute path behind two slashes"],
        ["/absolute-link", "a link that leads out"],
        ["/relative-link", "a link that leads out"],
        ["/%2e%2e/outside/secret.txt", "which leads out by .., if one decodes it"],
        ["/..%2foutside%2fsecret.txt", "which leads out by .., if one decodes it"],
        ["/folder-link/secret.txt", "through a link that leads out"],
        [`/root-link${secret}`, "through a link to the root"],
        ["/../../../../../../../../etc/hostname", "which leads out by .."],
      ] as const) {
        await expectNothing(context, server, path, because);
      }
      await expectFile(context, server, "/inside/ok.txt", Buffer.from("inside\n"));
      await expectFile(context, server, "/inside/../inside/ok.txt", Buffer.from("inside\n"));
      // A server may follow links that stay inside, or none at all.
      const client = await request(context, server, "/inside-link");
      const answer = await client.readAll(5000);
      assert(client.over && ["", "inside\n"].includes(answer.toString("latin1")), {
        summary: "a link that stays inside is answered by something else",
        expected: "the file that it names, or no bytes at all, and the end of the connection",
        observed: client.over ? describeBytes(answer) : "an open connection",
      });
    },
  ),
  check(
    "link-swapped",
    {
      title: "lets nothing out while a link changes its target",
      points: 2,
      after: ["nothing-outside"],
      why: "Between looking at a path and opening it, somebody can exchange what it names. Only a look and an opening that are one call cannot be tricked.",
      see: ["openat2(2)"],
    },
    async (context) => {
      const { server, root } = await serve(context, (folder) => {
        mkdirSync(join(folder, "..", "outside"));
        writeFileSync(join(folder, "..", "outside", "file"), "outside");
        mkdirSync(join(folder, "inside"));
        writeFileSync(join(folder, "inside", "file"), "inside!");
      });
      const link = join(root, "link");
      const spare = join(root, "spare");
      let isInside = false;
      const swap = () => {
        isInside = !isInside;
        symlinkSync(isInside ? "inside" : "../outside", spare);
        renameSync(spare, link); // at once, so that the name is never missing
      };
      swap();
      for (let turn = 0; turn < 100; turn++) {
        const client = await request(context, server, "/link/file");
        let isAnswered = false;
        const reading = client.readAll(5000).finally(() => {
          isAnswered = true;
        });
        while (!isAnswered) {
          swap();
          await new Promise((resolve) => setImmediate(resolve));
        }
        const answer = await reading;
        if (answer.length > 0 && answer.toString() !== "inside!") {
          throw new CheckFailure({
            summary: "a file outside was sent while a link changed its target",
            expected: 'the bytes "inside!", or nothing',
            observed: describeBytes(answer),
          });
        }
        client.close();
      }
      unlinkSync(link);
    },
  ),
  check(
    "file-shrinks",
    {
      title: "survives a file that becomes shorter while it is sent",
      points: 2,
      after: ["large-file"],
      why: "sendfile returns 0 where the file has ended before its time. A loop that waits for the rest of a promised length never ends.",
      see: ["sendfile(2)", "docs/guides/sendfile.md"],
    },
    async (context) => {
      const { server, root } = await serve(context, (folder) => {
        sparseFile(join(folder, "log"), 100 * MiB);
        writeFileSync(join(folder, "small.txt"), "small\n");
      });
      // A small buffer: most of the file must not have left yet.
      const client = await context.connectRaw({ port: server.port }, { receiveBuffer: 16 * KiB });
      client.sendSome(Buffer.from("GET /log\r\n"));
      await client.receive(1, () => {});
      context.step("cut the file to 1 KiB");
      truncateSync(join(root, "log"), KiB);
      await client.receive(100 * MiB, () => {}, 5000);
      assert(client.over, {
        summary: "the connection stays open after the file became shorter",
        expected: "the end of the connection, or its reset",
        observed: "the connection is open",
      });
      await expectFile(context, server, "/small.txt", Buffer.from("small\n"));
      await expectFilesClosed(context, root, "after a file that became shorter");
    },
  ),
  check(
    "endless-request",
    {
      title: "does not keep a request line without an end",
      points: 1,
      after: ["request-line"],
      why: "A client that sends bytes without a line end must not fill the memory: no path is longer than 4,096 bytes.",
      see: ["path_resolution(7)"],
    },
    async (context) => {
      const { server } = await serve(context, (root) => writeFileSync(join(root, "a"), "a\n"));
      await expectFile(context, server, "/a", Buffer.from("a\n"));
      const before = residentBytes(context.tree.alive());
      const client = await context.connectRaw({ port: server.port });
      client.sendSome(Buffer.from("GET /"));
      // No more than shows it: who joins each piece to all before needs a time that grows with the square.
      await client.floodUntilStuck(Buffer.alloc(64 * KiB, "a"), 48 * MiB);
      const grown = residentBytes(context.tree.alive()) - before;
      assert(grown < 32 * MiB, {
        summary: `${server.name} keeps a request line without an end`,
        expected: "less than 32 MiB more memory than before",
        observed: `${Math.round(grown / MiB)} MiB more after ${count(client.sent, "byte")}`,
      });
      await expectFile(context, server, "/a", Buffer.from("a\n"));
    },
  ),
  check(
    "file-root",
    {
      title: "FileRoot: opens what lies below, refuses the rest, keeps nothing open",
      points: 2,
      after: ["builds"],
      why: "The static files of a whole web server will go through this module: what it lets out is out.",
      see: ["openat2(2)", "fstat(2)"],
    },
    ({ probe }) => probe("file-root"),
  ),
  check(
    "mime",
    {
      title: "mimeType: by extension, in any case, and bytes for what is unknown",
      points: 1,
      after: ["builds"],
      why: "A browser shows a page, plays a film or saves a file by this one line.",
      see: ["RFC 9110 §8.3", "RFC 2046 §4.5.1"],
    },
    ({ probe }) => probe("mime"),
  ),
  nonBlocking(linePorts),
  floodStaysBounded(linePorts),
  survivesResets(linePorts),
  returnsDescriptors(linePorts),
  sleepsWhenIdle(linePorts, [...idleSituations, ...idleFileClients]),
  portTaken(),
  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["8001", "--root"], names: "--root" },
    { args: ["8001", "--upstream", "nonsense"], names: "nonsense" },
    { args: ["8001", "--folder", "public"], names: "--folder" },
  ]),
  missingRoot(["usage"]),
  endsCleanly(linePorts),
  restarts(linePorts),
  onlySystemCalls(),
];
