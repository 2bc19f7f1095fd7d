/** Files for a server to serve, and what lies around them. */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Check, check } from "../../checks.ts";
import type { CheckContext } from "../../engine/context.ts";
import { assert, count } from "../../engine/evidence.ts";
import { openDescriptors } from "../../engine/proc.ts";
import { expectNoStackTrace } from "./endings.ts";

const MiB = 1024 * 1024;

/** Descriptors of the program that refer to files below a folder. */
export function openFilesBelow({ tree }: CheckContext, root: string): number {
  return tree
    .alive()
    .flatMap(({ pid }) => openDescriptors(pid))
    .filter(({ target }) => target.startsWith(`${root}/`)).length;
}

/** Fails unless the program lets go of the files below a folder. */
export async function expectFilesClosed(
  context: CheckContext,
  root: string,
  situation: string,
): Promise<void> {
  const closed = await context.waitFor(() => openFilesBelow(context, root) === 0, 5000);
  assert(closed, {
    summary: "files stay open",
    expected: `no open file below the served folder ${situation}`,
    observed: `${count(openFilesBelow(context, root), "descriptor")} of such files`,
  });
}

/** A file whose bytes are all zero and take no room on the disk. */
export function sparseFile(path: string, size: number): void {
  writeFileSync(path, "");
  truncateSync(path, size);
}

/** What stands at the start of each MiB of a marked file: its number. */
const markOf = (block: number) => Buffer.from(String(block).padStart(16, "."));
const zeros = Buffer.alloc(MiB);

/** A file of whole MiB that takes little room on the disk, and in which each place can be told from the others. */
export function markedFile(path: string, size: number): void {
  sparseFile(path, size);
  const file = openSync(path, constants.O_WRONLY);
  for (let block = 0; block < size / MiB; block++) writeSync(file, markOf(block), 0, 16, block * MiB);
  closeSync(file);
}

/** Whether these bytes stand at a position of a marked file. */
export function standsAt(bytes: Uint8Array, position: number): boolean {
  for (let start = 0; start < bytes.length; ) {
    const block = Math.floor((position + start) / MiB);
    const within = (position + start) % MiB;
    const mark = markOf(block).subarray(within);
    const expected = mark.length > 0 ? mark : zeros.subarray(within);
    const part = bytes.subarray(start, start + expected.length);
    if (Buffer.compare(part, expected.subarray(0, part.length)) !== 0) return false;
    start += part.length;
  }
  return true;
}

/** Makes a device like /dev/zero, where we may. Returns whether it is there. */
export function makeZeroDevice(path: string): boolean {
  const { status } = spawnSync("mknod", [path, "c", "1", "5"], { stdio: "ignore" });
  return status === 0;
}

/**
 * Puts files beside the served folder that must not leave, and links to them into it; `inside/ok.txt` is one that may.
 */
export function surroundWithSecrets(folder: string): void {
  const outside = join(folder, "..", "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "secret.txt"), "outside\n");
  mkdirSync(join(folder, "..", "public-evil"));
  writeFileSync(join(folder, "..", "public-evil", "secret.txt"), "outside\n");
  mkdirSync(join(folder, "inside"));
  writeFileSync(join(folder, "inside", "ok.txt"), "inside\n");
  symlinkSync(join(outside, "secret.txt"), join(folder, "absolute-link"));
  symlinkSync("../outside/secret.txt", join(folder, "relative-link"));
  symlinkSync("../outside", join(folder, "folder-link"));
  symlinkSync("/", join(folder, "root-link"));
}

/** A program that serves a folder says so when the folder is missing. */
export function missingRoot(after: string[]): Check {
  return check(
    "missing-root",
    {
      title: "says so when there is no folder to serve",
      points: 1,
      after,
      why: "A server that starts without its files answers every request with nothing, and nobody knows why.",
    },
    async (context) => {
      if (context.plan.program.ports === "fixed") {
        context.skip("course.json says that the programs take no arguments");
      }
      const ports = await context.portsForProgram();
      const program = context.launch([...ports.map(String), "--root", "/nonexistent/folder"]);
      const exit = await program.ended(5000);
      assert(exit?.code === 1 && program.stderr.text().includes("/nonexistent/folder"), {
        summary: "a missing folder is not told",
        expected: "status 1, and a sentence on stderr that names /nonexistent/folder",
        observed: `${exit === undefined ? "the program runs" : `status ${exit.code}`}: ${program.stderr.text().trim() || "nothing on stderr"}`,
      });
      expectNoStackTrace(program);
    },
  );
}
