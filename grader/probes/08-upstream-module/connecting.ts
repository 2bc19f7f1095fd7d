/** Attempts to connect to an upstream: given up, failed, and made to one of several addresses. */
import type { TcpConnection } from "workspace:network/tcp";
import { UpstreamConnect, UpstreamError } from "workspace:network/upstream";
import {
  accept4,
  close,
  F_GETFL,
  fcntl,
  INADDR_LOOPBACK,
  O_NONBLOCK,
  SOCK_NONBLOCK,
} from "expserver-course/linux";
import { assert } from "../../engine/evidence.ts";
import { nameAddresses } from "./names.ts";
import {
  type Address,
  arrange,
  countDescriptors,
  expectNothingLeft,
  letPass,
  onLoop,
  Told,
  timeoutMs,
  until,
} from "./surroundings.ts";

/** A time limit that does not come. */
const foreverMs = 60_000;

/** Nothing is told after `cancel`, whenever it comes, and nothing stays behind. */
export async function cancel(): Promise<void> {
  await onLoop(async (loop) => {
    let answer = () => {};
    const names = nameAddresses(
      { "slow.test": [INADDR_LOOPBACK] },
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    const { port, fds, hosts } = await arrange(["listens", "silent", "refuses"]);
    const before = countDescriptors();
    const cases: [situation: string, host: string, ready: () => Promise<unknown>][] = [
      ["after cancel in the turn of the constructor", hosts[0]!, async () => {}],
      [
        "after cancel in the turn of the constructor, of a connect that will be refused",
        hosts[2]!,
        async () => {},
      ],
      [
        "after cancel while a connect is under way",
        hosts[1]!,
        () => until(() => countDescriptors() > before),
      ],
      ["after cancel while the name is looked up", "slow.test", () => until(() => names.asked.length > 0)],
    ];
    for (const [situation, host, ready] of cases) {
      const told = new Told();
      const attempt = new UpstreamConnect(loop, { host, port }, told, foreverMs);
      await ready();
      attempt.cancel();
      await expectNothingLeft(loop, before, situation);
      answer();
      await letPass(loop);
      assert(told.times === 0, {
        summary: `the handler is called ${situation}`,
        expected: "neither of its functions is called any more",
        observed: told.describe(),
      });
      await expectNothingLeft(loop, before, `${situation}, some time later`);
      attempt.cancel(); // a second time, which does nothing
    }
    // A cancel that comes too late leaves the connection to whoever has it.
    const told = new Told();
    const attempt = new UpstreamConnect(loop, { host: hosts[0]!, port }, told, foreverMs);
    await until(() => told.times > 0);
    attempt.cancel();
    await letPass(loop);
    assert(told.connections.length === 1 && !told.connections[0]!.isClosed, {
      summary: "a cancel after onConnect closes the connection",
      expected: "the connection belongs to the handler, and the attempt is over",
      observed: told.describe(),
    });
    told.connections[0]!.destroy();
    await expectNothingLeft(loop, before, "after the connection was destroyed");
    for (const fd of fds) close(fd);
  });
}

/** Each reason has its code, and is told once. */
export async function errors(): Promise<void> {
  await onLoop(async (loop) => {
    nameAddresses({ "unknown.test": "ENOTFOUND", "empty.test": [] });
    const { port, fds, hosts } = await arrange(["refuses", "silent"]);
    const before = countDescriptors();
    for (const [host, code] of [
      [hosts[0]!, "ECONNREFUSED"],
      [hosts[1]!, "ETIMEDOUT"],
      ["unknown.test", "ENOTFOUND"],
      ["empty.test", undefined],
    ] as const) {
      const told = new Told();
      new UpstreamConnect(loop, { host, port }, told, timeoutMs);
      const early = told.times;
      assert(early === 0, {
        summary: "the handler is called while the constructor runs",
        expected: "an answer in a later turn of the loop",
        observed: told.describe(),
      });
      await until(() => told.times > 0);
      await letPass(loop);
      const [error] = told.errors;
      const isRight =
        told.times === 1 &&
        error instanceof UpstreamError &&
        (code === undefined || error.code === code) &&
        error.message.includes(host);
      assert(isRight, {
        summary: `not the right answer for an upstream on ${host}, which ${code === "ETIMEDOUT" ? "does not answer" : code === "ECONNREFUSED" ? "refuses" : "has no address"}`,
        expected: `onError, once, with ${code === undefined ? "any code" : `the code ${code}`} and a message that names ${host}`,
        observed: told.describe(),
      });
      await expectNothingLeft(loop, before, `after ${error!.code}`);
    }
    for (const fd of fds) close(fd);
  });
}

/** All addresses of a name are tried, in their order. */
export async function addresses(): Promise<void> {
  const cases: [Address[], answer: number | string][] = [
    [["refuses", "listens", "listens"], 1],
    [["listens", "listens"], 0],
    [["silent", "refuses", "listens"], 2],
    [["refuses", "silent"], "ETIMEDOUT"],
    [["silent", "refuses"], "ECONNREFUSED"],
  ];
  for (const [kinds, answer] of cases) {
    await onLoop(async (loop) => {
      const before = countDescriptors();
      const { port, fds, hosts, listeners } = await arrange(kinds);
      nameAddresses({ "several.test": hosts });
      const told = new Told();
      new UpstreamConnect(loop, { host: "several.test", port }, told, timeoutMs);
      await until(() => told.times > 0);
      await letPass(loop);
      const isRight =
        told.times === 1 &&
        (typeof answer === "number"
          ? told.connections[0]?.peer.host === hosts[answer]
          : told.errors[0]?.code === answer);
      assert(isRight, {
        summary: `not the right answer for a name with ${kinds.length} addresses`,
        expected:
          typeof answer === "number"
            ? `a connection to ${hosts[answer]}, the first address on which somebody answers`
            : `onError, once, with the code ${answer}, that of the last address`,
        observed: `${kinds.map((kind, index) => `${hosts[index]} ${kind === "silent" ? "does not answer" : kind}`).join(", ")}: ${told.describe()}`,
      });
      if (typeof answer === "number") expectUsable(told.connections[0]!, listeners[answer]!);
      const later = listeners.findIndex((fd, index) => {
        if (typeof answer !== "number" || index <= answer || fd === undefined) return false;
        const accepted = accept4(fd, null, SOCK_NONBLOCK);
        if (accepted >= 0) close(accepted);
        return accepted >= 0;
      });
      assert(later === -1, {
        summary: "an address is tried although one before it has answered",
        expected: `no connect to ${hosts[later]}`,
        observed: "one that was established",
      });
      told.connections[0]?.destroy();
      for (const fd of fds) close(fd);
      await expectNothingLeft(loop, before, "after a name with several addresses was tried");
    });
  }
}

/** What comes of an attempt is a connection that never makes its caller wait. */
function expectUsable(connection: TcpConnection, listener: number): void {
  const flags = fcntl(connection.transport.fd, F_GETFL);
  assert((flags & O_NONBLOCK) !== 0, {
    summary: "the connection to the upstream is a blocking socket",
    expected: "O_NONBLOCK in its flags",
    observed: `flags 0${flags.toString(8)}`,
  });
  const accepted = accept4(listener, null, SOCK_NONBLOCK);
  assert(accepted >= 0, {
    summary: "onConnect is called before there is a connection",
    expected: "a connection in the upstream's queue",
    observed: "none",
  });
  close(accepted);
}
