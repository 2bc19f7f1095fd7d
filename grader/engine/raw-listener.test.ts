import { expect, test } from "vitest";
import { nodePlan, passedProbe } from "./testing.ts";

/** Connects to a port, sends a line and says how that went. */
const client = `
  const socket = require("node:net").connect(Number(process.argv[3]), "127.0.0.1");
  socket.on("connect", () => { console.log("connected"); socket.write("hello"); });
  require("node:net").createServer().listen(Number(process.argv[2]), "127.0.0.1");
`;

test("a listener whose queue is full lets nobody in before it makes room", async () => {
  await passedProbe(nodePlan(client), async ({ start, listenRaw, waitFor }) => {
    const listener = await listenRaw();
    expect(await listener.fill()).toBe(true);
    expect(listener.waiting()).toBe(0);
    const program = await start({ args: [String(listener.port)] });
    expect(await waitFor(() => listener.waiting() === 1, 5000)).toBe(true);
    expect(program.stdout.text()).toBe("");
    listener.admit();
    const peer = await listener.accept();
    const received: string[] = [];
    expect(await peer.receive(5, (bytes) => void received.push(Buffer.from(bytes).toString()))).toBe(true);
    expect(received.join("")).toBe("hello");
    expect(await program.printed("connected", 5000)).toBe(true);
  });
});
