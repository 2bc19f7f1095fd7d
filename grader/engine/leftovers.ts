import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kill } from "../../linux/index.ts";
import { environmentValue, listProcesses, readProcess } from "./proc.ts";

const SIGKILL = 9;

/** The environment variable that marks every process of one grading. */
export const markName = "EXPSERVER_GRADING";

/** One grading's traces on the machine, so that another process can remove them. */
type RunNote = { pid: number; startTicks: number; mark: string; folder: string };

/** Where gradings note themselves while they run; one folder per user. */
const notesFolder = join(tmpdir(), `expserver-course-${process.getuid!()}`);

/** A grading that is under way: its mark, and a temporary folder that goes with it. */
export type Run = { mark: string; folder: string; noteFile: string; end(): void };

/** Notes that this process grades, and makes its temporary folder. */
export function beginRun(): Run {
  mkdirSync(notesFolder, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(notesFolder, "run-"));
  const mark = folder.slice(-6);
  const noteFile = `${folder}.json`;
  const note: RunNote = { pid: process.pid, startTicks: readProcess(process.pid)!.startTicks, mark, folder };
  writeFileSync(noteFile, JSON.stringify(note));
  return {
    mark,
    folder,
    noteFile,
    end() {
      rmSync(folder, { recursive: true, force: true });
      rmSync(noteFile, { force: true });
    },
  };
}

/** The mark of a program: the grading's, and the check's behind it. */
export function markOf(grading: string, check: string): string {
  return `${grading}/${check}`;
}

function belongsTo(pid: number, grading: string): boolean {
  return environmentValue(pid, markName)?.startsWith(`${grading}/`) ?? false;
}

/** Removes what one noted grading left: processes with its mark, its folder, the note. */
function removeRun(noteFile: string): void {
  let note: RunNote;
  try {
    note = JSON.parse(readFileSync(noteFile, "utf8"));
  } catch {
    return; // just being written, or just removed by another
  }
  if (readProcess(note.pid)?.startTicks === note.startTicks) return; // still at work
  for (;;) {
    const left = listProcesses().filter(({ pid, state }) => state !== "Z" && belongsTo(pid, note.mark));
    if (left.length === 0) break;
    for (const { pid } of left) kill(pid, SIGKILL);
  }
  rmSync(note.folder, { recursive: true, force: true });
  rmSync(noteFile, { force: true });
}

/** Removes what earlier gradings left that ended without clearing up, a killed one for example. */
export function removeLeftovers(): void {
  let names: string[];
  try {
    names = readdirSync(notesFolder);
  } catch {
    return;
  }
  for (const name of names) {
    if (name.endsWith(".json")) removeRun(join(notesFolder, name));
  }
}
