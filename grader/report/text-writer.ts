import type { CheckResult } from "../record.ts";
import { buildReport, typeErrorsReport } from "./build-report.ts";
import { blockedByBuild, checkReport, failuresReport, stageHeader } from "./stage-report.ts";
import { commandsReport, summaryReport } from "./summary.ts";
import { layOut, type Theme } from "./theme.ts";
import type { Out, Writer, WriterOptions } from "./writer.ts";

/** The command that `hints` are asked with when the caller names no other. */
const defaultHintCommand = "npx expserver-course hint";

/** A report for reading, in a theme. Everything appears as soon as it is known; the summary comes last. */
export function createTextWriter(theme: Theme, out: Out, options: WriterOptions): Writer {
  const page = layOut(theme, options.columns);
  const print = (rows: string[]) => {
    if (rows.length > 0) out(rows.map((row) => `${row}\n`).join(""));
  };
  let stages = 0;
  let buildFailed = false;
  let reasonSaid: string | undefined;
  let blocked: CheckResult[] = [];
  let typeErrorsSaid: string[] = [];

  return {
    listener: {
      onStageStart(stage, checks) {
        print([...(stages > 0 ? [""] : []), ...stageHeader(page, stage, checks)]);
        stages += 1;
        buildFailed = false;
        reasonSaid = undefined;
        blocked = [];
      },
      onBuild(_stage, build) {
        buildFailed = !build.ok;
        print(buildReport(page, build));
      },
      onCheck(_stage, result) {
        if (buildFailed && theme.groupsBlocked && result.outcome === "blocked") {
          blocked.push(result);
          return;
        }
        print(checkReport(page, result, reasonSaid));
        reasonSaid = result.reason ?? reasonSaid;
      },
      onStageEnd(_stage, result) {
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
      if (options.commands ?? true) {
        print(["", ...commandsReport(page, record, options.hintCommand ?? defaultHintCommand)]);
      }
    },
  };
}
