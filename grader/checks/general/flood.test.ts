/** The flood judges servers, so servers of every kind are given to it. They send back what they receive. */
import { describe, expect, test } from "vitest";
import { failedProbe, nodePlan, passedProbe } from "../../engine/testing.ts";
import { floodStaysBounded } from "./flood.ts";
import { echoPattern } from "./flood-replies.ts";
import { nothingAround } from "./surroundings.ts";

const { run, limitMs } = floodStaysBounded(nothingAround, { pattern: echoPattern });

/** A server on Node's own sockets, by what it does with a client `socket`; `state` is shared by its clients. */
function server(onClient: string) {
  return nodePlan(`
    const state = { received: 0 };
    require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      ${onClient}
    }).listen(Number(process.argv[2]), "127.0.0.1");
  `);
}

const judged = (onClient: string) => failedProbe(server(onClient), run, { limitMs });

describe("a client that floods and never reads", () => {
  test("is held up by a server that stops reading, and gets every byte later", async () => {
    await passedProbe(server("socket.pipe(socket);"), run, { limitMs });
  });

  test("is held up by a server that reads little at a time, and spends its time elsewhere", async () => {
    const slow = `
      socket.on("readable", function read() {
        const bytes = socket.read(Math.min(1000, socket.readableLength)) ?? socket.read();
        if (bytes === null) return;
        for (const until = performance.now() + 0.2; performance.now() < until; );
        if (socket.write(bytes)) setImmediate(read);
        else socket.once("drain", read);
      });
      socket.on("end", () => socket.end());`;
    await passedProbe(server(slow), run, { limitMs });
  });

  test("makes a server grow that keeps all replies", async () => {
    const { summary } = await judged(
      'socket.on("data", (bytes) => socket.write(bytes)).on("end", () => socket.end());',
    );
    expect(summary).toBe("tcp-server grows with what a client sends and does not read");
  });

  test("is not taken for held up by a server that keeps all replies and stands still now and then", async () => {
    const { summary } = await judged(`
      socket.on("data", (bytes) => {
        const before = state.received;
        state.received += bytes.length;
        socket.write(bytes);
        if (Math.floor(before / 4e6) === Math.floor(state.received / 4e6)) return;
        for (const until = performance.now() + 450; performance.now() < until; );
      }).on("end", () => socket.end());`);
    expect(summary).toMatch(/^tcp-server grows|^another client is not served/);
  });

  test("is not taken for held up by a server that throws everything away", async () => {
    const { summary } = await judged(`
      let answered = 0;
      socket.on("data", (bytes) => {
        answered += bytes.length;
        if (answered < 4 * 1024 * 1024) socket.write(bytes);
      }).on("end", () => socket.end());`);
    expect(summary).toBe("tcp-server goes on reading from a client that does not read");
  });

  test("must not lose its connection", async () => {
    const { summary } = await judged(`
      socket.on("data", (bytes) => {
        if (!socket.write(bytes) && socket.writableLength > 1e6) socket.resetAndDestroy();
      }).on("end", () => socket.end());`);
    expect(summary).toContain("the connection of the client that did not read was broken");
  });

  test("must not stop other clients", async () => {
    const { summary } = await judged(`
      socket.on("data", (bytes) => {
        if (!socket.write(bytes) && socket.writableLength > 1e6) for (;;);
      }).on("end", () => socket.end());`);
    expect(summary).toBe("another client is not served while one client sends without reading");
  });

  test("must get the right bytes when it reads at last", async () => {
    const { summary } = await judged(`
      socket.on("data", (bytes) => {
        if (socket.write(bytes)) return;
        socket.write("!");
        socket.pause().once("drain", () => socket.resume());
      }).on("end", () => socket.end());`);
    expect(summary).toMatch(/wrong bytes|more bytes/);
  });

  test("must get the end after the last byte", async () => {
    const { summary } = await judged("socket.pipe(socket, { end: false });");
    expect(summary).toContain("the stream of replies does not end after the last one");
  });
});
