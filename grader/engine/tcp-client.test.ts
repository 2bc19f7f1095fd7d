import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { CheckFailure, type Evidence } from "./evidence.ts";
import { Deadline } from "./machine.ts";
import { connectTcp, type TcpPeer } from "./tcp-client.ts";
import { nodePlan, passedProbe } from "./testing.ts";
import { Transcript } from "./transcript.ts";

const deadline = (ms: number) => new Deadline(ms, 1, () => 0);

/** A client of the engine's, and Node's own socket at the other end. */
async function connected(
  options: { pauseOnConnect?: boolean } = {},
): Promise<{ client: TcpPeer; server: Socket; transcript: Transcript }> {
  const listener = createServer({ allowHalfOpen: true, ...options });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const { port } = listener.address() as { port: number };
  const transcript = new Transcript();
  const accepted = once(listener, "connection");
  const client = await connectTcp({ host: "127.0.0.1", port }, { name: "client 1", transcript, deadline });
  const [server] = (await accepted) as [Socket];
  server.on("error", () => {});
  onTestFinished(() => {
    client.close();
    server.destroy();
    listener.close();
  });
  return { client, server, transcript };
}

/** The evidence with which a promise fails. */
async function failure(promise: Promise<unknown>): Promise<Evidence> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof CheckFailure)) throw error;
  return error.evidence;
}

/** A buffer whose bytes tell their place. */
const pattern = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, place) => place % 251));

describe("expecting bytes", () => {
  test("puts partial reads together", async () => {
    const { client, server } = await connected();
    const reply = client.expect("hello world\n");
    for (const piece of ["he", "llo wor", "ld\n"]) {
      server.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await reply;
    client.expectNothing();
  });

  test("takes exactly the bytes asked for, and leaves the rest", async () => {
    const { client, server } = await connected();
    server.write("onetwothree");
    await client.expect("one");
    await client.expect("two");
    expect(client.unread().toString()).toBe("three");
    const surplus = await failure((async () => client.expectNothing())());
    expect(surplus).toMatchObject({ observed: '"three" (5 bytes)' });
    await client.expect("three");
    client.expectNothing();
  });

  test("compares megabytes", async () => {
    const { client, server } = await connected();
    const bytes = pattern(3_000_000);
    server.write(bytes);
    await client.expect(bytes);
    expect(client.total).toBe(3_000_000);
  });

  test("fails at the first byte that differs, without waiting for the others", async () => {
    const { client, server } = await connected();
    const begun = performance.now();
    server.write("hello wurld");
    const evidence = await failure(client.expect(`hello world${"!".repeat(1000)}`, { withinMs: 60_000 }));
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(evidence.summary).toBe("client 1: the reply has other bytes than expected");
    expect(evidence.observed).toBe('"hello wurld" (11 bytes)');
    expect(evidence.difference).toContain("first difference at byte 7 ");
  });

  test("says where a difference is in the whole reply, also when the bytes before came earlier", async () => {
    const { client, server } = await connected();
    const wanted = pattern(100_000);
    const sent = Buffer.from(wanted);
    sent[99_000] = 255; // the pattern stays below 251
    const reply = failure(client.expect(wanted));
    for (let at = 0; at < sent.length; at += 1000) {
      server.write(sent.subarray(at, at + 1000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await reply).difference).toContain("first difference at byte 99,000 ");
  });

  test("says that nothing came", async () => {
    const { client } = await connected();
    const evidence = await failure(client.expect("hello", { withinMs: 20, what: "the greeting" }));
    expect(evidence).toEqual({
      summary: "client 1: the greeting did not come",
      expected: '"hello" (5 bytes)',
      observed: "nothing, and nothing more within 20 ms",
      difference: undefined,
    });
  });

  test("says how much came until the connection was closed", async () => {
    const { client, server } = await connected();
    server.end("hel");
    const evidence = await failure(client.expect("hello"));
    expect(evidence.summary).toBe("client 1: the reply is incomplete: 3 bytes of 5");
    expect(evidence.observed).toBe('"hel" (3 bytes), then the connection was closed');
    expect(evidence.difference).toContain("(ends here)");
  });

  test("says that the connection broke, and how", async () => {
    const { client, server } = await connected();
    server.resetAndDestroy();
    const evidence = await failure(client.expect("hello"));
    expect(evidence.observed).toBe("nothing, then the connection broke (ECONNRESET)");
  });

  test("accepts bytes that came before the end", async () => {
    const { client, server } = await connected();
    server.end("bye");
    await client.expect("bye");
    await client.expectEnd();
  });
});

describe("expecting the end", () => {
  test("fails while the connection stays open", async () => {
    const { client } = await connected();
    const evidence = await failure(client.expectEnd({ withinMs: 20, why: "after its goodbye" }));
    expect(evidence.summary).toBe("client 1: the connection was not closed after its goodbye");
    expect(evidence.observed).toBe("the connection stays open");
  });

  test("fails on bytes before it", async () => {
    const { client, server } = await connected();
    server.end("more");
    expect((await failure(client.expectEnd())).observed).toBe('"more" (4 bytes)');
  });

  test("tells a reset from an end, unless a reset will do", async () => {
    const { client, server } = await connected();
    server.resetAndDestroy();
    expect((await failure(client.expectEnd())).observed).toBe("the connection broke (ECONNRESET)");
    await client.expectEnd({ reset: true });
  });
});

describe("a client", () => {
  test("ends sending and goes on receiving", async () => {
    const { client, server } = await connected();
    const ended = once(server, "end");
    server.resume();
    client.send("question");
    client.end();
    await ended;
    server.end("answer");
    await client.expect("answer");
    await client.expectEnd();
  });

  test("resets the connection", async () => {
    const { client, server } = await connected();
    const error = once(server, "error");
    server.resume();
    client.reset();
    expect((await error)[0]).toMatchObject({ code: "ECONNRESET" });
  });

  test("knows when its bytes have been read", async () => {
    const { client, server } = await connected({ pauseOnConnect: true });
    client.send("unread");
    expect(await client.wasRead(50)).toBe(false);
    server.resume();
    expect(await client.wasRead()).toBe(true);
  });

  test("that stops reading fills the buffers of the other side, and empties them later", async () => {
    const { client, server } = await connected();
    client.pause();
    const bytes = Buffer.alloc(30_000_000, "x");
    server.write(bytes);
    expect(await deadline(200).until(() => server.writableLength === 0)).toBeUndefined();
    expect(client.total).toBeLessThan(1_000_000);
    client.resume();
    await client.expect(bytes);
  });

  test("takes lines", async () => {
    const { client, server } = await connected();
    server.end("one\ntwo\nthree");
    expect((await client.readLine()).toString()).toBe("one\n");
    expect((await client.readLine()).toString()).toBe("two\n");
    expect((await client.readLine()).toString()).toBe("three");
  });

  test("takes everything until the end, or until the time is over", async () => {
    const { client, server } = await connected();
    server.write("first ");
    expect((await client.readAll(100)).toString()).toBe("first ");
    server.end("second");
    expect((await client.readAll()).toString()).toBe("second");
  });

  test("that cannot connect says why", async () => {
    const listener = createServer();
    await once(listener.listen(0, "127.0.0.1"), "listening");
    const { port } = listener.address() as { port: number };
    listener.close();
    await once(listener, "close");
    const options = { name: "client 7", transcript: new Transcript(), deadline };
    const evidence = await failure(connectTcp({ host: "127.0.0.1", port }, options));
    expect(evidence.summary).toBe(`client 7 could not connect to 127.0.0.1:${port}`);
    expect(evidence.observed).toBe("ECONNREFUSED");
  });

  test("writes down what it did, byte for byte", async () => {
    const { client, server, transcript } = await connected();
    server.on("data", (bytes: Buffer) => server.write(bytes.reverse()));
    client.send("abc\n");
    await client.expect("\ncba");
    client.close();
    const text = transcript.toString();
    expect(text).toContain(String.raw`client 1 → 4 "abc\n"`);
    expect(text).toContain(String.raw`client 1 ← 4 "\ncba"`);
    expect(transcript.steps().slice(1)).toEqual([
      String.raw`client 1 sent "abc\n" (4 bytes)`,
      String.raw`client 1 received "\ncba" (4 bytes)`,
      "client 1 closed the connection",
    ]);
  });
});

describe("a server that floods its client", () => {
  const flood = `
    const chunk = Buffer.alloc(1024 * 1024, "x");
    require("net").createServer((s) => {
      s.on("error", () => {});
      const more = () => { while (s.write(chunk)); };
      s.on("drain", more);
      more();
    }).listen(process.argv[2])`;

  test("meets a full window, and the grader keeps 64 MiB and a little", async () => {
    await passedProbe(nodePlan(flood), async (context) => {
      const client = await context.connect(await context.start());
      const taken = (await client.readAll(1500)).length;
      expect(taken).toBeGreaterThan(64 * 1024 * 1024);
      expect(taken).toBeLessThan(80 * 1024 * 1024);
      // Taking the bytes opened the window again: the rest goes with the connection.
      expect(await context.waitFor(() => client.unread().length > 0, 5000)).toBe(true);
      client.close();
      client.unread();
      await client.readAll();
    });
  });

  test("may send more than that to one who compares as it comes", async () => {
    await passedProbe(nodePlan(flood), async (context) => {
      const client = await context.connect(await context.start());
      await client.expect(Buffer.alloc(100 * 1024 * 1024, "x"), { withinMs: 20_000 });
      client.close();
      await client.readAll();
    });
  });
});
