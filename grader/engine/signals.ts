import { constants } from "node:os";

/** The name of a signal number: 15 → `SIGTERM`. */
export function signalName(number: number): NodeJS.Signals {
  const entry = Object.entries(constants.signals).find(([, value]) => value === number);
  return (entry?.[0] ?? `SIG${number}`) as NodeJS.Signals;
}
