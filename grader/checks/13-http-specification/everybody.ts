/** What holds for every server of the course, asked for by HTTP. */
import { type Check, check } from "../../checks.ts";
import type { CheckContext, StartOptions } from "../../engine/context.ts";
import { assert } from "../../engine/evidence.ts";
import { residentBytes } from "../../engine/proc.ts";
import type { TcpPeer } from "../../engine/tcp-client.ts";
import { expectStatusOf, serve, writeConfiguration } from "../general/configured.ts";
import { countDescriptors, expectDescriptorsBelow } from "../general/descriptors.ts";
import { expectNoStackTrace } from "../general/endings.ts";
import { growthLimit } from "../general/flood.ts";
import { sleepsWhenIdle } from "../general/idle.ts";
import { letCome } from "../general/lines.ts";
import { exchange, requestBytes } from "./site.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const files = { "public/index.html": "hello\n", "public/16k.bin": Buffer.alloc(16 * KiB, "x") };

function configuration([port]: number[]) {
  const route = { req_path: "/", type: "file_serve", dir_path: "public" };
  return { servers: [{ listeners: [{ host: "127.0.0.1", port }], routes: [route] }] };
}

/** The server in the surroundings that general checks start it in. */
async function site(context: CheckContext): Promise<StartOptions> {
  const port = await context.freePort();
  const { file, folder } = writeConfiguration(context, configuration([port]), files);
  return { ports: [port], allArgs: [file], cwd: folder };
}

async function clients(context: CheckContext, port: number, number: number): Promise<TcpPeer[]> {
  const all: TcpPeer[] = [];
  while (all.length < number) {
    const client = await context.connect({ port });
    expectStatusOf(await exchange(client, "GET /"), 200, "GET /");
    all.push(client);
  }
  return all;
}

export const everybody: Check[] = [
  check(
    "clients-come-and-go",
    {
      title: "closes what its clients leave behind, also when they reset in mid-exchange",
      points: 2,
      after: ["keeps-connection"],
      why: "A kept connection is a descriptor that is kept. It has to go with its client, in whatever way and at whatever moment that one leaves.",
      see: ["close(2)", "recv(2)"],
      byHand: 'ls -l /proc/"$(pgrep -n node)"/fd   (before and after some clients have come and gone)',
    },
    async (context) => {
      const { server, ports } = await serve(context, configuration, { files });
      const port = ports[0]!;
      const [only] = await clients(context, port, 1);
      // A server may keep files open for a while: whatever is asked for below counts already.
      await exchange(only!, "GET /16k.bin");
      const withOne = countDescriptors(context);
      only!.close();
      await letCome(1000, async (index) => {
        const client = await context.connect({ port });
        // Most leave after an answer, some while they ask, or with answers on the way.
        if (index % 10 === 1) client.send("GET / HTTP/1.1\r\nHo");
        else if (index % 10 === 2) client.send(Buffer.alloc(20 * 40, requestBytes("GET /16k.bin")));
        else expectStatusOf(await exchange(client, "GET /"), 200, "GET /");
        if (index % 10 <= 2) client.pause();
        if (index % 10 <= 3) client.reset();
        else client.close();
      });
      await expectDescriptorsBelow(context, server, withOne, "after 1,000 clients have left");
      await clients(context, port, 1);
      expectNoStackTrace(server);
    },
  ),
  check(
    "pipelining-flood",
    {
      title: "stays small while a client asks without pause and reads nothing",
      points: 2,
      after: ["pipelining"],
      why: "A request of 50 bytes asks for 16 KiB. Who reads on while nobody takes the answers keeps them all.",
      see: ["docs/guides/backpressure.md", "docs/guides/persistent-connections.md"],
    },
    async (context) => {
      const { ports, server } = await serve(context, configuration, { files });
      const port = ports[0]!;
      const [witness] = await clients(context, port, 1);
      const before = residentBytes(context.tree.alive());
      const flooding = await context.connectRaw({ port }, { receiveBuffer: 16 * KiB });
      const pattern = Buffer.concat(Array.from({ length: 100 }, () => requestBytes("GET /16k.bin")));
      await flooding.floodUntilStuck(pattern, 16 * MiB);
      const grown = residentBytes(context.tree.alive()) - before;
      // Whether it has stopped reading or has ended the connection is its own choice.
      assert(grown < growthLimit, {
        summary: `${server.name} grows while a client asks and does not read`,
        expected: `less than ${growthLimit / MiB} MiB more memory than before`,
        observed: `${Math.round(grown / MiB)} MiB more after ${Math.round(flooding.sent / KiB)} KiB of requests`,
      });
      expectStatusOf(await exchange(witness!, "GET /"), 200, "GET / of another client, meanwhile,");
    },
  ),
  sleepsWhenIdle(
    site,
    [
      {
        when: "50 clients have had an answer and are silent",
        async arrange(context, server) {
          await clients(context, server.port, 50);
        },
      },
      {
        when: "5 clients have sent a part of a request",
        async arrange(context, server) {
          for (const client of await clients(context, server.port, 5)) client.send("GET / HTTP/1.1\r\nHo");
        },
      },
      {
        when: "3 clients have left",
        async arrange(context, server) {
          const [closing, ending, resetting] = await clients(context, server.port, 3);
          closing!.close();
          ending!.end();
          resetting!.reset();
        },
      },
    ],
    { after: ["keeps-connection"] },
  ),
];
