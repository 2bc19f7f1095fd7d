/** Long answers, slow clients, and clients that leave. */
import { renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, count, quote } from "../../engine/evidence.ts";
import { residentBytes } from "../../engine/proc.ts";
import type { RawPeer } from "../../engine/raw-peer.ts";
import { expectNoStackTrace } from "../general/endings.ts";
import { growthLimit } from "../general/flood.ts";
import { markedFile, openFilesBelow, sparseFile, standsAt } from "../general/served-files.ts";
import { eventually, expectContent, serveFolder } from "./folder.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const get = (path: string) =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);

/** Takes a response with a marked file: its head, then the content, which is compared as it comes. */
class MarkedResponse {
  readonly client: RawPeer;
  head = "";
  /** Bytes of content so far. */
  received = 0;
  /** Where wrong bytes begin, to 64 KiB. */
  wrongAt: number | undefined;

  constructor(client: RawPeer) {
    this.client = client;
  }

  async takeHead(): Promise<void> {
    while (this.#headEnd() === -1 && this.head.length < 64 * KiB && !this.client.over) {
      if (!(await this.client.receive(1, (bytes) => this.#take(bytes)))) return;
    }
  }

  /** Takes the rest of so many bytes of content. */
  async takeContent(size: number): Promise<void> {
    await this.client.receive(size - this.received, (bytes) => this.#take(bytes));
  }

  #headEnd(): number {
    return this.head.indexOf("\r\n\r\n");
  }

  #take(bytes: Uint8Array): void {
    let content = bytes;
    if (this.#headEnd() === -1) {
      const before = this.head.length;
      this.head += Buffer.from(bytes).toString("latin1");
      if (this.#headEnd() === -1) return;
      this.head = this.head.slice(0, this.#headEnd() + 4);
      content = bytes.subarray(this.head.length - before);
    }
    if (!standsAt(content, this.received)) this.wrongAt ??= this.received;
    this.received += content.length;
  }
}

export const delivery: Check[] = [
  check(
    "large-file",
    {
      title: "sends 100 MiB in little memory, and serves others meanwhile",
      points: 3,
      after: ["serves-files"],
      why: "A head in front of the file changes nothing about how a file is sent: by sendfile, as fast as the client takes it.",
      see: ["sendfile(2)", "docs/guides/sendfile.md"],
    },
    async (context) => {
      const size = 100 * MiB;
      const site = await serveFolder(context, (root) => {
        markedFile(join(root, "large.bin"), size);
        writeFileSync(join(root, "small.txt"), "small\n");
      });
      await expectContent(site, "GET /small.txt", "small\n");
      const before = residentBytes(context.tree.alive());
      const expectSmall = (situation: string) => {
        const grown = residentBytes(context.tree.alive()) - before;
        assert(grown < growthLimit, {
          summary: `${site.server.name} grows with the file that it sends`,
          expected: `less than ${growthLimit / MiB} MiB more memory than before`,
          observed: `${Math.round(grown / MiB)} MiB more ${situation}`,
        });
      };
      const clients = await Promise.all([0, 1].map(() => context.connectRaw({ port: site.server.port })));
      const responses = clients.map((client) => new MarkedResponse(client));
      for (const { client } of responses) client.sendSome(get("/large.bin"));
      for (const response of responses) {
        await response.takeHead();
        assert(new RegExp(`^content-length: *${size}\r$`, "im").test(response.head), {
          summary: "the head of a large file does not say how long it is",
          expected: `Content-Length: ${size}`,
          observed: quote(Buffer.from(response.head, "latin1"), 600),
        });
      }
      await expectContent(site, "GET /small.txt", "small\n");
      expectSmall("while two clients read nothing");
      for (const response of responses) {
        await response.takeContent(size);
        assert(response.received === size && response.wrongAt === undefined, {
          summary: "the large file did not arrive as it is",
          expected: `${count(size, "byte")} behind the head, the same as in the file`,
          observed:
            response.wrongAt === undefined
              ? count(response.received, "byte")
              : `wrong bytes within the 64 KiB from byte ${response.wrongAt} on`,
        });
        expectSmall("after a client has read it all");
      }
    },
  ),
  check(
    "late-reader",
    {
      title: "loses nothing of an answer when its client sends more than is read",
      points: 2,
      after: ["serves-files"],
      why: "A close with unread input is a reset for the client, and destroys what it has not received yet. The end has to be an orderly one.",
      see: ["RFC 9112 §9.6", "docs/guides/half-close.md"],
    },
    async (context) => {
      const body = context.random.bytes(200 * KiB);
      const site = await serveFolder(context, (root) => writeFileSync(join(root, "body.bin"), body));
      // Most of the answer waits in the server's socket until the client reads: a reset would destroy it there.
      const client = await context.connectRaw({ port: site.server.port }, { receiveBuffer: 16 * KiB });
      client.sendSome(Buffer.concat([get("/body.bin"), Buffer.alloc(300 * KiB, "x: y\r\n")]));
      // A server that sends and reads in turn reads the rest after the answer, so there may be nothing to wait for.
      await context.waitFor(() => (client.unreadByProgram() ?? 0) === 0, 500);
      const pieces: Buffer[] = [];
      await client.receive(MiB, (bytes) => pieces.push(Buffer.from(bytes)));
      const answer = Buffer.concat(pieces);
      const at = answer.indexOf("\r\n\r\n") + 4;
      assert(answer.subarray(at).equals(body), {
        summary: "a client that has sent more than its request loses a part of the answer",
        expected: `a head and ${count(body.length, "byte")}`,
        observed: `${count(answer.length, "byte")} in all, then ${client.broken ?? "the end"}`,
      });
    },
  ),
  check(
    "client-leaves",
    {
      title: "closes a file when it was sent, shrank, or its client left half-way",
      points: 2,
      waits: true,
      after: ["serves-files"],
      why: "A file that is kept for the next client has several users. It is closed when the last of them needs it no more: not before, and not never.",
      see: ["close(2)"],
    },
    async (context) => {
      const site = await serveFolder(context, (root) => {
        sparseFile(join(root, "large.bin"), 100 * MiB);
        sparseFile(join(root, "shrinking.bin"), 100 * MiB);
        writeFileSync(join(root, "small.txt"), "small\n");
      });
      const open = async (path: string) => {
        const client = await context.connectRaw({ port: site.server.port }, { receiveBuffer: 16 * KiB });
        client.sendSome(get(path));
        await client.receive(1, () => {});
        return client;
      };
      for (let turn = 0; turn < 3; turn++) {
        for (const way of ["close", "reset"] as const) (await open("/large.bin"))[way]();
        await site.ask("HEAD /large.bin"); // opens it too, and sends nothing of it
      }
      const client = await open("/shrinking.bin");
      truncateSync(join(site.root, "shrinking.bin"), KiB);
      await client.receive(100 * MiB, () => {}, 5000);
      assert(client.over, {
        summary: "the connection stays open after its file became shorter than was said",
        expected: "the end of the connection, or its reset: the announced length cannot come any more",
        observed: "the connection is open",
      });
      await expectContent(site, "GET /small.txt", "small\n");
      expectNoStackTrace(site.server);
      // A cache may keep one descriptor of each file, and lets go of it when it sees that the file is another one.
      for (const size of [99 * MiB, 98 * MiB]) {
        sparseFile(join(site.root, "next"), size);
        renameSync(join(site.root, "next"), join(site.root, "large.bin"));
        const isSeen = await eventually(context, 5000, async () => {
          const response = await site.ask("HEAD /large.bin");
          return response.field("Content-Length") === String(size);
        });
        assert(isSeen, {
          summary: "a file that was replaced is still the old one",
          expected: `Content-Length: ${size}, at most 5 seconds after another file took the name`,
          observed: "the length of the file before",
        });
        (await open("/large.bin")).close();
      }
      await expectFewOpen(context, site.root);
    },
  ),
];

/** Fails when there are more open descriptors below a folder than one for each of its files. */
async function expectFewOpen(context: CheckContext, root: string): Promise<void> {
  const files = 3;
  const settled = await context.waitFor(() => openFilesBelow(context, root) <= files, 5000);
  assert(settled, {
    summary: "files stay open that nobody needs",
    expected: `at most one descriptor for each of the ${files} files that were asked for`,
    observed: count(openFilesBelow(context, root), "descriptor"),
  });
}
