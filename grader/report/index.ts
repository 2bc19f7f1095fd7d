import { createJsonWriter } from "./json.ts";
import { createJunitWriter } from "./junit.ts";
import { createPlainWriter } from "./plain.ts";
import { createPrettyWriter } from "./pretty.ts";
import type { Out, Writer, WriterOptions } from "./writer.ts";

export type { Out, Writer, WriterOptions } from "./writer.ts";

const writers = {
  pretty: createPrettyWriter,
  plain: createPlainWriter,
  json: createJsonWriter,
  junit: createJunitWriter,
} satisfies Record<string, (out: Out, options: WriterOptions) => Writer>;

export type ReportFormat = keyof typeof writers;

/** The names that `--format` takes. */
export const reportFormats = Object.keys(writers) as ReportFormat[];

/**
 * Makes the writer of a report.
 * @param out takes the report piece by piece; `pretty` and `plain` stream, the others write once at the end
 */
export function createWriter(format: ReportFormat, out: Out, options: WriterOptions): Writer {
  return writers[format](out, options);
}
