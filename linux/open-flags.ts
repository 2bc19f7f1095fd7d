import { ARCHITECTURE, type Architecture } from "./libc.ts";

/** The flags that x86-64 and arm64 number differently. */
export function openFlags(architecture: Architecture = ARCHITECTURE) {
  return architecture === "x64"
    ? { O_DIRECT: 0o40000, O_LARGEFILE: 0o100000, O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000 }
    : { O_DIRECTORY: 0o40000, O_NOFOLLOW: 0o100000, O_DIRECT: 0o200000, O_LARGEFILE: 0o400000 };
}
