// marked-terminal ships no types of its own; this is the part that we use.
declare module "marked-terminal" {
  export function markedTerminal(
    options: { width: number; reflowText: boolean; showSectionPrefix: boolean; emoji: boolean; tab: number },
    highlight?: { theme?: unknown },
  ): object;
}
