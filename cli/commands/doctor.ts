import { examineMachine, type Finding } from "../../grader/doctor.ts";
import { UserError } from "../../grader/user-error.ts";
import { currentStage, isDone, readProgress } from "../progress.ts";
import { bold, type Session } from "../session.ts";
import { findWorkspace } from "../workspace.ts";

/** `doctor`: what this machine has of what the course needs. Status 2 when something required is missing. */
export async function doctor(
  session: Session,
  options: { json?: boolean },
  examine: () => Promise<Finding[]> = examineMachine,
): Promise<number> {
  const findings = await examine();
  const missing = findings.filter(({ ok, required }) => !ok && required);
  if (options.json) {
    session.say(JSON.stringify(findings, null, 2));
    return missing.length === 0 ? 0 : 2;
  }
  const width = Math.max(...findings.map(({ title }) => title.length));
  for (const { ok, required, title, detail, remedy } of findings) {
    session.say(`${ok ? "✓" : required ? "✗" : "!"} ${title.padEnd(width)}  ${detail}`);
    if (remedy !== undefined) session.say(`    ${remedy}`);
  }
  const verdict =
    missing.length === 0
      ? `${ready} Go on with: npx expserver-course ${commandToGoOn(session)}`
      : `${missing.length} of the things above marked ✗ must be mended first. ${again}`;
  session.say("", bold(session, verdict));
  return missing.length === 0 ? 0 : 2;
}

/** Outside of a workspace `next` makes one; inside, the open stage comes first. */
function commandToGoOn(session: Session): string {
  const workspace = findWorkspace(session.cwd);
  if (workspace === undefined) return "next";
  try {
    const progress = readProgress(workspace);
    const entry = progress.stages[currentStage(progress).slug];
    if (isDone(entry)) return "next";
    return entry?.last === undefined ? "read" : "grade";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return "status"; // which says what is wrong with the progress
  }
}

const again = "Then type again: npx expserver-course doctor";
const ready = "This machine has what the course needs.";
