import { type Check, check } from "../checks.ts";
import type { CheckContext } from "../engine/context.ts";
import { assert, count, describeBytes, quote, renderDifference } from "../engine/evidence.ts";
import type { Program } from "../engine/program.ts";
import type { TcpPeer } from "../engine/tcp-client.ts";
import type { TcpListener } from "../engine/tcp-listener.ts";
import { endsOnSignal, expectExit, expectNoStackTrace, expectStatus } from "./general/endings.ts";
import { reversed } from "./general/lines.ts";
import { builds, onlySystemCalls, usage } from "./general/start.ts";

const label = "[SERVER MESSAGE] ";
const byHand =
  "printf 'hello\\n' | npx expserver-course run tcp-client 8080   (with the stage-1 server on 8080)";

/** The program, connected to a server of the check whose replies the check writes itself. */
async function startClient(
  context: CheckContext,
): Promise<{ program: Program; listener: TcpListener; server: TcpPeer }> {
  const { listener, args } = await listenForClient(context);
  const program = context.launch(args);
  return { program, listener, server: await listener.accept(10_000) };
}

/** A server of the check where the program will look for one, and the arguments that lead there. */
async function listenForClient(
  context: CheckContext,
  onConnection?: (peer: TcpPeer) => void,
): Promise<{ listener: TcpListener; args: string[] }> {
  const fixed = context.plan.program.ports === "fixed";
  const listener = await context.listen({ port: fixed ? 8080 : undefined }, onConnection);
  return { listener, args: fixed ? [] : [String(listener.port)] };
}

/**
 * Takes lines and sends each back reversed, until the program has ended sending, and answers what is left
 * then; or until nothing has come for five seconds.
 * @returns all that was received
 */
async function answerLines(server: TcpPeer): Promise<Buffer> {
  const received: Buffer[] = [];
  for (;;) {
    const line = await server.readLine(5000);
    received.push(line);
    if (line.length > 0 && (line.at(-1) === 0x0a || server.over)) server.send(reversed(line));
    if (line.at(-1) === 0x0a) continue;
    if (server.over) server.end();
    return Buffer.concat(received);
  }
}

/** Writes all the input at once, ends it, and lets a reversing server answer. */
async function converse(context: CheckContext, input: Buffer): Promise<Program> {
  const { program, server } = await startClient(context);
  context.step(`wrote ${describeBytes(input)} to the program's input and ended it`);
  program.write(input);
  program.endInput();
  const received = await answerLines(server);
  assert(received.equals(input), {
    summary:
      received.length === input.length
        ? "the server received other bytes than the input holds"
        : `the server received ${count(received.length, "byte")} instead of ${count(input.length, "byte")}`,
    expected: describeBytes(input),
    observed: describeBytes(received),
    difference: renderDifference(input, received),
  });
  assert(server.over, {
    summary: "all bytes of the input came, but the program did not end its direction of the connection",
    expected: "the end of the stream (shutdown with SHUT_WR) after the last byte of the input",
    observed: "the connection stays open, and the server cannot know that nothing more comes",
  });
  const exit = await expectExit(program, 5000, "its input ended");
  expectNoStackTrace(program);
  expectStatus(program, exit, [0], "at the end of its input");
  return program;
}

/** The output that the replies to these lines should make. */
function expectedOutput(lines: string[]): string {
  return lines.map((line) => `${label}${reversed(`${line}\n`)}`).join("");
}

function expectOutput(program: Program, expected: string): void {
  const observed = program.stdout.bytes();
  const wanted = Buffer.from(expected);
  assert(observed.equals(wanted), {
    summary: "the output is not what the replies should make",
    expected: describeBytes(wanted),
    observed: describeBytes(observed),
    difference: renderDifference(wanted, observed),
  });
}

export const checks: Check[] = [
  builds("tcp-client"),

  check(
    "no-server",
    {
      title: "says why it cannot connect",
      points: 1,
      after: ["builds"],
      why: "connect(2) gives ECONNREFUSED when nobody listens. A person should read which address refused, not a stack trace, and a script should see status 1.",
      see: ["connect(2)"],
      byHand: "npx expserver-course run tcp-client 9; echo status $?",
    },
    async ({ launch, freePort, plan }) => {
      const fixed = plan.program.ports === "fixed";
      const port = fixed ? 8080 : await freePort();
      const program = launch(fixed ? [] : [String(port)]);
      const exit = await expectExit(program, 5000, `it was to connect to port ${port}, where nobody listens`);
      expectStatus(program, exit, [1], "when nobody listened");
      expectNoStackTrace(program);
      const said = program.stderr.text();
      assert(said.includes(String(port)) && /refused/i.test(said), {
        summary: "the message does not say what was refused",
        expected: `a sentence on stderr with port ${port} and "connection refused"`,
        observed: said.trim() || "nothing on stderr",
      });
    },
  ),

  check(
    "pipe",
    {
      title: "sends lines from a pipe and prints the replies",
      points: 2,
      after: ["builds"],
      why: "Read a line, send it, wait for the reply, print it: one turn after the other.",
      see: ["read(2)", "send(2)", "recv(2)"],
      byHand,
    },
    async (context) => {
      const { program, server } = await startClient(context);
      for (const line of ["hello\n", `${context.random.word(10, 60)}\n`, "\n", "the last one\n"]) {
        context.step(`wrote ${quote(Buffer.from(line))} to the program's input`);
        program.write(line);
        await server.expect(line, { what: "the line from the program's input" });
        server.send(reversed(line));
        const printed = `${label}${reversed(line)}`;
        assert(await program.printed(printed, 5000), {
          summary: "the reply was not printed",
          expected: quote(Buffer.from(printed), 100),
          observed: describeBytes(program.stdout.bytes()),
        });
      }
    },
  ),

  check(
    "terminal",
    {
      title: "talks line by line in a terminal",
      points: 3,
      after: ["pipe"],
      why: "A person types a line and wants the answer before the next one. A program that first reads all of its input, or keeps its output in a buffer, works in a pipe and is mute in a terminal.",
      see: ["termios(3)", "read(2)"],
      byHand: "npx expserver-course run tcp-client 8080   (type a line, press Enter; Ctrl-D ends)",
    },
    async (context) => {
      const { listener, args } = await listenForClient(context);
      const terminal = context.terminal(args);
      const server = await listener.accept(10_000);
      for (const line of [context.random.word(5, 20), context.random.word(5, 20)]) {
        context.step(`typed ${quote(Buffer.from(line))} and Enter`);
        terminal.type(`${line}\r`);
        await server.expect(`${line}\n`, { what: "the typed line" });
        server.send(reversed(`${line}\n`));
        const printed = `${label}${reversed(line)}`;
        assert(await terminal.shows(printed), {
          summary: "the reply does not appear on the screen",
          expected: quote(Buffer.from(printed)),
          observed: quote(terminal.screen.bytes(), 300),
        });
      }
      context.step("typed Ctrl-D");
      terminal.type("\x04");
      const exit = await terminal.ended(2000);
      assert(exit?.code === 0, {
        summary: "the program does not end with status 0 at Ctrl-D",
        expected: "exit status 0",
        observed: exit === undefined ? "it still runs" : `status ${exit.code ?? exit.signal}`,
      });
      await server.expectEnd();
    },
  ),

  check(
    "end-of-input",
    {
      title: "ends with status 0 at the end of the input",
      points: 2,
      after: ["pipe"],
      why: "read returns 0 at the end of the input. Then the server should see the end of the stream, and the shell status 0.",
      see: ["read(2)", "shutdown(2)", "close(2)"],
      byHand,
    },
    async (context) => {
      const { program, server } = await startClient(context);
      program.write("one line\n");
      await server.expect("one line\n", { what: "the line from the program's input" });
      server.send(reversed("one line\n"));
      await program.printed(label, 5000);
      context.step("ended the program's input");
      program.endInput();
      const exit = await expectExit(program, 2000, "its input ended");
      expectStatus(program, exit, [0], "at the end of its input");
      await server.expectEnd();
      const empty = await startClient(context);
      context.step("ended the input of a second run without a line");
      empty.program.endInput();
      const second = await expectExit(empty.program, 2000, "its empty input ended");
      expectStatus(empty.program, second, [0], "at the end of an empty input");
      expectOutput(empty.program, "");
      await empty.server.expectEnd();
    },
  ),

  check(
    "exact-bytes",
    {
      title: "sends exactly the bytes of the input",
      points: 3,
      after: ["pipe"],
      why: "A buffer is larger than what was read into it. Sending the buffer instead of the bytes that were read sends old lines or the program's own memory to a stranger.",
      see: ["read(2)", "send(2)", "shutdown(2)"],
      byHand:
        "printf 'one\\nunfinished' | npx expserver-course run tcp-client 8080   (with the stage-1 server on 8080)",
    },
    async (context) => {
      const { random } = context;
      const everyByte = Array.from({ length: 256 }, (_, value) => value).filter((value) => value !== 0x0a);
      const pieces = [
        Buffer.from(`${random.word(400)}\n`),
        Buffer.from("short\n"),
        Buffer.from([...random.shuffle(everyByte), 0x0a]),
        Buffer.from(Array.from({ length: 200 }, () => `${random.word(0, 90)}\n`).join("")),
        Buffer.from("no line end here"),
      ];
      const input = Buffer.concat(pieces);
      await converse(context, input);
    },
  ),

  check(
    "split-reply",
    {
      title: "puts together a reply that comes in pieces",
      points: 2,
      after: ["pipe"],
      why: "TCP may deliver one send in many pieces, and many sends in one: a reply is over at its line end, not where a recv happens to stop.",
      see: ["recv(2)", "docs/guides/tcp-is-a-byte-stream.md"],
    },
    async (context) => {
      const { program, server } = await startClient(context);
      for (let round = 0; round < 3; round++) {
        const reply = `${context.random.word(20, 60)}\n`;
        program.write("question\n");
        await server.expect("question\n", { what: "the line from the program's input" });
        const cut = context.random.integer(1, reply.length - 2);
        const before = program.stdout.text();
        server.send(reply.slice(0, cut));
        // The program must have taken the first piece before the second may come.
        await server.wasRead();
        const since = program.stdout.text().slice(before.length);
        assert(label.startsWith(since), {
          summary: "the program printed a reply before it was complete",
          expected: "nothing until the reply's line end",
          observed: quote(program.stdout.bytes(), 200),
        });
        server.send(reply.slice(cut));
        assert(await program.printed(`${label}${reply}`, 5000), {
          summary: "a reply that came in two pieces was not printed as one line",
          expected: quote(Buffer.from(`${label}${reply}`), 100),
          observed: quote(program.stdout.bytes(), 300),
        });
      }
    },
  ),

  check(
    "rest-at-eof",
    {
      title: "prints what is left when the server ends its reply with EOF",
      points: 1,
      after: ["pipe"],
      why: "A stream may end without a line end. What came before the end is still the reply, and losing it loses data.",
      see: ["recv(2)"],
    },
    async (context) => {
      const { program, server } = await startClient(context);
      program.write("question\n");
      await server.expect("question\n", { what: "the line from the program's input" });
      server.send("an answer without a line end");
      server.end();
      const printed = `${label}an answer without a line end\n`;
      assert(await program.printed(printed, 5000), {
        summary: "the rest of the stream was not printed as the reply",
        expected: quote(Buffer.from(printed), 100),
        observed: describeBytes(program.stdout.bytes()),
      });
      program.endInput();
      await expectExit(program, 2000, "its input ended");
      expectNoStackTrace(program);
    },
  ),

  check(
    "server-closes",
    {
      title: "says so when the server closes instead of replying",
      points: 2,
      after: ["pipe"],
      why: "A server may end at any time. recv then gives 0, or ECONNRESET; taking that for an empty reply, or waiting on, leaves a person in front of a dead program.",
      see: ["recv(2)", "send(2)"],
    },
    async (context) => {
      for (const leave of ["close", "reset"] as const) {
        const { program, server } = await startClient(context);
        program.write("anybody there?\n");
        await server.expect("anybody there?\n", { what: "the line from the program's input" });
        server[leave]();
        const exit = await expectExit(program, 2000, "the server closed the connection");
        expectNoStackTrace(program);
        expectStatus(program, exit, [1], "when the server closed instead of replying");
        assert(/clos|reset|ended|gone/i.test(program.stderr.text()), {
          summary: "the program does not say that the server closed the connection",
          expected: "a sentence on stderr that says so",
          observed: program.stderr.text().trim() || "nothing on stderr",
        });
      }
    },
  ),

  check(
    "long-line",
    {
      title: "sends a line of 100,000 bytes",
      points: 2,
      after: ["pipe"],
      why: "A line is as long as it is. One that does not fit the buffer comes in several reads and leaves in several sends; its reply comes in several recvs.",
      see: ["read(2)", "send(2)"],
      byHand:
        "(head -c 99999 /dev/zero | tr '\\0' 'x'; echo) | npx expserver-course run tcp-client 8080 | wc -c",
    },
    async (context) => {
      const line = context.random.word(99_999);
      const input = Buffer.from(`${line}\nshort\n`);
      const program = await converse(context, input);
      expectOutput(program, expectedOutput([line, "short"]));
    },
  ),

  check(
    "host",
    {
      title: "connects to the host that is named",
      points: 1,
      after: ["pipe"],
      why: "The second argument names the machine; a program that always connects to 127.0.0.1 talks to the wrong one.",
      see: ["connect(2)", "ip(7)"],
      byHand: "npx expserver-course run tcp-client 8080 127.0.0.2",
    },
    async (context) => {
      if (context.plan.program.ports === "fixed")
        context.skip("course.json says that the programs take no arguments");
      const listener = await context.listen({ host: "127.0.0.2" });
      const program = context.launch([String(listener.port), "127.0.0.2"]);
      const server = await listener.accept(10_000);
      program.write("to the second address\n");
      await server.expect("to the second address\n", { what: "the line from the program's input" });
    },
  ),

  usage([
    { args: ["eighty"], names: "eighty" },
    { args: ["70000"], names: "70000" },
    { args: ["8080", "not an address"], names: "not an address" },
  ]),

  endsOnSignal([async (context) => (await startClient(context)).program], { after: ["pipe"] }),
  onlySystemCalls(),
];
