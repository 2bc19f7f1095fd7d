import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { packageRoot } from "../../stages/package-root.ts";
import { markName } from "./leftovers.ts";

/** The script that ends a dead grader's run. Compiled, as Node itself runs it. */
const reaper = join(packageRoot, "dist", "grader", "engine", "reaper.js");

/**
 * Waits for a line; where the input ends without one, Node takes the shell's place. A shell because
 * it needs 1 ms and 1 MB to wait, and Node 40 ms and 40 MB.
 */
const waiting = 'read -r _ || exec "$0" "$@"';

/** Waits beside a grader for its death. */
export type Watchdog = { pid: number; dismiss(): Promise<void> };

/**
 * Has a grading ended by somebody else, should this process die before it can do so itself, even by
 * SIGKILL. Only this process holds the other end of the watchdog's input, so the kernel closes it
 * whatever the death; the watchdog has a session of its own, out of reach of a terminal's signals.
 * @param folder the run's folder
 */
export function startWatchdog(folder: string): Watchdog {
  const { [markName]: _mark, NODE_OPTIONS: _options, ...env } = process.env;
  const child = spawn("/bin/sh", ["-c", waiting, process.execPath, reaper, folder], {
    cwd: "/",
    env,
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = once(child, "exit").catch(() => {}); // without a shell there is no watchdog: the next run clears up
  child.stdin.on("error", () => {}); // somebody killed the watchdog
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return {
    pid: child.pid ?? -1,
    async dismiss() {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      child.ref();
      child.stdin.end("\n");
      await ended;
    },
  };
}
