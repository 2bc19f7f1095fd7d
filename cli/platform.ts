/** What decides whether the course can run here at all; a parameter so that tests can be other machines. */
export type Machine = { platform: string; arch: string; nodeVersion: string };

export const thisMachine: Machine = {
  platform: process.platform,
  arch: process.arch,
  nodeVersion: process.versions.node,
};

const oldestNode = [20, 19] as const;

function isOlderThanNeeded(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
}

/**
 * Says what keeps the course from running on this machine and what to do about it; `undefined` when
 * nothing does. This file imports nothing: it must still load where everything else would fail.
 */
export function platformProblem(machine: Machine): string | undefined {
  if (machine.platform !== "linux") {
    return `${wrongSystem(machine.platform)}\n${machine.platform === "win32" ? useWsl : useContainer}`;
  }
  if (machine.arch !== "x64" && machine.arch !== "arm64") return wrongProcessor(machine.arch);
  if (isOlderThanNeeded(machine.nodeVersion)) return oldNode(machine.nodeVersion);
  return undefined;
}

const systemNames: Record<string, string> = { win32: "Windows", darwin: "macOS", freebsd: "FreeBSD" };

const wrongSystem = (platform: string) =>
  `expserver-course needs Linux: its programs call the Linux kernel directly. This is ${systemNames[platform] ?? platform}.`;

const useWsl = `Use Linux inside Windows: run \`wsl --install\` in PowerShell, restart, open "Ubuntu" and install Node 20.19 or newer there.
Then type in that terminal: npx expserver-course doctor`;

const useContainer = `Use a Linux container (or a dev container of your editor), for example:
  docker run -it --rm -v "$PWD:/work" -w /work node:24 bash
Then type in that terminal: npx expserver-course doctor`;

const wrongProcessor = (arch: string) =>
  `expserver-course needs an x64 or arm64 processor with a 64-bit Node; this Node is built for ${arch}.
Install a 64-bit Node 20.19 or newer, then type: npx expserver-course doctor`;

const oldNode = (version: string) =>
  `expserver-course needs Node 20.19 or newer; this is Node ${version}.
Install a newer Node (https://nodejs.org, or \`nvm install 24\`), then type: npx expserver-course doctor`;
