import type { CheckResult } from "../record.ts";
import { buildReport, typeErrorsReport } from "./build-report.ts";
import { blockedByBuild, checkReport, failuresReport, reasonReport, stageHeader } from "./stage-report.ts";
import { commandsReport, isInterrupted, summaryReport } from "./summary.ts";
import { layOut, type Theme } from "./theme.ts";
import type { Out, Writer, WriterOptions } from "./writer.ts";

/** A report for reading, in a theme. Everything appears as soon as it is known; the summary comes last. */
export function createTextWriter(theme: Theme, out: Out, options: WriterOptions): Writer {
  const page = layOut(theme, options.columns);
  const print = (rows: string[]) => {
    if (rows.length > 0) out(rows.map((row) => `${row}\n`).join(""));
  };
  const endAlike = () => {
    print(reasonReport(page, alike));
    alike = [];
  };
  let stages = 0;
  let buildFailed = false;
  let blocked: CheckResult[] = [];
  /** The last checks, if they share a reason, which is said once below them. */
  let alike: CheckResult[] = [];
  let typeErrorsSaid: string[] = [];

  return {
    listener: {
      onStageStart(stage, checks) {
        print([...(stages > 0 ? [""] : []), ...stageHeader(page, stage, checks)]);
        stages += 1;
        buildFailed = false;
        blocked = [];
      },
      onBuild(_stage, build) {
        buildFailed = !build.ok;
        print(buildReport(page, build));
      },
      onCheck(_stage, result) {
        if (isInterrupted(result)) return; // the summary counts them
        if (buildFailed && theme.groupsBlocked && result.outcome === "blocked") {
          blocked.push(result);
          return;
        }
        if (alike[0]?.reason !== result.reason) endAlike();
        print(checkReport(page, result));
        if (result.reason !== undefined) alike.push(result);
      },
      onStageEnd(_stage, result) {
        endAlike();
        print(blockedByBuild(page, blocked));
        // Types are checked while the checks run, and in the whole workspace: each stage brings the same errors.
        const typeErrors = typeErrorsReport(page, result.build);
        if (typeErrors.join() !== typeErrorsSaid.join()) print(typeErrors);
        typeErrorsSaid = typeErrors;
        print(failuresReport(page, result));
      },
    },
    end(record) {
      print(summaryReport(page, record));
      const commands = (options.commands ?? true) ? commandsReport(page, record, options) : [];
      if (commands.length > 0) print(["", ...commands]);
    },
  };
}
