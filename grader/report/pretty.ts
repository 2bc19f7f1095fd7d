import { createTextWriter } from "./text-writer.ts";
import { inColour, type Theme, withoutColour } from "./theme.ts";
import type { Out, Writer, WriterOptions } from "./writer.ts";

/** The look for a person at a terminal: one symbol an outcome, and colours if wanted. */
export function prettyTheme(color: boolean): Theme {
  return {
    marks: { pass: "✓", fail: "✗", blocked: "⊘", skipped: "−", error: "!", warning: "!" },
    outputBar: "│ ",
    ellipsis: "…",
    groupsBlocked: true,
    paint: color ? inColour : withoutColour,
  };
}

/** The report for a person at a terminal. */
export function createPrettyWriter(out: Out, options: WriterOptions): Writer {
  return createTextWriter(prettyTheme(options.color), out, options);
}
