import { spawn } from "node:child_process";
import type { Session } from "./session.ts";

/**
 * Shows a long text: in a terminal through `$PAGER`, or `less -R`, page by page; else as it is.
 * Where there is no pager the text is written at once.
 */
export async function page(session: Session, text: string): Promise<void> {
  const pager = session.env.PAGER ?? "less -R";
  if (!session.isTerminal || pager === "" || pager === "cat") return session.write(text);
  const shown = await new Promise<boolean>((resolve) => {
    const child = spawn("/bin/sh", ["-c", pager], {
      stdio: ["pipe", "inherit", "inherit"],
      // F: a text that fits on the screen is only printed; R: colours; X: it stays there afterwards.
      env: { LESS: "FRX", ...session.env },
    });
    const ignoreInterrupt = () => {}; // Ctrl-C belongs to the pager
    process.on("SIGINT", ignoreInterrupt);
    child.stdin.on("error", () => {}); // a pager that is left early closes its input
    child.stdin.end(text);
    child.on("error", () => resolve(false));
    child.on("close", (code) => {
      process.off("SIGINT", ignoreInterrupt);
      resolve(code !== 126 && code !== 127);
    });
  });
  if (!shown) session.write(text);
}
