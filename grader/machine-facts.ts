import { readFileSync } from "node:fs";
import { release } from "node:os";

/** One thing that was looked at. A finding that is required and not ok keeps the course from running. */
export type Finding = {
  id: string;
  title: string;
  ok: boolean;
  required: boolean;
  /** What was found. */
  detail: string;
  /** What to do about it, when it is not ok. */
  remedy?: string;
};

/** The facts that decide about system, processor and Node; a parameter so that tests can be other machines. */
export type Facts = {
  platform: string;
  arch: string;
  node: string;
  kernel: string;
  /** `/proc/version`. */
  procVersion: string;
  /** `/proc/self/limits`. */
  limits: string;
};

/** The facts of this machine. */
export function machineFacts(): Facts {
  return {
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    kernel: release(),
    procVersion: readText("/proc/version"),
    limits: readText("/proc/self/limits"),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** Makes a finding; the remedy is kept only where it is needed. */
export function finding(
  id: string,
  title: string,
  required: boolean,
  ok: boolean,
  detail: string,
  remedy: string,
): Finding {
  return ok ? { id, title, ok, required, detail } : { id, title, ok, required, detail, remedy };
}

/** What the facts alone tell. */
export function judgeFacts(facts: Facts): Finding[] {
  const [major = 0, minor = 0] = facts.node.split(".").map(Number);
  const isWsl = /microsoft/i.test(facts.procVersion);
  // WSL 1 translates system calls and has no Linux kernel; its version ends in -Microsoft with a capital M.
  const isFirstWsl = /-Microsoft\b/.test(facts.procVersion);
  const system =
    facts.platform === "linux" ? `Linux ${facts.kernel}${isWsl ? " (WSL)" : ""}` : facts.platform;
  const open = Number(
    /^Max open files\s+(\d+|unlimited)/m.exec(facts.limits)?.[1]?.replace("unlimited", "Infinity") ?? 0,
  );
  return [
    finding(
      "system",
      "Linux with a kernel of its own",
      true,
      facts.platform === "linux" && !isFirstWsl,
      system,
      isFirstWsl
        ? "WSL 1 has no Linux kernel. Turn this distribution into WSL 2: wsl --set-version <name> 2"
        : "Use WSL 2 on Windows, or a Linux container: docker run -it node:24 bash",
    ),
    finding(
      "processor",
      "x64 or arm64 processor",
      true,
      facts.arch === "x64" || facts.arch === "arm64",
      facts.arch,
      "Install a 64-bit Node on an x64 or arm64 machine.",
    ),
    finding(
      "node",
      "Node 20.19 or newer",
      true,
      major > 20 || (major === 20 && minor >= 19),
      facts.node,
      "Install a newer Node from https://nodejs.org, or with: nvm install 24",
    ),
    finding(
      "descriptors",
      "enough descriptors for a process",
      open < 1024,
      open >= 4096,
      `ulimit -n: ${open === Number.POSITIVE_INFINITY ? "unlimited" : open}`,
      "Raise the limit in this shell: ulimit -n 4096 (for good: /etc/security/limits.conf, or the container's --ulimit nofile=4096).",
    ),
  ];
}
