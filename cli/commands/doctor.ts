import { examineMachine, type Finding } from "../../grader/doctor.ts";
import { bold, type Session } from "../session.ts";

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
      ? ready
      : `${missing.length} of the things above marked ✗ must be mended first. ${again}`;
  session.say("", bold(session, verdict));
  return missing.length === 0 ? 0 : 2;
}

const again = "Then type again: npx expserver-course doctor";
const ready = "This machine has what the course needs. Go on with: npx expserver-course next";
