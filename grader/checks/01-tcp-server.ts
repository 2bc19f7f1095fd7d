import { check } from "../checks.ts";
import {
  endsOnSignal,
  expectExit,
  expectNoStackTrace,
  expectStatus,
  inTurnOrTogether,
  restarts,
} from "./general/endings.ts";
import { exchange } from "./general/lines.ts";
import { announces, builds, onlySystemCalls, portTaken, usage } from "./general/start.ts";

const byHand = "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'hello\\n' >&3; head -n 1 <&3";

export const checks = [
  builds("tcp-server"),
  announces(),

  check(
    "reachable",
    {
      title: "accepts clients on 127.0.0.1 and 127.0.0.2",
      points: 1,
      after: ["builds"],
      why: "0.0.0.0 (INADDR_ANY) means every address of the machine; a server bound to one address is invisible on all others.",
      see: ["ip(7)", "bind(2)"],
      byHand: "exec 3<>/dev/tcp/127.0.0.2/8080 && echo connected",
    },
    async ({ start, connect, plan }) => {
      // The program serves one client, so each address needs a run of its own.
      const answers = async (host: string) => {
        const server = await start();
        await connect({ host, port: server.port });
        server.kill("SIGKILL"); // where ports are fixed, the next one needs this port
        await expectExit(server, 5000, "SIGKILL");
      };
      const hosts = ["127.0.0.1", "127.0.0.2"];
      await inTurnOrTogether(
        hosts.map((host) => () => answers(host)),
        plan.program.ports === "fixed",
      );
    },
  ),

  check(
    "reverse-line",
    {
      title: "reverses one line",
      points: 2,
      after: ["reachable"],
      why: "This is the program's whole purpose: bytes come with recv, and what goes back with send is their reverse.",
      see: ["recv(2)", "send(2)"],
      byHand,
    },
    async ({ start, connect, random }) => {
      const client = await connect(await start());
      await exchange(client, "hello\n");
      await exchange(client, `${random.word(20, 40)}\n`);
    },
  ),

  check(
    "thousand-lines",
    {
      title: "reverses 1,000 lines in turn",
      points: 3,
      after: ["reverse-line"],
      why: "A server lives longer than one message: recv is called again until the client has ended, and nothing of an earlier message may show in a later one.",
      see: ["recv(2)"],
      byHand,
    },
    async ({ start, connect, random }) => {
      const client = await connect(await start());
      for (let line = 0; line < 1000; line++) await exchange(client, `${random.word(0, 200)}\n`);
    },
  ),

  check(
    "large-message",
    {
      title: "reverses a message of 9,999 bytes",
      points: 2,
      after: ["reverse-line"],
      why: "recv gives at most as many bytes as the buffer holds, and send may take fewer bytes than it was given: a buffer of 10,000 bytes and a loop around send bring the whole message there and back.",
      see: ["recv(2)", "send(2)"],
      byHand:
        "exec 3<>/dev/tcp/127.0.0.1/8080; (head -c 9998 /dev/zero | tr '\\0' 'x'; echo) >&3; head -n 1 <&3 | wc -c",
    },
    async ({ start, connect, random }) => {
      const client = await connect(await start());
      await exchange(client, `${random.word(9998)}\n`);
    },
  ),

  check(
    "all-bytes",
    {
      title: "keeps every byte value",
      points: 2,
      after: ["reverse-line"],
      why: "TCP carries bytes. A program that turns them into text on the way destroys those that are no UTF-8, and one that stops at a zero byte loses the rest.",
      see: ["docs/guides/tcp-is-a-byte-stream.md"],
    },
    async ({ start, connect, random }) => {
      const client = await connect(await start());
      const everyByte = Array.from({ length: 256 }, (_, value) => value).filter((value) => value !== 0x0a);
      await exchange(client, Uint8Array.from([...everyByte, 0x0a]));
      await exchange(client, Uint8Array.from([...random.shuffle(everyByte), 0x0a]));
    },
  ),

  check(
    "ends-with-client",
    {
      title: "ends within a second after the client has left",
      points: 2,
      after: ["reverse-line"],
      why: "recv returns 0 when the peer has ended sending. A program that takes this for a message answers nobody for ever, or spins.",
      see: ["recv(2)"],
    },
    async ({ start, connect, plan }) => {
      const leaves = async (leave: "end" | "close") => {
        const server = await start();
        const client = await connect(server);
        await exchange(client, "goodbye\n");
        client[leave]();
        const exit = await expectExit(server, 1000, "the client left");
        expectStatus(server, exit, [0], "after its client had left");
        expectNoStackTrace(server);
        if (leave === "end") await client.expectEnd();
      };
      await inTurnOrTogether([() => leaves("end"), () => leaves("close")], plan.program.ports === "fixed");
    },
  ),

  check(
    "survives-reset",
    {
      title: "ends in order when the client resets the connection",
      points: 2,
      after: ["reverse-line"],
      why: "A peer that crashes or loses patience resets the connection, and recv gives ECONNRESET. That is everyday life for a server, not a reason for a stack trace.",
      see: ["recv(2)", "tcp(7)"],
    },
    async ({ start, connect }) => {
      const server = await start();
      const client = await connect(server);
      await exchange(client, "about to vanish\n");
      client.reset();
      const exit = await expectExit(server, 1000, "the client reset the connection");
      expectNoStackTrace(server);
      expectStatus(server, exit, [0, 1], "after its client had reset the connection");
    },
  ),

  portTaken(),
  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["70000"], names: "70000" },
    { args: ["8080x"], names: "8080x" },
  ]),
  endsOnSignal([
    ({ start }) => start(),
    async ({ start, connect }) => {
      const server = await start();
      await exchange(await connect(server), "still here\n");
      return server;
    },
  ]),
  restarts(),
  onlySystemCalls(),
];
