import type { GradeListener } from "../grade.ts";
import type { GradeRecord } from "../record.ts";

/** Makes one report: what can be said early comes from the listener's calls, the rest from the record. */
export type Writer = { listener: GradeListener; end(record: GradeRecord): void };

/** Takes the next piece of a report: whole lines, each with its newline. */
export type Out = (text: string) => void;

export type WriterOptions = {
  /** Whether `pretty` may use colours; the environment is not asked. */
  color: boolean;
  /** The width of the terminal in columns. */
  columns: number;
  /** The command that shows more hints; the check's id is put behind it, and the stage where it has to be named. */
  hintCommand?: string;
  /** The number of the stage that commands mean when they name none; without it, a single graded stage. */
  currentStage?: number;
  /** The command to type when all went well; by default none. */
  nextCommand?: string;
  /** Whether a report for reading ends in the commands to type next, which is the default. */
  commands?: boolean;
};
