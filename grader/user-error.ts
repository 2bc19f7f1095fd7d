/** Something that the person at the keyboard can mend: shown as its message alone, never with a stack trace. */
export class UserError extends Error {
  override name = "UserError";
  /** The command's exit status: 1, or 2 for wrong usage and for a grading that could not take place. */
  readonly exitStatus: number;

  constructor(message: string, exitStatus = 2) {
    super(message);
    this.exitStatus = exitStatus;
  }
}
