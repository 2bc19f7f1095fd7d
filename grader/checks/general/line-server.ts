/** A server that answers each line with the line reversed, as stages 5 to 9 have one. */
import { type Check, check } from "../../checks.ts";
import { assert, describeBytes } from "../../engine/evidence.ts";
import type { Program } from "../../engine/program.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { connectMany, exchange, reversed } from "./lines.ts";
import { nothingAround, type Overrides, type Surroundings, startIn } from "./surroundings.ts";

const byHand = `printf 'one\\ntwo\\n' | nc -N 127.0.0.1 8001   (with the ports that you gave the program)`;

/** The ports of a program that reverse lines: from the one that clients talk to on. */
function linePorts(server: Program): number[] {
  return server.ports.slice(server.ports.indexOf(server.port));
}

/** A line is reversed, on every port. */
export function reversesLine(surroundings: Surroundings = nothingAround, overrides: Overrides = {}): Check {
  return check(
    "reverse-line",
    {
      title: "reverses a line on each port",
      points: 2,
      after: ["announces"],
      why: "One program can listen on many ports: each has its own listening socket, and all of them wait in the same loop.",
      see: ["listen(2)", "epoll(7)"],
      byHand,
      ...overrides,
    },
    async (context) => {
      const server = await startIn(context, surroundings);
      for (const port of linePorts(server)) {
        const client = await context.connect({ port });
        await exchange(client, `hello, port ${port}\n`);
        await exchange(client, "\n");
        await exchange(client, `${context.random.word(200)}\n`);
      }
    },
  );
}

/** Sends one part of a line and waits until the program has read it: the next part comes in a read of its own. */
async function sendPart(client: TcpPeer, part: string | Uint8Array): Promise<void> {
  client.send(part);
  await client.wasRead();
}

/** Lines are what counts, not segments. */
export function framesLines(surroundings: Surroundings = nothingAround, overrides: Overrides = {}): Check[] {
  return [
    check(
      "lines-together",
      {
        title: "answers each of several lines that arrive together",
        points: 2,
        after: ["reverse-line"],
        why: "TCP is a stream of bytes: what a client sent in three calls may come in one recv. A server that takes each recv for one message reverses the lines together, and the answers are wrong.",
        see: ["tcp(7)", "docs/guides/tcp-is-a-byte-stream.md"],
        byHand,
        ...overrides,
      },
      async (context) => {
        const client = await context.connect(await startIn(context, surroundings));
        client.send("one\ntwo\n");
        await client.expect("eno\nowt\n");
        client.send("three\n\nfour\nfi");
        await client.expect("eerht\n\nruof\n", { what: "the replies to the whole lines" });
        await client.wasRead();
        client.expectNothing();
        client.send("ve\nsix\n");
        await client.expect("evif\nxis\n");
      },
    ),
    check(
      "line-in-pieces",
      {
        title: "answers a line that arrives in pieces, once",
        points: 2,
        after: ["reverse-line"],
        why: "What a client sent in one call may come in many recvs, cut anywhere. The line is over when its line end has come, and not before.",
        see: ["tcp(7)", "docs/guides/tcp-is-a-byte-stream.md"],
        byHand: `(printf 'hel'; sleep 1; printf 'lo\\n') | nc -N 127.0.0.1 8001`,
        ...overrides,
      },
      async (context) => {
        const client = await context.connect(await startIn(context, surroundings));
        const inPieces = async (line: string, pieces: number[]) => {
          let start = 0;
          for (const end of pieces) {
            await sendPart(client, line.slice(start, end));
            client.expectNothing();
            start = end;
          }
          client.send(line.slice(start));
          await client.expect(reversed(line));
        };
        await inPieces("a line in five pieces\n", [3, 8, 12, 20]);
        const short = "each byte alone\n";
        await inPieces(
          short,
          Array.from(short.slice(1), (_, index) => index + 1),
        );
        for (let turn = 0; turn < 8; turn++) {
          const line = `${context.random.word(2, 40)}\n`;
          await inPieces(line, [context.random.integer(1, line.length - 1)]);
        }
        // The cut lies in the second of two lines.
        await sendPart(client, "whole\nbro");
        client.send("ken\n");
        await client.expect("elohw\nnekorb\n");
      },
    ),
    check(
      "unfinished-line",
      {
        title: "reverses the unfinished line when the client ends, and ends too",
        points: 2,
        after: ["reverse-line"],
        why: "A client may end its stream without a last line end, and still wait for the answer. recv returns 0 then: the moment to answer what is left, and to end too.",
        see: ["recv(2)", "shutdown(2)", "docs/guides/half-close.md"],
        byHand: `printf 'no line end' | nc -N 127.0.0.1 8001`,
        ...overrides,
      },
      async (context) => {
        const server = await startIn(context, surroundings);
        for (const [sent, expected] of [
          ["unfinished", "dehsinifnu"],
          ["a line\nand a rest", "enil a\ntser a dna"],
          ["a line\n", "enil a\n"],
          ["", ""],
        ] as const) {
          const client = await context.connect(server);
          if (sent !== "") client.send(sent);
          client.end();
          await client.expect(expected);
          await client.expectEnd({ why: "although its client has ended sending" });
        }
      },
    ),
  ];
}

/** Nobody waits for anybody else. */
export function servesMany(surroundings: Surroundings = nothingAround, overrides: Overrides = {}): Check[] {
  return [
    check(
      "two-clients",
      {
        title: "serves a client while another is silent in mid-line",
        points: 2,
        after: ["reverse-line"],
        why: "A server that waits for the rest of one client's line makes all others wait with it.",
        see: ["epoll_wait(2)"],
        ...overrides,
      },
      async (context) => {
        const server = await startIn(context, surroundings);
        const silent = await context.connect(server);
        await sendPart(silent, "this line has ");
        const [port] = linePorts(server).slice(-1);
        for (const to of [server.port, port!]) {
          const other = await context.connect({ port: to });
          await exchange(other, "meanwhile\n");
          await exchange(other, "and again\n");
        }
        silent.send("an end\n");
        await silent.expect(reversed("this line has an end\n"));
      },
    ),
    check(
      "many-clients",
      {
        title: "serves 300 clients on all ports, the last one first",
        points: 2,
        after: ["two-clients"],
        why: "Replies have to go to whoever asked, in whatever order they ask; and each client's half line is its own.",
        see: ["epoll(7)"],
        ...overrides,
      },
      async (context) => {
        const server = await startIn(context, surroundings);
        const clients = (
          await Promise.all(linePorts(server).map((port) => connectMany(context, { port }, 75)))
        ).flat();
        for (const [index, client] of clients.entries()) client.send(`half of ${index} `);
        for (const [index, client] of [...clients.entries()].reverse()) {
          client.send("and the rest\n");
          await client.expect(reversed(`half of ${index} and the rest\n`));
        }
      },
    ),
  ];
}

/** Any bytes may stand in a line. */
export function keepsBytes(surroundings: Surroundings = nothingAround, overrides: Overrides = {}): Check {
  return check(
    "all-bytes",
    {
      title: "keeps every byte value, and the order of 10,000 lines",
      points: 2,
      after: ["lines-together"],
      why: "A line is bytes, not text: a server that turns them into a string and back changes what is no valid UTF-8. And thousands of lines in a row meet every place where a buffer ends.",
      see: ["docs/guides/tcp-is-a-byte-stream.md"],
      ...overrides,
    },
    async (context) => {
      const client = await context.connect(await startIn(context, surroundings));
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x0a);
      await exchange(client, Buffer.concat([all, Buffer.from("\n")]));
      const lines = Array.from({ length: 10_000 }, (_, index) =>
        Buffer.from(`${index} ${context.random.word(1, 60)}\n`),
      );
      client.send(Buffer.concat(lines));
      await client.expect(Buffer.concat(lines.map(reversed)), {
        withinMs: 20_000,
        what: "the 10,000 replies",
      });
      assert(client.unread().length === 0, {
        summary: "more bytes came back than were sent",
        expected: "nothing more",
        observed: describeBytes(client.unread()),
      });
    },
  );
}

/** All that holds for the ports that reverse lines. */
export function lineServerChecks(
  surroundings: Surroundings = nothingAround,
  overrides: Overrides = {},
): Check[] {
  return [
    reversesLine(surroundings, overrides),
    ...framesLines(surroundings),
    ...servesMany(surroundings),
    keepsBytes(surroundings),
  ];
}
