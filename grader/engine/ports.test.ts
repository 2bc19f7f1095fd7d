import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { reservePort, whoHolds } from "./ports.ts";
import { Random } from "./random.ts";
import { compiled } from "./testing.ts";

/** Reserves the next port of a stream until the test is over. */
async function reserve(random: Random): Promise<number> {
  const { port, release } = await reservePort(random);
  onTestFinished(release);
  return port;
}

describe("a reserved port", () => {
  test("lies below those that the kernel gives to outgoing connections", async () => {
    const [first] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split("\t").map(Number);
    for (let round = 0; round < 50; round++) {
      const port = await reserve(new Random(`seed ${round}`, "ports"));
      expect(port).toBeGreaterThanOrEqual(10_000);
      expect(port).toBeLessThan(Math.max(11_000, first!));
    }
  });

  test("is the same for the same seed once it is free again", async () => {
    const first = await reservePort(new Random("again", "ports"));
    first.release();
    expect(await reserve(new Random("again", "ports"))).toBe(first.port);
  });

  test("is not given twice, although both streams begin alike", async () => {
    const [one, other] = [new Random("twin", "ports"), new Random("twin", "ports")];
    const ports = await Promise.all([reserve(one), reserve(other), reserve(one), reserve(other)]);
    expect(new Set(ports).size).toBe(4);
  });

  test("is passed over while another process has its lock, until that process is killed", async () => {
    const { port, release } = await reservePort(new Random("lock", "ports"));
    release();
    const holder = spawn(process.execPath, [
      "-e",
      `require("net").createServer().listen("\\0expserver-course/port/${port}", () => console.log("locked"))`,
    ]);
    onTestFinished(() => void holder.kill("SIGKILL"));
    await once(holder.stdout, "data");
    expect(await reserve(new Random("lock", "ports"))).not.toBe(port);
    holder.kill("SIGKILL");
    await once(holder, "exit");
    expect(await reserve(new Random("lock", "ports"))).toBe(port);
  });

  test("is passed over while somebody listens there", async () => {
    const { port, release } = await reservePort(new Random("busy", "ports"));
    release();
    const server = createServer();
    onTestFinished(() => void server.close());
    await once(server.listen(port, "127.0.0.1"), "listening");
    expect(await reserve(new Random("busy", "ports"))).not.toBe(port);
  });

  test("does not keep its process from ending", () => {
    const script = `
      const { reservePort } = await import(${JSON.stringify(compiled("grader/engine/ports.js"))});
      const { Random } = await import(${JSON.stringify(compiled("grader/engine/random.js"))});
      console.log((await reservePort(new Random("end", "ports"))).port);`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], { timeout: 20_000 });
    expect(Number(output)).toBeGreaterThan(0);
  });
});

describe("who holds a port", () => {
  test("nobody", async () => {
    expect(whoHolds(await reserve(new Random("nobody", "ports")))).toBeUndefined();
  });

  test("is told by name and process id", async () => {
    const holder = spawn(process.execPath, [
      "-e",
      "const s = require('net').createServer().listen(0, () => console.log(s.address().port))",
    ]);
    onTestFinished(() => void holder.kill("SIGKILL"));
    const [line] = await once(holder.stdout, "data");
    const port = Number(line);
    expect(whoHolds(port)).toBe(`port ${port} is taken by node (process ${holder.pid})`);
    holder.kill("SIGKILL");
    await once(holder, "exit");
    expect(whoHolds(port)).toBeUndefined();
  });
});
