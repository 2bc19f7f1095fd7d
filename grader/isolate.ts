import { spawn, spawnSync } from "node:child_process";
import { setInterfaceUp } from "../linux/index.ts";
import { UserError } from "./user-error.ts";

/** Set inside the private network namespace, so that it is entered once. */
const insideVariable = "EXPSERVER_ISOLATED";

const unshareOptions = ["--map-root-user", "--net"];

/** Whether this process runs in a network namespace that `runIsolated` made. */
export function isIsolated(): boolean {
  return process.env[insideVariable] === "1";
}

/** Makes the loopback interface of a new network namespace usable; it starts down (`man 7 network_namespaces`). */
export function raiseLoopback(): void {
  setInterfaceUp("lo");
}

/**
 * Runs this same command again inside a private network namespace, in which every port is free.
 * @returns its exit status
 * @throws UserError when the kernel or the container refuses
 */
export async function runIsolated(): Promise<number> {
  const trial = spawnSync("unshare", [...unshareOptions, "true"], { encoding: "utf8" });
  if (trial.status !== 0) {
    const reason = trial.error?.message ?? trial.stderr.trim();
    throw new UserError(
      `--isolate needs a network namespace of its own, and this system refuses one (${reason}). ` +
        "In a container, allow it with --privileged or --security-opt seccomp=unconfined; on Ubuntu, set the sysctl " +
        "kernel.apparmor_restrict_unprivileged_userns=0; or grade without --isolate while the programs' ports are free.",
    );
  }
  const child = spawn(
    "unshare",
    [...unshareOptions, process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    {
      stdio: "inherit",
      env: { ...process.env, [insideVariable]: "1" },
    },
  );
  // A terminal's Ctrl-C reaches the child as well; it clears up and then ends, and so do we.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 2));
  });
}
