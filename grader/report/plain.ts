import { createTextWriter } from "./text-writer.ts";
import { type Theme, withoutColour } from "./theme.ts";
import type { Out, Writer, WriterOptions } from "./writer.ts";

/** The look for files, pipes and the logs of CI: words instead of symbols, no colours, every check on its line. */
export const plainTheme: Theme = {
  marks: {
    pass: "pass",
    fail: "FAIL",
    blocked: "blocked",
    skipped: "skipped",
    error: "error",
    warning: "warning",
  },
  outputBar: "| ",
  ellipsis: "...",
  groupsBlocked: false,
  paint: withoutColour,
};

/** The report for files, pipes and the logs of CI. */
export function createPlainWriter(out: Out, options: WriterOptions): Writer {
  return createTextWriter(plainTheme, out, options);
}
