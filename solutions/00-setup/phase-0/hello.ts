// hello: says which process it is and on which kernel, then closes a descriptor that was never open.

import { close, EINTR, errnoMessage, getpid, SystemCallError, uname, write } from "expserver-course/linux";

const { sysname, release } = uname();
print(`hello from process ${getpid()} on ${sysname} ${release}\n`);

try {
  close(99);
  print("close(99): no error, so somebody had opened descriptor 99\n");
} catch (error) {
  // Anything else than a refused system call is a fault of this program, and should look like one.
  if (!(error instanceof SystemCallError)) throw error;
  print(`${error.syscall}(99): ${error.code} (${errnoMessage(error.errno)})\n`);
}

/** Writes a text to descriptor 1, the standard output. */
function print(text: string): void {
  // The kernel knows bytes, not strings: the text becomes UTF-8 first.
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    const count = write(1, rest, rest.length);
    if (count === -EINTR) continue; // a signal came first and nothing was written: ask again
    if (count < 0) {
      console.error(`hello: cannot write: ${errnoMessage(count)}`);
      process.exit(1);
    }
    rest = rest.subarray(count); // write may take fewer bytes than it was offered
  }
}
